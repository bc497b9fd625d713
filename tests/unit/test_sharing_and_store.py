"""What is left in a Hugging Face cache, as the store sees it: not read again, counted as the store's, and collected."""

from __future__ import annotations

import os
import shutil
from functools import partial

import pytest

from ipfs_accelerate_py.maintenance.inventory import list_commits
from ipfs_accelerate_py.session import session
from ipfs_accelerate_py.store import store as store_module
from ipfs_accelerate_py.store.store import Store

from .sharing import CONFIG, FILES, SECOND, WEIGHTS, blob_of, leave, names, pointer, there
from .stored import COMMIT, CONTENT, REPO


@pytest.fixture(autouse=True)
def nothing_given_up():
    session.reset()


@pytest.fixture
def cache(tmp_path):
    """The Hugging Face cache; it is not there yet."""
    return tmp_path / "cache"


@pytest.fixture
def load(store, cache):
    """`sharing.leave` for this store and cache."""
    return partial(leave, store, cache)


@pytest.fixture
def read_files(monkeypatch):
    """The files that were read whole to be checked."""
    made = []

    def noted(path, entry, note=None):
        made.append(path.name)
        return verify_file(path, entry, note)

    verify_file = store_module.verify_file
    monkeypatch.setattr(store_module, "verify_file", noted)
    return made


def test_a_new_process_reads_no_file_again(store, load, read_files):
    load()
    for _ in range(2):
        session.reset()
        assert Store(store.root).find(REPO, COMMIT, "sub/model.bin", WEIGHTS)
    assert read_files == []


def test_a_change_through_the_other_name_is_found(store, cache, load, read_files, caplog):
    load()
    with open(pointer(cache), "r+b") as file:
        file.write(b"X")
    session.reset()
    assert Store(store.root).find(REPO, COMMIT, "sub/model.bin", WEIGHTS) is None
    assert read_files == ["model.bin"] and "was changed in place" in caplog.text


def test_the_disk_is_counted_once_and_as_the_stores(store, settings, load):
    load()
    sizes = {row.tier: row.disk for row in list_commits(store, settings)}
    assert sizes == {"store": len(CONFIG) + len(CONTENT), str(settings.lower[0]): 0}


@pytest.mark.parametrize("options", [{"max_size": 0}, {"older_than": 0}])
def test_a_collection_takes_back_what_was_left(store, cache, load, collect, options):
    load()
    load(names=(), missing=["none.json"])
    assert collect(**options)["freed"] == len(CONFIG) + len(CONTENT)
    assert names(cache) in ([], ["CACHEDIR.TAG"])
    assert not there(cache, "").exists()


def test_a_collection_leaves_what_stays_in_the_store(store, cache, load, collect):
    load()
    load(commit=SECOND, revision="next", names=("sub/model.bin",))
    os.utime(there(store.root, f"blobs/{FILES['config.json'][1].etag}"), (1_000_000, 1_000_000))
    assert collect(max_size=len(CONTENT))["freed"] == len(CONFIG)
    assert pointer(cache, commit=SECOND).read_bytes() == CONTENT
    assert not pointer(cache).exists() and not there(cache, f"snapshots/{COMMIT}").exists()
    assert there(cache, "refs/next").exists() and not there(cache, "refs/main").exists()


def test_a_collection_leaves_what_is_not_ours(store, cache, load, collect):
    """A file that plain huggingface_hub downloaded, and a commit of its own with a link to the blob that we left."""
    pointer(cache, "config.json").parent.mkdir(parents=True)
    pointer(cache, "config.json").write_bytes(CONFIG)
    load()
    other = pointer(cache, commit=SECOND)
    other.parent.mkdir(parents=True)
    other.symlink_to(f"../../../blobs/{WEIGHTS.etag}")
    assert collect(max_size=0)["freed"] == len(CONFIG)
    assert other.read_bytes() == CONTENT and pointer(cache, "config.json").read_bytes() == CONFIG
    assert there(cache, "refs/main").exists()


def test_a_collection_leaves_what_was_replaced_there(store, cache, load, collect):
    load()
    blob_of(cache).unlink()
    blob_of(cache).write_bytes(CONTENT)
    assert collect(max_size=0)["freed"] == len(CONFIG) + len(CONTENT)
    assert pointer(cache).read_bytes() == CONTENT


def test_a_note_on_a_blob_that_is_gone_goes(store, cache, load, collect):
    load()
    blob_of(cache).unlink()
    shutil.rmtree(there(store.root, f"snapshots/{COMMIT}"))
    collect()
    assert not list((store.own_folder / "shared").rglob("*"))
