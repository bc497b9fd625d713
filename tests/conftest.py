"""What tests share: a loopback Hub, models, IPFS nodes and simulated machines."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("CI", "true")  # in this process the hook stays off, wherever the tests run

from tests.support import model
from tests.support.local_hub import LocalHub
from tests.support.machine import Machine
from tests.support.missing import need
from tests.support.node import KuboNode

settings.register_profile("unhurried", deadline=None)  # a busy machine is no failure
settings.load_profile("unhurried")
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
# Other libraries are in an environment of their own, which `make ecosystem-short` makes and CI runs.
collect_ignore = [] if importlib.util.find_spec("setfit") else ["ecosystem"]
REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A Hub's root folder with the real all-MiniLM-L6-v2."""
    root = tmp_path_factory.mktemp("models")
    model.add_minilm(root)
    return root


@pytest.fixture(scope="session")
def tiny_models(request):
    """A Hub's root folder with tiny/bert, tiny/gpt2, tiny/vit and tiny/sharded; kept from one session to the next."""
    recipe = hashlib.sha256(Path(model.__file__).read_bytes()).hexdigest()[:8]
    version = importlib.metadata.version("transformers")
    root = request.config.cache.mkdir(f"tiny-models-{version}-{recipe}")
    # a process of its own: torch and transformers stay out of this one
    made = subprocess.run(
        [sys.executable, "-m", "tests.support.model", root],
        env={**os.environ, "IPFS_ACCELERATE": "0"},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    return root


@pytest.fixture
def interruptible():
    """Children receive signals, as in a terminal: a shell's background job ignores SIGINT, and nohup's SIGHUP."""
    before = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGHUP)]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before:
        signal.signal(number, handler)


@pytest.fixture
def hub(models):
    """A Hub with the real model."""
    with LocalHub(models) as running:
        yield running


@pytest.fixture
def tiny_hub(tiny_models):
    """A Hub with the tiny models."""
    with LocalHub(tiny_models) as running:
        yield running


@pytest.fixture(scope="module")
def node_class():
    """What nodes are made of: Kubo, in a private swarm and with the filestore on."""
    need(KuboNode)
    return KuboNode


@pytest.fixture(scope="module")
def nodes(node_class, tmp_path_factory):
    """Makes nodes of one swarm: `first, second = nodes(2)`. They serve the whole module."""
    folder, made = tmp_path_factory.mktemp("nodes"), []

    def make(count=2):
        while len(made) < count:
            made.append(node_class(folder / str(len(made)) / ".ipfs", bootstrap=made[:1]).start())
        return made[:count]

    yield make
    for node in made:
        node.stop()


@pytest.fixture
def machine(tmp_path):
    """Makes machines: `machine("a", hub=hub, node=node_class, bootstrap=[other.node], NAME="value")`."""
    made = []

    def make(name, **options):
        made.append(Machine(tmp_path / name, **options))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The storage layer in the test's own process: tests.support.in_process.Here."""
    from tests.support.in_process import Here  # huggingface_hub is only imported where it is needed

    return Here(tmp_path / "here", monkeypatch)
