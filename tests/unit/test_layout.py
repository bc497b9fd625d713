"""Nothing hostile becomes a path."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accelerate_py.errors import UnsafeName
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.store import Store, read_ref, read_tree
from ipfs_accelerate_py.store.tree import Entry

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SHA256 = "ab" * 32

HOSTILE_NAMES = [
    "",
    "/",
    "/etc/passwd",
    "//etc/passwd",
    ".",
    "..",
    "../config.json",
    "a/../b",
    "a/../../b",
    "a/..",
    "./config.json",
    "a/./b",
    "a/.",
    "a//b",
    "a/",
    "config.json/",
    "\\",
    "..\\config.json",
    "a\\b",
    "\\\\server\\share",
    "C:",
    "C:\\Windows",
    "c:/windows/system32",
    "config.json:stream",
    "a\0b",
    "\0",
    "config.json\0.txt",
    "a\nb",
    "a\rb",
    "a\tb",
    "\x1b[2J",
    "a\x7f",
    "con",
    "CON",
    "nul",
    "NUL.txt",
    "aux.tar.gz",
    "prn",
    "com1",
    "LPT9.json",
    "folder/con/config.json",
    "a.",
    "a ",
    "folder./b",
    "folder /b",
    "...",
    " ",
    "a" * 256,
    "é" * 128,
    "folder/" + "a" * 256,
    "/".join(["a" * 200] * 6),
    "\ud800",
    "a\udcffb",
    "\udfff/config.json",
]
GOOD_NAMES = [
    "config.json",
    "a",
    ".gitattributes",
    "onnx/model.onnx",
    "model-00001-of-00002.safetensors",
    "name with spaces.txt",
    "имя/файл.json",
    "模型.bin",
    "e\u0301.txt",
    "..a/b..c",
    "a" * 255,
    "console.txt",
    "com10",
    "a/b/c/d/e/f",
    "~/x",
    "$HOME",
    "*?<>|",
    "-rf",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=ascii)
def test_hostile_file_names_are_refused_everywhere(name):
    for make_path in (
        lambda: layout.check_path(name),
        lambda: layout.snapshot_path("org/name", COMMIT, name),
        lambda: layout.missing_path("org/name", COMMIT, name),
        lambda: layout.ref_path("org/name", name),
    ):
        with pytest.raises(UnsafeName):
            make_path()


@pytest.mark.parametrize("name", [None, 1, b"config.json", ["config.json"], True])
def test_what_is_no_text_is_no_name(name):
    with pytest.raises(UnsafeName):
        layout.check_path(name)


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_good_file_names_stay_as_they_are(name):
    assert layout.check_path(name) == name
    folder = f"models--org--name/snapshots/{COMMIT}"
    assert layout.snapshot_path("org/name", COMMIT, name) == f"{folder}/{name}"
    assert os.path.normpath(f"/store/{folder}/{name}").startswith(f"/store/{folder}/")


@pytest.mark.parametrize(
    "repo_id",
    [
        "", "/", "a/", "/a", "a/b/c", "..", "../a", "a/..", ".", "./a", "a/.", ".a", "org/.name", "a--b", "org/a--b",
        "a..b", "a.git", "org/name.git", "a\\b", "a:b", "a b", " a", "a\n", "org/name\n", "a\0", "é", "org/名", "-a",
        "org/-a", "a-", "org/name.", "a" * 97, "http://host/x", "models--org--name", "a@b", "~", "\ud800", "a%2fb",
    ],
    ids=ascii,
)  # fmt: skip
def test_hostile_repo_ids(repo_id):
    assert not layout.is_repo_id(repo_id)
    for make_path in (
        lambda: layout.repo_folder(repo_id),
        lambda: layout.ref_path(repo_id, "main"),
        lambda: layout.tree_path(repo_id, COMMIT),
        lambda: layout.snapshot_path(repo_id, COMMIT),
        lambda: layout.blob_path(repo_id, SHA256),
        lambda: layout.missing_path(repo_id, COMMIT, "a"),
    ):
        with pytest.raises(UnsafeName):
            make_path()


@pytest.mark.parametrize("repo_id", [None, 3, b"org/name", ("org", "name")])
def test_what_is_no_text_is_no_repo_id(repo_id):
    assert not layout.is_repo_id(repo_id)


@pytest.mark.parametrize(
    ("repo_id", "folder"),
    [
        ("gpt2", "models--gpt2"),
        ("org/name", "models--org--name"),
        ("sentence-transformers/all-MiniLM-L6-v2", "models--sentence-transformers--all-MiniLM-L6-v2"),
        ("a_b/c.d-e_f", "models--a_b--c.d-e_f"),
        ("0/1", "models--0--1"),
        ("_x/_y", "models--_x--_y"),
    ],
)
def test_good_repo_ids(repo_id, folder):
    assert layout.is_repo_id(repo_id)
    assert layout.repo_folder(repo_id) == folder


@pytest.mark.parametrize(
    "commit",
    ["", "main", COMMIT[:-1], COMMIT + "0", COMMIT.upper(), COMMIT + "\n", " " + COMMIT, "../" + COMMIT[3:],
     "g" * 40, "\uff10" * 40, SHA256, None, 40 * [0], int("1" * 40), COMMIT.encode()],
    ids=ascii,
)  # fmt: skip
def test_a_commit_is_40_hex_digits_or_nothing(commit):
    assert not layout.is_commit(commit)
    for make_path in (
        lambda: layout.tree_path("org/name", commit),
        lambda: layout.snapshot_path("org/name", commit),
        lambda: layout.missing_path("org/name", commit, "a"),
    ):
        with pytest.raises(UnsafeName):
            make_path()


@pytest.mark.parametrize(
    "etag",
    ["", '"' + SHA256 + '"', "W/" + SHA256, SHA256.upper(), SHA256[:-1], SHA256 + "0", COMMIT + "/x", "../" + SHA256,
     COMMIT[:-1], SHA256 + "\n", "x" * 64, None, 5],
    ids=ascii,
)  # fmt: skip
def test_an_etag_is_a_hash_or_nothing(etag):
    with pytest.raises(UnsafeName):
        layout.blob_path("org/name", etag)


def test_good_etags():
    assert layout.blob_path("org/name", COMMIT) == f"models--org--name/blobs/{COMMIT}"
    assert layout.blob_path("org/name", SHA256) == f"models--org--name/blobs/{SHA256}"


@pytest.mark.parametrize("revision", ["main", "v1.0", "refs/pr/1", "feature/x", COMMIT])
def test_good_revisions(revision):
    assert layout.ref_path("org/name", revision) == f"models--org--name/refs/{revision}"


def test_a_store_writes_nothing_for_hostile_words(tmp_path):
    store = Store(tmp_path / "store")
    for call in (
        lambda: store.write_ref("org/name", "../../../x", COMMIT),
        lambda: store.write_ref("../name", "main", COMMIT),
        lambda: store.write_ref("org/name", "main", "../../x"),
        lambda: store.link("org/name", COMMIT, "../../x", Entry(0, COMMIT)),
        lambda: store.mark_missing("org/name", COMMIT, "../x"),
        lambda: store.receive("org/name", Entry(0, "../../x")).__enter__(),
        lambda: store.find("org/name", COMMIT, "../x"),
    ):
        with pytest.raises(UnsafeName):
            call()
    assert not [path for path in tmp_path.rglob("*") if path.is_file() or path.is_symlink()]


@pytest.mark.parametrize("word", ["../../x", "", "main", COMMIT.upper(), COMMIT + "0", "é" * 40])
def test_a_ref_file_with_a_hostile_word_is_none(tmp_path, word):
    ref = tmp_path / layout.ref_path("org/name", "main")
    ref.parent.mkdir(parents=True)
    ref.write_text(word)
    assert read_ref(tmp_path, "org/name", "main") is None


def test_words_that_are_not_there(tmp_path):
    assert read_ref(tmp_path, "org/name", "main") is None
    assert read_tree(tmp_path, "org/name", COMMIT) is None


PIECES = ["a", "B7", "_", "-", ".", "..", "con", "CON", "com1", "lpt9.x", "nul.", "console", " ", "/", "//"]
PIECES += [
    "\\",
    ":",
    "\n",
    "é",
    "\0",
    "\u0131",
    "\u017f",
    "\u212a",
]  # the last three are letters of ASCII in another case


@given(st.lists(st.sampled_from(PIECES), max_size=6).map("".join) | st.text(max_size=12))
def test_an_ordinary_name_is_a_safe_one(path):
    """The short way says yes only where the long one finds nothing."""
    if layout._ORDINARY.fullmatch(path) and len(path) <= 1024:
        assert layout._why_unsafe(path) is None


@pytest.mark.parametrize(
    "path", ["a" * 255, "a/" * 511 + "ab", "data/part-00001.bin", ".gitattributes", "console/com10"]
)
def test_ordinary_names(path):
    assert layout._ORDINARY.fullmatch(path) and layout.check_path(path) == path


@pytest.mark.parametrize(
    "path", ["a" * 256, "a/" * 512 + "b", "con", "x/NUL.txt", "a.", "a/./b", "..", "a\n", "/a", "a/"]
)
def test_names_that_are_not(path):
    with pytest.raises(UnsafeName):
        layout.check_path(path)
