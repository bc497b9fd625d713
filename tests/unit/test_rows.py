"""Rows that are checked all at once are those that would pass one by one, and give the same entries."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accelerate_py.errors import UnsafeName
from ipfs_accelerate_py.hf_cache.layout import listing
from ipfs_accelerate_py.store.layout import check_path
from ipfs_accelerate_py.store.rows import Columns, Rows, check_rows
from ipfs_accelerate_py.store.tree import Entry, _without_collisions, make_entry, tree_from_hub, tree_from_json

from .stored import COMMIT

BLOB, SHA256 = "b" * 40, "c" * 64
PARTS = ["a", "A", "b.txt", "config.json", "con", "CON", "con.txt", "com1", "icon.png", "lpt9.x", "nul", ".", "..", ""]
PARTS += [
    ".git",
    "a.",
    "a b",
    "é",
    "e\u0301",
    "ß",
    "\u212a",
    "\n",
    "a\n",
    "\x00",
    "\\",
    "c:",
    "x" * 255,
    "x" * 256,
    "-",
]
NAMES = st.lists(st.sampled_from(PARTS), min_size=1, max_size=4).map("/".join) | st.text(max_size=6)
SIZES = st.sampled_from([0, 1, (1 << 50) - 1, 1 << 50, -1, True, 1.0, "1", None])
BLOBS = st.sampled_from([BLOB, BLOB, "B" * 40, "b" * 39, "b" * 41, "é" * 40, "g" * 40, None, 7, SHA256])
SHA256S = st.sampled_from([None, None, SHA256, "C" * 64, "c" * 63, BLOB, 7, "", b"c" * 64])


def check_each(paths, sizes, blob_ids, sha256s):
    """The same, one by one; None where anything is refused."""
    files = {}
    try:
        for path, *row in zip(paths, sizes, blob_ids, sha256s, strict=True):
            files[check_path(path)] = make_entry(*row)
    except (UnsafeName, ValueError):
        return None
    return files if len(_without_collisions(files)) == len(paths) else None


@settings(max_examples=600, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=4))
def test_names(paths):
    columns = paths, [1] * len(paths), [BLOB] * len(paths), [None] * len(paths)
    rows = check_rows(*columns)
    assert rows is None or rows == check_each(*columns)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(SIZES, BLOBS, SHA256S), min_size=1, max_size=3))
def test_sizes_and_hashes(words):
    paths = [f"{number}.bin" for number in range(len(words))]
    columns = paths, *map(list, zip(*words, strict=True))
    rows, right = check_rows(*columns), check_each(*columns)
    assert (rows is None) == (right is None)
    assert rows == right


@pytest.mark.parametrize("part", PARTS)
def test_each_part_at_each_place(part):
    for path in (part, f"{part}/a", f"a/{part}", f"a/{part}/b"):
        columns = [path, "other.bin"], [1, 2], [BLOB] * 2, [None, SHA256]
        rows = check_rows(*columns)
        assert rows is None or rows == check_each(*columns), path


@pytest.mark.parametrize(
    "paths", [["a", "a/b"], ["A/c", "a"], ["a/b/c", "a"], ["a", "A"], ["a", "a"], ["x/a/b", "X/A"]]
)
def test_names_that_mean_one_file(paths):
    assert check_rows(paths, [1] * len(paths), [BLOB] * len(paths), [None] * len(paths)) is None


def test_ordinary_names_need_no_second_look():
    paths = ["config.json", "onnx/model.onnx", "data/2024-01/x_1.bin", ".gitattributes", "icon.png", "x" * 255]
    rows = check_rows(paths, [1] * 6, [BLOB] * 6, [None, SHA256] * 3)
    assert rows is not None and list(rows) == paths and len(rows) == 6
    assert rows["onnx/model.onnx"] == Entry(1, BLOB, SHA256) and rows.get("none") is None
    assert "config.json" in rows and "none" not in rows
    assert {**rows} == rows and rows == dict(rows.items()) and dict(rows.items()) == rows
    with pytest.raises(KeyError):
        rows["none"]


def test_it_is_kept_as_any_other():
    rows = [{"rfilename": name, "size": 2, "blobId": BLOB, "lfs": None} for name in ("b.txt", "a/c.json")]
    rows.append({"rfilename": "w.bin", "size": 2, "blobId": BLOB, "lfs": {"sha256": SHA256}})
    tree = tree_from_hub(COMMIT, Columns(rows), {"tags": ["x"]})
    other = tree_from_hub(COMMIT, list(Columns(rows)), {"tags": ["x"]})
    assert isinstance(tree.files, Rows) and isinstance(other.files, dict) and tree == other
    assert tree.to_json() == other.to_json() and tree_from_json(COMMIT, tree.to_json()) == tree
    table = json.loads(tree.to_json())
    del table["info"]
    assert listing(tree) == listing(other) == json.dumps(table, indent=1).encode()


@pytest.mark.parametrize("lfs", [{}, {"sha256": None}, {"oid": SHA256}, SHA256, [SHA256]])
def test_words_on_lfs_that_are_none_are_as_one_by_one(lfs):
    rows = [{"rfilename": "w.bin", "size": 2, "blobId": BLOB, "lfs": lfs}]

    def ask(siblings):
        try:
            return tree_from_hub(COMMIT, siblings, {}).files
        except (KeyError, TypeError) as error:
            return repr(error)

    assert ask(Columns(rows)) == ask(list(Columns(rows)))
