"""Machines of a fleet that want the same model: its bytes leave the Hub once, and what goes wrong costs no load."""

from __future__ import annotations

import hashlib
import os

import pytest

from tests.support.in_process import write_repo
from tests.support.local_hub import LocalHub
from tests.support.together import TogetherMachine, bytes_from_hub, start_together

REPO = "acme/model"
FILES = {
    "config.json": b'{"model_type": "bert"}',
    "model-00001-of-00002.safetensors": os.urandom(6 << 20),
    "model-00002-of-00002.safetensors": os.urandom(5 << 20),
    "tokenizer.json": os.urandom(200_000).hex().encode(),
    "vocab.txt": b"one\ntwo\n",
}
SIZE = sum(map(len, FILES.values()))
DIGESTS = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}


@pytest.fixture
def hub(tmp_path):
    write_repo(tmp_path / "models", REPO, FILES)
    with LocalHub(tmp_path / "models", bandwidth=4 << 20) as running:
        yield running


@pytest.fixture
def fleet(tmp_path, hub):
    """Makes machines that know of each other, with their agents."""
    made = []

    def make(count, **environment):
        made.extend(TogetherMachine(tmp_path / f"m{number}", hub, **environment) for number in range(count))
        start_together(made)
        return made

    yield make
    for machine in made:
        machine.stop()


def test_together(hub, fleet):
    workers = [machine.worker(REPO) for machine in fleet(4)]
    results = [worker.result() for worker in [worker.go() for worker in workers]]
    for result in results:
        assert result["files"] == DIGESTS, result
    print([result["seconds"] for result in results], bytes_from_hub(hub) / SIZE, [r["served"] for r in results])
    assert bytes_from_hub(hub) <= 1.05 * SIZE
