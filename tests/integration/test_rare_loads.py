"""The rarer ways into transformers: pipelines of many tasks, adapters, GGUF, registered classes, a notebook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.local_hub import LocalHub
from tests.support.machine import Machine

from .probe import ask

pytestmark = pytest.mark.lines
ROOT = Path(__file__).resolve().parents[2]

# task -> (repo, what the pipeline is asked); a repo of its own per task
TASKS = {
    "feature-extraction": ("bert", "'the quick dog'"),
    "text-classification": ("bert", "'the quick dog'"),
    "token-classification": ("bert", "'the quick dog'"),
    "zero-shot-classification": ("bert", "'the quick dog', candidate_labels=['a', 'b']"),
    "text-generation": ("gpt2", "'the quick', max_new_tokens=3, do_sample=False"),
    "image-classification": ("vit", "IMAGE"),
    "image-feature-extraction": ("vit", "IMAGE"),
}
PIPELINES = {task: f"pipeline({task!r}, 'tasks/{task}')({asked})" for task, (_, asked) in TASKS.items()}
LINES = {
    **PIPELINES,
    "adapter": "AutoModelForCausalLM.from_pretrained('rare/adapter')",
    "adapter, pinned": "AutoModelForCausalLM.from_pretrained('rare/adapter', revision={adapter!r})",
    "gguf": "AutoModelForCausalLM.from_pretrained('rare/gguf', gguf_file='tiny.gguf')",
    "short commit": "AutoConfig.from_pretrained('tiny/bert', revision={bert!r}[:8])",
    "registered config": "AutoConfig.from_pretrained('rare/own')",
    "registered model": "AutoModel.from_pretrained('rare/own')",
    "commit hash": "AutoConfig.from_pretrained('tiny/bert', _commit_hash={bert!r})",
}
# What the program has besides: an image, and classes of its own that it registers.
BEFORE = """
from PIL import Image
from transformers import AutoConfig, AutoModel, BertConfig, BertModel
IMAGE = Image.new("RGB", (32, 32), (10, 200, 30))
class OwnConfig(BertConfig):
    model_type = "own"
class OwnModel(BertModel):
    config_class = OwnConfig
AutoConfig.register("own", OwnConfig)
AutoModel.register(OwnConfig, OwnModel)
"""
LOG_OF_TRANSFORMERS = {"TRANSFORMERS_VERBOSITY": "error"}


@pytest.fixture(scope="module")
def rare_hub(tiny_models, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rare")
    made = subprocess.run(
        [sys.executable, "-m", "tests.support.rare_models", tiny_models, folder],
        env={**os.environ, "IPFS_ACCELERATE": "0"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    own = folder / "own"
    own.mkdir()
    for path in (tiny_models / "tiny" / "bert").iterdir():
        (own / path.name).write_bytes(path.read_bytes())
    config = json.loads((own / "config.json").read_text())
    (own / "config.json").write_text(json.dumps({**config, "model_type": "own", "architectures": ["OwnModel"]}))
    with LocalHub() as hub:
        for kind in ("bert", "gpt2", "vit"):
            hub.add(f"tiny/{kind}", tiny_models / "tiny" / kind)
        for kind in ("adapter", "gguf", "own"):
            hub.add(f"rare/{kind}", folder / kind)
        for task, (kind, _) in TASKS.items():
            hub.add(f"tasks/{task}", tiny_models / "tiny" / kind)
        yield hub


@pytest.fixture(scope="module")
def both(rare_hub, tmp_path_factory):
    """What the lines gave without the hook and with it, and the hooked machine."""
    folder = tmp_path_factory.mktemp("machines")
    commits = {name: rare_hub.repos["models", repo].refs["main"] for name, repo in REPOS.items()}
    lines = {label: line.format(**commits) for label, line in LINES.items()}
    plain = ask(Machine(folder / "plain", hub=rare_hub), lines, BEFORE, hooked=False, env=LOG_OF_TRANSFORMERS)
    hooked = Machine(folder / "hooked", hub=rare_hub)
    return plain, ask(hooked, lines, BEFORE, env=LOG_OF_TRANSFORMERS), hooked, lines


REPOS = {"adapter": "rare/adapter", "bert": "tiny/bert"}
# This Hub knows no short commits; transformers asks the base model for the adapter's commit. The errors are plain's.
FAILS_EVERYWHERE = {"short commit", "adapter, pinned"}


def test_the_lines_work_at_all(both):
    plain, *_ = both
    assert set(plain.errors) == FAILS_EVERYWHERE, plain.errors


@pytest.mark.parametrize("label", LINES)
def test_equal_to_plain(label, both):
    plain, ours, *_ = both
    assert (ours[label].value, ours[label].error) == (plain[label].value, plain[label].error)


def test_everything_went_through_the_store(both, rare_hub):
    _, _, machine, _ = both
    wanted = {"models--tiny--bert", "models--tiny--gpt2"}
    wanted |= {f"models--tasks--{task}" for task in TASKS} | {
        f"models--rare--{kind}" for kind in ("adapter", "gguf", "own")
    }
    assert wanted <= {path.name for path in machine.store.iterdir()}
    assert not machine.copies()


def test_again_with_the_hub_gone(both):
    plain, _, machine, lines = both
    hub, machine.hub = machine.hub, None
    try:
        again = ask(
            machine, {k: v for k, v in lines.items() if k not in FAILS_EVERYWHERE}, BEFORE, env=LOG_OF_TRANSFORMERS
        )
    finally:
        machine.hub = hub
    assert again.errors == {}
    assert {label: outcome.value for label, outcome in again.items()} == {label: plain[label].value for label in again}


KERNEL = """
import sys
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3")
def run(code):
    shown = []
    client.execute_interactive(code, timeout=90, output_hook=lambda m: shown.append(m["content"]), store_history=False)
    return "".join(c.get("text", "") + c.get("data", {}).get("text/plain", "") + c.get("evalue", "") for c in shown)
print(run("import ipfs_accelerate_py"))
print(run("from transformers import AutoConfig"))
print(run("print(AutoConfig.from_pretrained('tiny/bert').model_type, ipfs_accelerate_py.get_status()['enabled'])"))
client.stop_channels()
manager.shutdown_kernel(now=True)
"""


def test_in_the_kernel_of_a_notebook(machine, rare_hub):
    user = machine("user", hub=rare_hub)
    done = user.run(KERNEL, hooked=False)
    assert done.returncode == 0, done.stderr
    assert "bert True" in done.stdout, done.stdout + done.stderr
    assert (user.store / "models--tiny--bert").is_dir()
    assert not user.copies()
