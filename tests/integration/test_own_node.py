"""What the node of this machine has itself: published by another store, or named by a lock file. Without the swarm."""

import os
from collections import Counter
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from ipfs_accelerate_py.ipfs.node import Node
from ipfs_accelerate_py.publish import publisher
from ipfs_accelerate_py.stats import stats
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.store import Store
from tests.support.fault_server import FaultProxy

REPO = "acme/model"
WEIGHTS = os.urandom(5 << 20)
FILES = {"config.json": b'{"a": 1}', "sub/vocab.txt": b"one\ntwo\n", "model.safetensors": WEIGHTS}
ALL = [len(FILES), sum(map(len, FILES.values()))]
NOTHING = "bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"  # no file of this test has it


@pytest.fixture
def hub(serve_repos):
    return serve_repos({REPO: FILES}, lfs_threshold=1 << 20)


@pytest.fixture
def node(nodes, here):
    """The node of this machine, with nothing of ours in its tree."""
    [running] = nodes(1)
    here.change(node=running.api, timeout=10.0)  # nobody is asked beside
    found = Node(running.api, 10.0)
    if found.stat(publisher.MFS_ROOT) is not None:
        found.remove(publisher.MFS_ROOT)
    return found


@pytest.fixture
def known(hub, node, here):
    """What the Hub says; nothing is present yet."""
    return here.resolve(REPO)


@pytest.fixture
def published(known, node, here, tmp_path):
    """Another store of this machine has loaded the model and published it by the same node."""
    home = here.settings.home
    here.change(home=tmp_path / "other store")
    here.make_present(known)
    publisher.publish(Store(here.settings.home), node, REPO, known.tree, ["main"])
    here.change(home=home)
    stats().served.clear()
    return known


@pytest.fixture
def questions(node, here):
    """What the node is asked from now on: (command, options) of each request."""
    with FaultProxy(f"http://127.0.0.1:{node.address.rpartition('/')[2]}") as proxy:
        here.change(node=f"/ip4/127.0.0.1/tcp/{proxy.port}")
        yield lambda: [(urlsplit(row["path"]).path[8:], parse_qs(urlsplit(row["path"]).query)) for row in proxy.log]


def test_what_another_store_published_by_the_same_node(published, here):
    here.point_at(None)
    here.make_present(published)
    assert here.visible() == FILES and stats().served == {"node": ALL}


def test_what_a_lock_file_names(known, node, here, tmp_path):
    cids = {}
    for path, content in FILES.items():
        (tmp_path / "added").write_bytes(content)
        cids[path] = node.add(tmp_path / "added")
    here.point_at(None)
    here.make_present(replace(known, cids=cids))
    assert here.visible() == FILES and stats().served == {"node": ALL}


def test_where_it_has_nothing_it_is_asked_little(known, questions, here):
    here.change(timeout=1.0)
    here.make_present(replace(known, cids=dict.fromkeys(FILES, NOTHING)))
    assert here.visible() == FILES and stats().served == {"hub": ALL}
    asked = Counter(command for command, _ in questions())
    assert asked["files/stat"] == 1 and asked["cat"] <= len(FILES)


def test_the_swarm_is_not_searched_for_it(known, questions, here):
    here.make_present(replace(known, cids=dict.fromkeys(FILES, NOTHING)))
    reads = [options for command, options in questions() if command in ("cat", "files/stat")]
    assert len(reads) == 1 + len(FILES) and all(options["offline"] == ["true"] for options in reads)


def test_a_closed_repo_is_not_looked_up_in_it(published, questions, here):
    here.make_present(replace(published, public=False))
    assert here.visible() == FILES and stats().served == {"hub": ALL} and questions() == []


def test_wrong_bytes_in_its_tree(published, node, here, tmp_path):
    path = f"{publisher.MFS_ROOT}/{layout.snapshot_path(REPO, published.commit, 'config.json')}"
    (tmp_path / "lie").write_bytes(b'{"a": 2}')
    node.place(tmp_path / "lie", path)
    here.make_present(published, "config.json")
    assert here.visible() == {"config.json": FILES["config.json"]} and set(stats().served) == {"hub"}
    assert "the node itself" in stats().liars


def test_a_tree_whose_blocks_are_lost(published, node, questions, here):
    path = f"{publisher.MFS_ROOT}/{layout.snapshot_path(REPO, published.commit, 'sub/vocab.txt')}"
    node.remove_block(node.stat(path)["Hash"])
    here.make_present(published)
    assert here.visible() == FILES and stats().served["hub"][0] >= 1
    assert all(options["offline"] == ["true"] for command, options in questions() if command == "cat")
