"""A large listing that is looked into line by line says what it says when it is parsed whole."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accelerate_py.store import layout, lines
from ipfs_accelerate_py.store.lines import LazyRows, tree_from_lines
from ipfs_accelerate_py.store.rows import Rows
from ipfs_accelerate_py.store.store import Store, read_tree
from ipfs_accelerate_py.store.tree import Tree, tree_from_json

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPO = "dataset:org/name"


def tree_of(names, info=None):
    rows = {}
    for number, name in enumerate(names):
        sha256 = f"{number:064x}" if number % 2 else None
        rows[name] = (number, f"{number:040x}", sha256)
    return Tree(COMMIT, Rows(rows), info or {})


NAMES = st.lists(st.text("aB-_./09", min_size=1, max_size=12), min_size=1, max_size=40, unique=True)


@given(NAMES, st.text("aB-_./09", max_size=12))
def test_each_file_is_found_and_no_other(names, other):
    tree = tree_of(names)
    lazy = LazyRows(COMMIT, tree.to_json())
    assert len(lazy) == len(names)
    assert {name: lazy[name] for name in names} == dict(tree.files)
    assert (other in lazy) == (other in names)
    if other not in names:
        with pytest.raises(KeyError):
            lazy[other]


@pytest.mark.parametrize("name", ["é.txt", "模型", "\U0001f600", 'a"b', "a}b", '}, "info": ', "\\n", "z" * 200])
def test_names_that_are_quoted(name):
    tree = tree_of(["a", name, "b/c", "zz", "\uffff"])
    lazy = LazyRows(COMMIT, tree.to_json())
    assert lazy[name] == tree.files[name] and lazy["\uffff"] == tree.files["\uffff"] and "y" not in lazy


def test_parsed_whole_it_is_the_same():
    tree = tree_of([f"data/{number:04}.bin" for number in range(500)], {"tags": ["x"], "pipeline_tag": "fill-mask"})
    found = tree_from_lines(COMMIT, tree.to_json())
    assert found == tree == tree_from_json(COMMIT, tree.to_json())
    assert list(found.files) == sorted(tree.files) and found.files["data/0007.bin"] == tree.files["data/0007.bin"]
    assert "data/9999.bin" not in found.files
    assert found.to_json() == tree_from_json(COMMIT, tree.to_json()).to_json()
    assert found.info == tree.info and found.complete


@pytest.fixture
def large():
    return tree_of([f"data/{number:05}.bin" for number in range(2000)])


def test_what_the_store_wrote_it_knows_again(tmp_path, large):
    store = Store(tmp_path)
    store.write_tree(REPO, large)
    found = Store(tmp_path).read_tree(REPO, COMMIT)
    assert isinstance(found.files, LazyRows) and found == large
    assert not isinstance(read_tree(tmp_path, REPO, COMMIT).files, LazyRows)  # of a cache that is not ours


@pytest.mark.parametrize("damage", [b'"size": x', b'"size": 7'])
def test_what_has_changed_since_is_parsed_and_checked(tmp_path, large, damage):
    store = Store(tmp_path)
    store.write_tree(REPO, large)
    path = tmp_path / layout.tree_path(REPO, COMMIT)
    status = path.stat()
    path.write_bytes(path.read_bytes().replace(b'"size": 4,', damage + b",", 1))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    found = store.read_tree(REPO, COMMIT)
    if damage.endswith(b"x"):
        assert found is None
    else:
        assert not isinstance(found.files, LazyRows) and found.files["data/00004.bin"].size == 7


def test_a_small_one_is_parsed_at_once(tmp_path):
    Store(tmp_path).write_tree(REPO, tree_of(["a", "b"]))
    assert not isinstance(Store(tmp_path).read_tree(REPO, COMMIT).files, LazyRows)
    assert lines.name_of(b"{}") is None and not list((Store(tmp_path).own_folder / "verified").glob("*"))
