"""doctor: a model that a peer has published and not announced, which a load would not find there."""

import hashlib

import pytest

from ipfs_accelerate_py.config.settings import read_settings
from ipfs_accelerate_py.doctor.round_trip import check_round_trip
from ipfs_accelerate_py.ipfs.node import Node
from ipfs_accelerate_py.ipfs.swarm import announce
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.tree import Entry, Tree

pytestmark = pytest.mark.timeout(120)
REPO, COMMIT, CONFIG = "acme/quiet", "1" * 40, b'{"model_type": "bert"}\n'


def test_the_hint_announces_what_only_was_published(nodes, monkeypatch):
    node, peer = nodes(2)
    monkeypatch.delenv("IPFS_ACCELERATE_GATEWAYS", raising=False)
    blob_id = hashlib.sha1(b"blob %d\0" % len(CONFIG) + CONFIG).hexdigest()
    there = Node(peer.api, 10.0)
    for path, content in {
        layout.snapshot_path(REPO, COMMIT, "config.json"): CONFIG,
        layout.tree_path(REPO, COMMIT): Tree(COMMIT, {"config.json": Entry(len(CONFIG), blob_id)}).to_json(),
    }.items():
        there.make_folder(f"/ipfs_accelerate/{path}".rpartition("/")[0])
        there.write(f"/ipfs_accelerate/{path}", content)
    there.publish(there.stat("/ipfs_accelerate")["Hash"])

    found = check_round_trip(Node(node.api, 5.0), read_settings())
    assert not found.ok and f"does not name peer {peer.peer_id} as a holder of {REPO}" in found.detail, found
    assert found.hint.endswith(f"hook publish {REPO}")
    announce(there, layout.repo_folder(REPO))  # what that command does beside publishing
    found = check_round_trip(Node(node.api, 5.0), read_settings())
    assert found.ok and "the swarm names it as a holder" in found.detail, found
    assert f"{REPO}/config.json ({len(CONFIG)} bytes) came from peer" in found.detail
