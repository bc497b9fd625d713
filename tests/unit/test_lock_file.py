"""The lock file's format: what is read is what was written, and nothing strange is read at all."""

import json

import pytest

from ipfs_accelerate_py.errors import LockFileError, VerificationError
from ipfs_accelerate_py.resolve.lockfile import LockedCommit, LockFile, parse_lock_file, read_lock_file
from ipfs_accelerate_py.store.tree import Entry, Tree

ONE, TWO = "1" * 40, "2" * 40
CID = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
FILES = {
    "config.json": Entry(12, "a" * 40, None, "b" * 64),
    "model.safetensors": Entry(1 << 33, "c" * 40, "d" * 64),
    "модель ü.txt": Entry(0, "e" * 40),
}


def lock(**changes):
    tree = Tree(ONE, FILES, {"pipeline_tag": "fill-mask"})
    commit = LockedCommit("acme/model", ("main", "v1"), tree, {"config.json": CID})
    other = LockedCommit("acme/other", (), Tree(TWO, {}))
    return LockFile({("acme/model", ONE): commit, ("acme/other", TWO): other})


def test_what_is_written_is_read():
    raw = lock().to_json()
    found = parse_lock_file(raw)
    assert found.to_json() == raw
    commit = found.find("acme/model", "main")
    assert commit is found.find("acme/model", "v1") is found.find("acme/model", ONE)
    assert dict(commit.tree.files) == FILES and commit.tree.files["config.json"].content == "b" * 64
    assert commit.cids == {"config.json": CID} and commit.tree.info == {"pipeline_tag": "fill-mask"}
    assert found.find("acme/model", TWO) is found.find("acme/other", "main") is found.find("acme/none", "main") is None
    assert found.find("acme/other", TWO) is not None


def change(path, value):
    table = json.loads(lock().to_json())
    *parents, last = path
    at = table
    for key in parents:
        at = at[key]
    at[last] = value
    return json.dumps(table).encode()


ROW = ("repos", f"acme/model@{ONE}", "files", "config.json")
BROKEN = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "not UTF-8": b'{"lock_version": "\xff"}',
    "deep": b"[" * 100_000,
    "a newer version": change(("lock_version",), 2),
    "no repos": b'{"lock_version": 1}',
    "repos are a list": change(("repos",), []),
    "no commit": change(("repos", "acme/model"), {"files": {}}),
    "a short commit": change(("repos", "acme/model@1234"), {"files": {}}),
    "a bad repo id": change(("repos", f"../model@{ONE}"), {"files": {}}),
    "no files": change(("repos", f"acme/model@{TWO}"), {}),
    "a row that is none": change(ROW, 7),
    "a size that is none": change((*ROW, "size"), "12"),
    "a negative size": change((*ROW, "size"), -1),
    "a bad blob id": change((*ROW, "blob_id"), "A" * 40),
    "a bad sha256": change((*ROW, "sha256"), "b" * 63),
    "two sha256": change((*ROW[:-1], "model.safetensors", "sha256"), "b" * 64),
    "a CID with a path": change((*ROW, "cid"), "bafy/../../etc"),
    "a hostile name": change((*ROW[:-1], "../../etc/passwd"), {"size": 1, "blob_id": "a" * 40}),
    "two names of one file": change((*ROW[:-1], "CONFIG.json"), {"size": 1, "blob_id": "a" * 40}),
    "revisions that are no list": change((*ROW[:2], "revisions"), "main"),
    "a hostile revision": change((*ROW[:2], "revisions"), ["../main"]),
    "one branch at two commits": change(("repos", f"acme/model@{TWO}"), {"files": {}, "revisions": ["main"]}),
    "a name twice": b'{"lock_version": 1, "repos": {}, "repos": {}}',
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN)
def test_a_broken_one_stops_the_load_and_says_how_to_make_a_new_one(tmp_path, raw):
    path = tmp_path / "models.lock"
    path.write_bytes(raw)
    with pytest.raises(LockFileError) as caught:
        read_lock_file(path)
    assert str(path) in str(caught.value) and "hook lock" in caught.value.hint
    assert isinstance(caught.value, VerificationError)  # which no door falls through on


def test_a_missing_one_stops_the_load(tmp_path):
    with pytest.raises(LockFileError, match="No such file"):
        read_lock_file(tmp_path / "none.lock")


def test_a_changed_one_is_read_again(tmp_path):
    path = tmp_path / "models.lock"
    path.write_bytes(lock().to_json())
    assert read_lock_file(path) is read_lock_file(path)
    path.write_bytes(LockFile({}).to_json())
    assert read_lock_file(path).repos == {}
