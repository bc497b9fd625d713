"""`fleet seed`: what plain programs have downloaded is offered to the fleet, verified, and nothing else is."""

from __future__ import annotations

import json
import time

import pytest

from ipfs_accelerate_py.ipfs.node import Node
from tests.support.fleet import FleetMachine
from tests.support.in_process import write_repo
from tests.support.local_hub import LocalHub

pytestmark = pytest.mark.timeout(300)
DOWNLOAD = """
import sys
from huggingface_hub import snapshot_download
for name in sys.argv[1:]:
    kind, _, repo = name.rpartition(":")
    snapshot_download(repo, repo_type=kind or None, token="hf_alice")
"""
FILES = {"config.json": b"{}", "model.safetensors": b"weights" * 9000}


@pytest.fixture
def seeded(node_class, tmp_path):
    """A machine in a fleet whose Hugging Face cache was filled by a plain program."""
    for name in ("acme/open", "acme/closed", "acme/damaged"):
        write_repo(tmp_path / "models", name, FILES)
    with LocalHub(tmp_path / "models", tokens={"hf_alice": "alice"}) as hub:
        hub.repos[("models", "acme/closed")].meta |= {"private": True, "allow": ["alice"]}
        hub.add("acme/data", tmp_path / "models" / "acme" / "open", "datasets")
        machine = FleetMachine(tmp_path / "a", hub=hub)
        names = ("acme/open", "acme/closed", "acme/damaged", "dataset:acme/data")
        done = machine.run(DOWNLOAD, *names, hooked=False)
        assert done.returncode == 0, done.stderr
        machine.init("lab")
        (blob,) = (machine.cache / "hub" / "models--acme--damaged" / "blobs").glob("?" * 64)
        blob.write_bytes(b"W" + blob.read_bytes()[1:])
        yield machine
        machine.stop()


def outcomes(rows):
    return {row["repo"]: row["outcome"] for row in rows}


def published(machine):
    """The names in the tree that the machine's Kubo publishes."""
    node = Node(f"/ip4/127.0.0.1/tcp/{machine.folder.read().ports.api}", 5.0)
    found = node.stat("/ipfs_accelerate")
    return node.files_below(f"/ipfs/{found['Hash']}") if found else []


def test_seed(seeded):
    before = {path: path.stat().st_mtime_ns for path in seeded.cache.rglob("*") if path.is_file()}
    dry = seeded.fleet("seed", "--dry-run")
    assert outcomes(dry) == {
        "acme/open": "would be offered",
        "acme/damaged": "would be offered",
        "acme/closed": "not public",
        "dataset:acme/data": "not of a kind that is published",
    }
    assert not list(seeded.store.glob("*--*"))  # it has only looked
    done = seeded.hook("fleet", "seed", "--json")
    assert done.returncode == 3 and "model.safetensors" in done.stderr, done.stderr  # bytes failed their check
    rows = json.loads(done.stdout)
    assert outcomes(rows) == {**outcomes(dry), "acme/open": "offered", "acme/damaged": "damaged"}
    assert [row["damaged"] for row in rows if row["repo"] == "acme/damaged"] == [["model.safetensors"]]
    # one copy on disk, and the cache is as it was
    (ours,) = (seeded.store / "models--acme--open" / "blobs").glob("?" * 64)
    (plain,) = (seeded.cache / "hub" / "models--acme--open" / "blobs").glob("?" * 64)
    assert ours.samefile(plain)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    # the agent publishes it, and nothing of what is closed or damaged
    end = time.monotonic() + 30
    while not any(name.startswith("models--acme--open/snapshots/") for name in published(seeded)):
        assert time.monotonic() < end, seeded.log()
        time.sleep(0.2)
    names = published(seeded)
    blocks = sum(path.stat().st_size for path in (seeded.folder.repo / "blocks").rglob("*.data"))
    assert blocks < ours.stat().st_size / 2, "Kubo has a copy of its own"
    assert not any("closed" in name or "--data" in name for name in names)
    assert not any(name.startswith("models--acme--damaged/") and name.endswith(".safetensors") for name in names)


def test_seed_without_a_fleet_or_a_hub(seeded, tmp_path):
    lone = FleetMachine(tmp_path / "lone")
    assert "in no fleet" in lone.hook("fleet", "seed").stderr
    seeded.hub = None
    rows = seeded.fleet("seed")
    assert {row["outcome"] for row in rows if row["repo"].startswith("acme/")} == {
        "the Hub could not say whether it is public, or what its files must be"
    }
    assert "nothing is offered" in seeded.hook("fleet", "seed", env={"IPFS_ACCELERATE_PUBLISH": "off"}).stderr


def test_another_node_is_given_it_again(seeded):
    """What was published by the Kubo of a fleet that was left is published by the next one."""
    seeded.fleet("seed", code=3)
    end = time.monotonic() + 30
    while not any(name.startswith("models--acme--open/snapshots/") for name in published(seeded)):
        assert time.monotonic() < end, seeded.log()
        time.sleep(0.2)
    seeded.fleet("leave")
    seeded.init("another")
    assert published(seeded) == []
    seeded.fleet("seed", code=3)
    end = time.monotonic() + 30
    while not any(name.startswith("models--acme--open/snapshots/") for name in published(seeded)):
        assert time.monotonic() < end, seeded.log()
        time.sleep(0.2)
