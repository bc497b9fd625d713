"""What peers offer beside blocks: their own gateways for large files; and a peer that Kubo has overlooked."""

import os
import time

import pytest

from ipfs_accelerate_py.ipfs import swarm
from ipfs_accelerate_py.ipfs.node import Node
from ipfs_accelerate_py.publish import publisher
from ipfs_accelerate_py.stats import stats
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.resolution import Authority, Resolution
from ipfs_accelerate_py.store.store import Store
from ipfs_accelerate_py.store.tree import Tree
from tests.contract.conftest import COMMIT, REPO, entry_of, fill
from tests.support.fault_server import FaultProxy

LARGE = os.urandom(6 << 20)
FILES = {"config.json": b"{}", "model.safetensors": LARGE}


@pytest.fixture
def told(nodes, tmp_path, here):
    """A peer publishes REPO and tells of a gateway; gives the proxy that stands before it, and the resolution."""
    theirs, ours = nodes(2)
    store = Store(tmp_path / "theirs")
    fill(store, FILES)
    tree = Tree(COMMIT, {path: entry_of(path, content) for path, content in FILES.items()})
    node = Node(theirs.api, 10.0)
    with FaultProxy(theirs.gateway) as proxy:
        if node.stat(publisher.MFS_ROOT) is None:
            node.make_folder(publisher.MFS_ROOT)
        node.write(f"{publisher.MFS_ROOT}/gateways", f"not a URL\n{proxy.url}\n".encode())
        publisher.publish(store, node, REPO, tree, ["main"])
        here.change(node=ours.api, publishers=(theirs.peer_id,), timeout=10.0)  # nobody is raced
        yield proxy, Resolution(REPO, "main", tree, Authority.HUB, True)


def test_a_file_that_is_not_all_urls_is_not_used(told, here):
    proxy, resolution = told
    here.make_present(resolution, "model.safetensors")
    assert proxy.log == [] and stats().served == {"node": [1, len(LARGE)]}


@pytest.fixture
def good(told, nodes):
    proxy, resolution = told
    theirs, ours = (Node(each.api, 10.0) for each in nodes(2))
    theirs.write(f"{publisher.MFS_ROOT}/gateways", f"{proxy.url}\n".encode())
    root = f"/ipfs/{theirs.stat(publisher.MFS_ROOT)['Hash']}"
    theirs.publish(root.removeprefix("/ipfs/"))
    deadline = time.monotonic() + 30
    while ours.resolve(theirs.peer_id()) != root:  # an older record may be shown for a while
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return proxy, resolution


def test_a_large_file_comes_by_it_and_a_small_one_does_not(good, here):
    proxy, resolution = good
    here.make_present(resolution)
    assert here.visible() == FILES
    row = proxy.log[-1]  # Kubo first sends us from the peer id to the other form of the name
    assert row["path"].endswith(layout.snapshot_path(REPO, COMMIT, "model.safetensors"))
    assert stats().served == {"node": [1, 2], "gateway": [1, len(LARGE)]}


@pytest.mark.parametrize("fault", ["one byte flipped", "404", "cuts", "refuses"])
def test_one_that_is_of_no_use_is_passed_by(good, here, fault):
    proxy, resolution = good
    proxy.set_fault(fault)
    here.make_present(resolution, "model.safetensors")
    assert here.visible()["model.safetensors"] == LARGE
    assert set(stats().served) == {"node"} and (proxy.log or fault == "refuses")
    assert bool(stats().liars) == (fault == "one byte flipped")


@pytest.mark.parametrize("holders", [[], ["self"]], ids=["nobody", "ourselves"])
def test_where_no_holder_is_heard_of_the_connected_peers_are_tried(told, nodes, here, monkeypatch, holders):
    """A node that has just joined hears of none, and has soon told of itself; it may have a part of the files only."""
    _, resolution = told
    ours = nodes(2)[1].peer_id
    here.change(publishers=())
    monkeypatch.setattr(swarm, "holders", lambda *_: [ours for _ in holders])
    here.make_present(resolution, "config.json")
    assert set(stats().served) == {"node"}


def test_a_peer_that_kubo_met_while_it_started_is_heard(node_class, tmp_path, here):
    """Such a peer it never asks for blocks, though they are connected: the connection is made anew."""
    with node_class(tmp_path / "theirs" / ".ipfs") as theirs:
        store = Store(tmp_path / "store")
        fill(store, FILES)
        tree = Tree(COMMIT, {path: entry_of(path, content) for path, content in FILES.items()})
        publisher.publish(store, Node(theirs.api, 10.0), REPO, tree, ["main"])
        address = f"/ip4/127.0.0.1/tcp/{theirs.swarm_port}/p2p/{theirs.peer_id}"

        class Ours(node_class):
            def command(self):
                import json

                words = super().command()
                path = self.repo_path / "config"
                config = json.loads(path.read_text())
                config["Bootstrap"] = [address]
                path.write_text(json.dumps(config))
                return words

        with Ours(tmp_path / "ours" / ".ipfs") as ours:
            here.change(node=ours.api, publishers=(theirs.peer_id,))
            here.make_present(Resolution(REPO, "main", tree, Authority.HUB, True))
    assert here.visible() == FILES
