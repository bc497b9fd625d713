"""What the name of a blob says of its bytes, over the names that the Hub and mirrors give."""

import hashlib
import os

import pytest

from ipfs_accelerate_py.hf_cache import unlisted
from ipfs_accelerate_py.hf_cache.unlisted import Place, check_by_name, find_place
from ipfs_accelerate_py.session import session
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.store import Store

REPO, COMMIT, CONTENT = "acme/model", "0123456789abcdef0123456789abcdef01234567", b'{"a": 1}'
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SHA1 = hashlib.sha1(CONTENT).hexdigest()
BLOB_ID = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()
NAMES = {
    "sha256": (SHA256, True),
    "git blob id": (BLOB_ID, True),
    "sha1 of the content": (SHA1, None),
    "md5": (hashlib.md5(CONTENT).hexdigest(), None),
    "weak": ("W-1234", None),
    "another sha256": ("a" * 64, False),
    "another git blob id": ("b" * 40, False),
}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def show(root, etag, content=CONTENT):
    """Lays a file into a cache as huggingface_hub does."""
    blob = root / layout.repo_folder(REPO) / "blobs" / etag
    visible = root / layout.snapshot_path(REPO, COMMIT, "config.json")
    for path in (blob, visible):
        path.parent.mkdir(parents=True, exist_ok=True)
    blob.write_bytes(content)
    visible.symlink_to(os.path.relpath(blob, visible.parent))
    return visible


@pytest.mark.parametrize("what", NAMES)
def test_names(what, store, tmp_path, monkeypatch):
    name, verdict = NAMES[what]
    visible = show(tmp_path / "cache", name)
    assert check_by_name(store, visible) is verdict
    assert check_by_name(store, visible) is verdict
    session.reset()  # a new process
    if verdict is not False:  # what was right, or said nothing, is not read again
        monkeypatch.setattr(unlisted, "verify_file", None)
    assert check_by_name(store, visible) is verdict


def test_a_file_that_was_changed_is_read_again(store, tmp_path):
    visible = show(tmp_path / "cache", SHA256)
    assert check_by_name(store, visible) is True
    visible.resolve().write_bytes(b"something else")
    assert check_by_name(store, visible) is False


def test_a_copy_has_no_name_that_says_anything(store, tmp_path):
    visible = tmp_path / "cache" / layout.snapshot_path(REPO, COMMIT, "config.json")
    visible.parent.mkdir(parents=True)
    visible.write_bytes(CONTENT)
    assert check_by_name(store, visible) is None


def test_places(tmp_path):
    visible = show(tmp_path / "snapshots" / "cache", SHA256)
    assert find_place(visible) == Place(REPO, COMMIT, "config.json")
    for path in ("config.json", "snapshots/x", f"models--a--b/snapshots/{COMMIT}", f"other/snapshots/{COMMIT}/x"):
        assert find_place(tmp_path / path) is None
