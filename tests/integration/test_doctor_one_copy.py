"""doctor: whether the node takes files of the store by reference, or keeps copies of its own."""

import json

import pytest

from ipfs_accelerate_py.doctor.one_copy import check_one_copy
from ipfs_accelerate_py.ipfs.node import Node

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def node(node_class, tmp_path, monkeypatch):
    made = node_class(tmp_path / "home" / ".ipfs").start()
    monkeypatch.setenv("IPFS_PATH", str(made.repo_path))
    yield made
    made.stop()


def blocks(node):
    found = node.rpc("refs/local")
    return {row["Ref"] for row in (found if isinstance(found, list) else [found])}


def ask(node, home):
    return check_one_copy(Node(node.api, 5.0), home)


def test_by_reference_and_nothing_is_left(node, tmp_path):
    left = []
    for _ in range(2):
        found = ask(node, tmp_path / "home" / "store")
        assert found.ok and "by reference" in found.detail and not found.hint
        left.append(blocks(node))
    assert left[0] == left[1] and node.rpc("filestore/ls") == []
    assert not (tmp_path / "home" / "store").exists()


def test_a_store_that_is_not_below_the_right_folder(node, tmp_path):
    found = ask(node, tmp_path / "elsewhere")
    assert found.ok and "second copy" in found.detail and str(tmp_path / "home") in found.hint


def test_without_the_filestore_and_what_the_hint_does(node, tmp_path):
    home, config = tmp_path / "home" / "store", node.repo_path / "config"

    def restart(filestore):
        """As the fixture starts it, but for this one setting."""
        words = node.command()
        table = json.loads(config.read_text())
        table["Experimental"]["FilestoreEnabled"] = filestore
        node.stop()
        config.write_text(json.dumps(table))
        node.command = lambda: words
        node.start()

    restart(False)
    found = ask(node, home)
    assert found.ok and "second copy" in found.detail and "FilestoreEnabled true" in found.hint
    restart(True)
    assert "by reference" in ask(node, home).detail
