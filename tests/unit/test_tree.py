"""Listings: written, read, and refused."""

import contextlib
import json
from types import SimpleNamespace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ipfs_accelerate_py.errors import UnsafeName
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.store import Store, read_tree
from ipfs_accelerate_py.store.tree import (
    LISTED_WHOLE,
    EmptyListing,
    Entry,
    Tree,
    _folded,
    make_entry,
    tree_from_hub,
    tree_from_json,
)

COMMIT = "0123456789abcdef0123456789abcdef01234567"
BLOB = "b" * 40
SHA256 = "c" * 64
FILES = {
    "config.json": Entry(519, BLOB),
    "sub folder/模型.bin": Entry(0, "d" * 40),
    "model.safetensors": Entry(1 << 40, "e" * 40, SHA256),
}
TREE = Tree(COMMIT, FILES, {"tags": ["a", "b"], "pipeline_tag": "fill-mask", "library_name": "transformers"})


def listing(files=None, **other):
    rows = {"config.json": {"size": 1, "blob_id": BLOB}} if files is None else files
    return json.dumps({"format_version": 1, "files": rows, **other}).encode()


def test_round_trip():
    assert tree_from_json(COMMIT, TREE.to_json()) == TREE


def test_an_etag_is_the_sha256_where_there_is_one():
    assert FILES["config.json"].etag == BLOB
    assert FILES["model.safetensors"].etag == SHA256


def test_huggingface_hub_reads_ours(tmp_path):
    client = pytest.importorskip("huggingface_hub._tree_cache", reason="huggingface_hub before 2 keeps no listings")
    store = Store(tmp_path)
    store.write_tree("org/name", TREE)
    read = client.read_tree_cache(str(tmp_path / layout.repo_folder("org/name")), COMMIT)
    assert {path: (row.size, row.blob_id, row.lfs_sha256) for path, row in read.items()} == {
        path: (entry.size, entry.blob_id, entry.sha256) for path, entry in FILES.items()
    }
    assert read["model.safetensors"].lfs_size == 1 << 40


def test_we_read_huggingface_hubs(tmp_path):
    client = pytest.importorskip("huggingface_hub._tree_cache", reason="huggingface_hub before 2 keeps no listings")
    rows = {
        "config.json": client.TreeCacheEntry(519, BLOB),
        "model.safetensors": client.TreeCacheEntry(134, "e" * 40, SHA256, 1 << 40, "f" * 64),
    }
    client.write_tree_cache(str(tmp_path / layout.repo_folder("org/name")), COMMIT, rows)
    read = read_tree(tmp_path, "org/name", COMMIT)
    assert read.files == {"config.json": FILES["config.json"], "model.safetensors": FILES["model.safetensors"]}
    assert read.complete


def sibling(name, size=1, blob_id=BLOB, lfs=None):
    return SimpleNamespace(rfilename=name, size=size, blob_id=blob_id, lfs=lfs)


def test_the_hubs_answer():
    siblings = [
        sibling("config.json", 519),
        sibling("model.safetensors", 1 << 40, "e" * 40, SimpleNamespace(sha256=SHA256)),
        sibling("old.bin", 7, "e" * 40, {"sha256": SHA256}),
    ]
    tree = tree_from_hub(COMMIT, siblings, {"tags": ["x"], "pipeline_tag": None, "private": False})
    assert tree.files == {
        "config.json": Entry(519, BLOB),
        "model.safetensors": Entry(1 << 40, "e" * 40, SHA256),
        "old.bin": Entry(7, "e" * 40, SHA256),
    }
    assert tree.info == {"tags": ["x"]}
    assert tree.complete


@pytest.mark.parametrize(("count", "complete"), [(LISTED_WHOLE, True), (LISTED_WHOLE + 1, False)])
def test_a_very_long_listing_is_not_taken_for_the_whole(count, complete):
    tree = tree_from_hub(COMMIT, [sibling(f"{number}.bin") for number in range(count)], {})
    assert len(tree.files) == count and tree.complete is complete
    assert tree_from_json(COMMIT, tree.to_json()).complete is complete  # nor when it is read again


