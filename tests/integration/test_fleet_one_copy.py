"""A model is on the disk of a machine of a fleet once, whatever way its bytes have come."""

from __future__ import annotations

import os
import time

import pytest

from ipfs_accelerate_py.errors import SourceError
from ipfs_accelerate_py.ipfs.fleet_tree import MFS_ROOT
from ipfs_accelerate_py.ipfs.node import Node
from tests.support.in_process import write_repo
from tests.support.local_hub import LocalHub

pytestmark = pytest.mark.timeout(300)
REPO = "acme/model"
WEIGHTS = os.urandom(12 << 20)


@pytest.fixture
def hub(tmp_path):
    write_repo(tmp_path / "models", REPO, {"config.json": b'{"model_type": "bert"}', "model.safetensors": WEIGHTS})
    with LocalHub(tmp_path / "models") as running:
        yield running


def find_published(node, seconds=60.0):
    """Waits until the node has the weights in its tree; their CID."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            for path in node.files_below(f"/ipfs/{node.stat(MFS_ROOT)['Hash']}"):
                if path.endswith("model.safetensors"):
                    return node.stat(f"{MFS_ROOT}/{path}")["Hash"]
        except (SourceError, TypeError):
            pass
        time.sleep(0.2)
    raise AssertionError("the weights are not published")


def on_disk(folder):
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return sum(status.st_blocks * 512 / status.st_nlink for status in (path.stat() for path in files))


@pytest.mark.parametrize("over_bitswap", [False, True], ids=["over HTTP", "blocks of it over bitswap before"])
def test_one_copy(machine, hub, over_bitswap):
    a, b = machine("a", hub=hub), machine("b", hub=hub)
    a.init("lab")
    b.join(a)
    assert a.hook("fetch", REPO).returncode == 0
    nodes = [Node(f"/ip4/127.0.0.1/tcp/{each.folder.read().ports.api}", 5.0) for each in (a, b)]
    cid = find_published(nodes[0])
    if over_bitswap:
        assert b"".join(nodes[1].stream(f"/ipfs/{cid}")) == WEIGHTS
        assert on_disk(b.folder.repo) > len(WEIGHTS)
    assert b.hook("fetch", REPO).returncode == 0
    assert find_published(nodes[1]) == cid
    for each, node in zip((a, b), nodes, strict=True):
        assert on_disk(each.folder.repo) < 0.1 * len(WEIGHTS)  # Kubo's own tables are about 0.5 MB
        assert on_disk(each.home) < 1.1 * len(WEIGHTS)
        assert b"".join(node.stream(f"/ipfs/{cid}", offline=True)) == WEIGHTS
