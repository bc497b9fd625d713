"""The repos that the Hub has."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy
from safetensors.numpy import save_file

from tests.integration.repos import OWN


def make_repos(folder: Path, tiny_models: Path) -> dict[str, list[Path]]:
    """Folders of the commits of each repo, the older first. In the older one the fast tokenizer's file is missing."""
    bert, own = folder / "bert", folder / "own"
    shutil.copytree(tiny_models / "tiny" / "bert", bert)
    shutil.copy(tiny_models / "tiny" / "vit" / "preprocessor_config.json", bert)
    (bert / "chat_template.jinja").write_text("{{ messages[0].content }}")
    (bert / "additional_chat_templates").mkdir()
    (bert / "additional_chat_templates" / "tool.jinja").write_text("{{ messages[0].content }} with tools")
    older = shutil.copytree(bert, folder / "older")
    (older / "tokenizer.json").unlink()
    config = json.loads((older / "config.json").read_text())
    (older / "config.json").write_text(json.dumps({**config, "layer_norm_eps": 0.5}))
    own.mkdir()
    for path, text in OWN.items():
        (own / path).write_text(text)
    weights = {"line.weight": numpy.arange(16.0, dtype="f4").reshape(4, 4), "line.bias": numpy.ones(4, "f4")}
    save_file(weights, own / "model.safetensors", metadata={"format": "pt"})
    return {"acme/bert": [older, bert], "acme/own": [own]}
