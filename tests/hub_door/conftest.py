"""A Hub with a model, a dataset and a space, and machines whose programs call huggingface_hub alone."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.local_hub import LocalHub
from tests.support.machine import Machine

MODEL = "org/model"
WEIGHTS = "unet/weights.safetensors"
FILES = {
    f"{MODEL}/config.json": b'{"a": 1}\n',
    f"{MODEL}/README.md": b"# a model\n",
    f"{MODEL}/{WEIGHTS}": bytes(range(256)) * 4096,
    "datasets/org/data/train.csv": b"a,b\n1,2\n",
    "spaces/org/app/app.py": b"print(1)\n",
}
# What a program of these tests begins with: `say(name, function)` prints a result or an error as one line of JSON.
BEGIN = """
import json, os, sys, time
import huggingface_hub
from huggingface_hub import HfApi, HfFileSystem, hf_hub_download, snapshot_download, try_to_load_from_cache
MODEL, WEIGHTS = "org/model", "unet/weights.safetensors"
def say(name, function):
    begun = time.monotonic()
    try:
        value = function()
    except BaseException as error:
        value = [type(error).__name__, str(error), [kind.__name__ for kind in type(error).__mro__]]
    print(json.dumps([name, value, time.monotonic() - begun]))
"""


@pytest.fixture
def repos(tmp_path: Path) -> Path:
    """The Hub's folder."""
    for path, data in FILES.items():
        file = tmp_path / "models" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return tmp_path / "models"


@pytest.fixture
def hub(repos: Path):
    with LocalHub(repos, lfs_threshold=1000) as running:
        yield running


@pytest.fixture
def machine(tmp_path: Path, hub: LocalHub) -> Machine:
    return Machine(tmp_path / "machine", hub=hub, HF_HUB_DISABLE_PROGRESS_BARS="1")


@pytest.fixture
def run(machine: Machine) -> Callable[..., dict[str, Any]]:
    """`run(code)`: what a program says, by name; `run.seconds` how long each took."""

    def start(code: str, *, on: Machine = machine, hooked: bool = True, **env: str) -> dict[str, Any]:
        done = on.run(BEGIN + code, hooked=hooked, env=env)
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        start.seconds = {name: seconds for name, _, seconds in lines}
        start.stderr = done.stderr
        return {name: value for name, value, _ in lines}

    return start


def disk_usage(*folders: Path) -> int:
    """The bytes below these folders; a file with several names counts once."""
    seen = {}
    for folder in folders:
        for file in folder.rglob("*"):
            status = os.lstat(file)
            if file.is_file() and not file.is_symlink():
                seen[status.st_dev, status.st_ino] = status.st_size
    return sum(seen.values())