UNUSABLE = [
    sibling("../evil"),
    sibling("/etc/passwd"),
    sibling("a\\b"),
    sibling("a\0b"),
    sibling("bad-size", -1),
    sibling("bad-blob", 1, "../../x"),
    sibling("bad-lfs", 1, BLOB, {"sha256": "../../x"}),
    sibling(None),
]


@pytest.mark.parametrize("bad", UNUSABLE, ids=lambda bad: ascii(bad.rfilename))
def test_a_hostile_name_in_the_hubs_listing_is_left_out_and_the_rest_loads(bad, caplog):
    tree = tree_from_hub(COMMIT, [sibling("config.json"), bad, sibling("vocab.txt")], {})
    assert set(tree.files) == {"config.json", "vocab.txt"}
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize("lacks", [{"size": None}, {"blob_id": None}, {"size": None, "blob_id": None, "lfs": None}])
@pytest.mark.parametrize("others", [0, 2])
def test_a_listing_that_lacks_sizes_or_hashes_is_not_complete_and_not_kept(lacks, others, caplog):
    good = [sibling(f"{number}.txt") for number in range(others)]
    bad = SimpleNamespace(**{**vars(sibling("weights.bin", 1, BLOB, {"sha256": SHA256})), **lacks})
    tree = tree_from_hub(COMMIT, [*good, bad], {})
    assert set(tree.files) == {row.rfilename for row in good}
    assert not tree.complete and not tree.is_listing and not caplog.records


def test_an_empty_listing_says_nothing():
    assert not tree_from_hub(COMMIT, [], {}).complete
    with pytest.raises(EmptyListing):
        tree_from_json(COMMIT, listing({}))


def test_a_commit_of_the_hub_that_is_none():
    for commit in ("main", None, "../" + COMMIT[3:], COMMIT.upper()):
        with pytest.raises(ValueError):
            tree_from_hub(commit, [], {})


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/passwd", "a\\b", "a\0b", "", "a/../b", "\ud800", "con", "a//b"], ids=ascii
)
def test_one_hostile_name_refuses_a_publishers_listing_whole(name):
    good = {"size": 1, "blob_id": BLOB}
    with pytest.raises(UnsafeName):
        tree_from_json(COMMIT, listing({"config.json": good, name: good}))


def test_a_name_that_is_a_file_and_a_folder(caplog):
    row = {"size": 1, "blob_id": BLOB}
    with pytest.raises(ValueError):
        tree_from_json(COMMIT, listing({"a": row, "a/b": row}))
    assert set(tree_from_hub(COMMIT, [sibling("a"), sibling("a/b"), sibling("c")], {}).files) == {"a/b", "c"}


GARBAGE = [
    b"",
    b"null",
    b"[]",
    b"3",
    b'"x"',
    b"{",
    b"\xff\xfe\x00",
    b"not json",
    b"{}",
    b'{"format_version": 1}',
    b'{"format_version": 2, "files": {}}',
    b'{"format_version": "1", "files": {}}',
    b'{"format_version": 1, "files": []}',
    b'{"format_version": 1, "files": null}',
    b"[" * 200_000,
    b'{"format_version": 1, "files": ' + b'{"a":' * 200_000,
    listing({"a": None}),
    listing({"a": []}),
    listing({"a": "x"}),
    listing({"a": {}}),
    listing({"a": {"size": 1}}),
    listing({"a": {"blob_id": BLOB}}),
    listing({"a": {"size": "1", "blob_id": BLOB}}),
    listing({"a": {"size": 1.0, "blob_id": BLOB}}),
    listing({"a": {"size": True, "blob_id": BLOB}}),
    listing({"a": {"size": -1, "blob_id": BLOB}}),
    listing({"a": {"size": 1 << 60, "blob_id": BLOB}}),
    b'{"format_version": 1, "files": {"a": {"size": 1' + b"0" * 10_000 + b', "blob_id": "' + b"b" * 40 + b'"}}}',
    b'{"format_version": 1, "files": {"a": {"size": Infinity, "blob_id": "' + b"b" * 40 + b'"}}}',
    listing({"a": {"size": 1, "blob_id": BLOB.upper()}}),
    listing({"a": {"size": 1, "blob_id": BLOB + "0"}}),
    listing({"a": {"size": 1, "blob_id": None}}),
    listing({"a": {"size": 1, "blob_id": [BLOB]}}),
    listing({"a": {"size": 1, "blob_id": BLOB, "lfs_sha256": "x"}}),
    listing({"a": {"size": 1, "blob_id": BLOB, "lfs_sha256": 5}}),
    listing({"a": {"size": 1, "blob_id": BLOB, "lfs_sha256": SHA256, "lfs_size": None}}),
]


