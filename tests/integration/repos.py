"""Repos of all the shapes that transformers loads, made from the tiny models and a few small files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

CONFIGURATION = """
from transformers import PretrainedConfig

class OwnConfig(PretrainedConfig):
    model_type = "own"

    def __init__(self, size=4, **kwargs):
        self.size = size
        super().__init__(**kwargs)
"""
MODEL = """
import torch
from transformers import PreTrainedModel
from .configuration_own import OwnConfig

class OwnModel(PreTrainedModel):
    config_class = OwnConfig

    def __init__(self, config):
        super().__init__(config)
        self.line = torch.nn.Linear(config.size, config.size)
        self.post_init()
"""
OWN = {
    "configuration_own.py": CONFIGURATION,
    "modeling_own.py": MODEL,
    "config.json": json.dumps(
        {
            "model_type": "own",
            "architectures": ["OwnModel"],
            "auto_map": {"AutoConfig": "configuration_own.OwnConfig", "AutoModel": "modeling_own.OwnModel"},
        }
    ),
}
LETTERS = ["<pad>", "<s>", "</s>", "<unk>", "|", *"thequickdog"]
SPEECH = {
    "preprocessor_config.json": json.dumps(
        {
            "feature_extractor_type": "Wav2Vec2FeatureExtractor",
            "processor_class": "Wav2Vec2Processor",
            "feature_size": 1,
            "sampling_rate": 16000,
        }
    ),
    "tokenizer_config.json": json.dumps(
        {"tokenizer_class": "Wav2Vec2CTCTokenizer", "processor_class": "Wav2Vec2Processor", "unk_token": "<unk>"}
    ),
    "vocab.json": json.dumps({letter: number for number, letter in enumerate(LETTERS)}),
    "config.json": json.dumps({"model_type": "wav2vec2"}),
}
WEIGHTS = """
import sys, torch
from safetensors.torch import load_file, save_file
bert, binary, own = sys.argv[1:]
torch.save(load_file(bert), binary)
save_file({"line.weight": torch.arange(16.0).reshape(4, 4), "line.bias": torch.ones(4)}, own, metadata={"format": "pt"})
"""


def make_repos(folder, tiny_models):
    """Folders by name: bert and `second`, a later bert; gpt2, vit, sharded, speech; `own` with code; `binary` with a
    .bin; `nested` in a subfolder; `weightless`; `bare` of a config."""
    made = {name: tiny_models / "tiny" / name for name in ("bert", "gpt2", "vit", "sharded")}
    bert = made["bert"]
    for name, files in {"own": OWN, "speech": SPEECH}.items():
        made[name] = folder / name
        made[name].mkdir()
        for path, text in files.items():
            (made[name] / path).write_text(text)
    made["binary"] = shutil.copytree(bert, folder / "binary")
    (folder / "binary" / "model.safetensors").unlink()
    made["nested"] = folder / "nested"
    shutil.copytree(bert, folder / "nested" / "inner" / "most")
    (folder / "nested" / "README.md").write_text("the model is further in\n")
    made["weightless"] = folder / "weightless"
    made["weightless"].mkdir()
    shutil.copy(bert / "config.json", folder / "weightless")
    made["bare"] = shutil.copytree(bert, folder / "bare")
    (folder / "bare" / "config.json").unlink()
    made["second"] = shutil.copytree(bert, folder / "second")
    config = json.loads((bert / "config.json").read_text())
    (folder / "second" / "config.json").write_text(json.dumps({**config, "layer_norm_eps": 0.5}))
    words = [bert / "model.safetensors", folder / "binary" / "pytorch_model.bin", folder / "own" / "model.safetensors"]
    subprocess.run([sys.executable, "-c", WEIGHTS, *words], check=True, env={"PATH": "", "IPFS_ACCELERATE": "0"})
    return made


def commit_of(hub, repo_id, revision="main"):
    """The commit that a branch or tag of a repo points to."""
    return hub.repos[("models", repo_id)].refs[revision]