@pytest.mark.parametrize("raw", GARBAGE, ids=lambda raw: ascii(raw[:60].decode("latin-1")))
def test_garbage_is_a_value_error(raw, tmp_path):
    with pytest.raises(ValueError):
        tree_from_json(COMMIT, raw)
    kept = tmp_path / layout.tree_path("org/name", COMMIT)
    kept.parent.mkdir(parents=True)
    kept.write_bytes(raw)
    assert read_tree(tmp_path, "org/name", COMMIT) is None


def test_a_listing_that_is_too_large_is_not_even_parsed():
    with pytest.raises(ValueError, match="too large"):
        tree_from_json(COMMIT, b" " * ((64 << 20) + 1))


@pytest.mark.parametrize("info", [None, [], "x", {"tags": "x"}, {"tags": [1, None]}, {"pipeline_tag": 3}, {"x": "y"}])
def test_words_about_the_repo_of_a_wrong_kind_are_dropped(info):
    tree = tree_from_json(COMMIT, listing(info=info))
    assert set(tree.files) == {"config.json"}
    assert all(isinstance(tag, str) for tag in tree.info.get("tags", []))
    assert set(tree.info) <= {"tags"}


def test_make_entry():
    assert make_entry(0, BLOB) == Entry(0, BLOB, None)
    assert make_entry(5, BLOB, SHA256).etag == SHA256


hexes = st.text("0123456789abcdef", min_size=40, max_size=40)
shas = st.text("0123456789abcdef", min_size=64, max_size=64)
names = st.text(min_size=1, max_size=20) | st.sampled_from(["../a", "a/b", "/a", "a\\b", "con", "a/..", "a.", "\0"])
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80) | hexes | shas
anything = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=20
)
rows = st.fixed_dictionaries(
    {"size": st.integers(-1, 1 << 51) | anything, "blob_id": hexes | anything},
    optional={"lfs_sha256": shas | anything, "lfs_size": st.integers(-1, 1 << 51) | anything},
)
listings = st.fixed_dictionaries(
    {"format_version": st.just(1) | anything, "files": st.dictionaries(names, rows | anything, max_size=4) | anything},
    optional={"info": anything},
)


@settings(max_examples=200, deadline=None)
@given(listings | anything)
def test_whatever_comes_is_a_safe_tree_or_a_value_error(data):
    try:
        tree = tree_from_json(COMMIT, json.dumps(data).encode())
    except ValueError:
        return
    for path, entry in tree.files.items():
        assert not path.startswith("/") and ".." not in path.split("/") and "\\" not in path and "\0" not in path
        assert layout.check_path(path) == path
        assert layout.blob_path("org/name", entry.etag)
        assert entry.size >= 0
    assert tree_from_json(COMMIT, tree.to_json()) == tree


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_tree_or_a_value_error(raw):
    with contextlib.suppress(ValueError):
        assert tree_from_json(COMMIT, raw).commit == COMMIT


good_rows = st.builds(Entry, st.integers(0, (1 << 50) - 1), hexes, st.none() | shas)
good_names = st.text(
    st.characters(min_codepoint=32, exclude_characters="/\\:.\x7f ", exclude_categories=["Cs", "Cc"]),
    min_size=1,
    max_size=10,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(good_names.map(lambda name: f"x{name}x"), good_rows, min_size=1, max_size=5))
def test_any_good_tree_comes_back(files):
    assume(len({_folded(name) for name in files}) == len(files))  # else two names mean one file
    tree = Tree(COMMIT, files)
    assert tree_from_json(COMMIT, tree.to_json()) == tree
