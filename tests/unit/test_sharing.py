"""What is left in a Hugging Face cache: one copy on disk, and nothing of others' touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from functools import partial
from pathlib import Path

import pytest

from ipfs_accelerate_py.hf_cache import layout as hub_cache
from ipfs_accelerate_py.hf_cache import share
from ipfs_accelerate_py.session import session
from ipfs_accelerate_py.store.resolution import Authority, Resolution
from ipfs_accelerate_py.store.tree import Tree

from .collecting import picture
from .sharing import FILES, SECOND, WEIGHTS, blob_of, leave, names, pointer, there
from .stored import COMMIT, CONTENT, REPO, lfs_entry, put


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


def taken(*folders):
    """Bytes on disk, counted once for each file."""
    done = subprocess.run(["du", "-sc", "-B1", *folders], capture_output=True, text=True, check=True)
    return int(done.stdout.splitlines()[-1].split()[0])


# -- what is left ---------------------------------------------------------------------------------------------------
def test_files_as_links_a_ref_and_the_listing(store, cache, load):
    load()
    assert pointer(cache).read_bytes() == CONTENT
    assert os.readlink(pointer(cache)) == f"../../../blobs/{WEIGHTS.etag}"
    assert os.path.samefile(blob_of(store.root), blob_of(cache))
    assert there(cache, "refs/main").read_bytes() == COMMIT.encode()
    listing = json.loads(there(cache, f"trees/{COMMIT}.json").read_bytes()) if hub_cache.keeps_listings() else None
    assert listing is None or listing.keys() == {"format_version", "files"}


def test_it_is_on_disk_once(store, cache, load, monkeypatch):
    large = os.urandom(30_000_000)
    monkeypatch.setitem(FILES, "sub/model.bin", (large, lfs_entry(large)))
    load()
    assert pointer(cache).stat().st_size == len(large)
    assert taken(store.root, cache) <= 1.01 * len(large)


def test_a_file_that_is_missing_is_marked_when_it_alone_was_asked_for(cache, load):
    load(names=(), missing=["none.json"])
    assert names(cache) == ["models--org--name/.no_exist/" + COMMIT + "/none.json", "models--org--name/refs/main"]


def test_a_commit_has_no_ref(cache, load):
    load(revision=COMMIT)
    assert not there(cache, "refs").exists() and pointer(cache).exists()


def test_a_branch_that_has_moved(cache, load):
    load()
    load(commit=SECOND)
    assert there(cache, "refs/main").read_text() == SECOND
    assert pointer(cache).exists() and pointer(cache, commit=SECOND).exists()


def test_a_lock_file_names_a_commit_and_no_branch(cache, load):
    load(authority=Authority.LOCK)
    assert not there(cache, "refs").exists() and pointer(cache).exists()


@pytest.mark.parametrize("publisher", ["", "12D3KooW"])
def test_nothing_of_what_a_publisher_alone_has_said(cache, load, publisher):
    """In that cache it would be taken for the Hub's word."""
    load(authority=Authority.PUBLISHER, publisher=publisher)
    assert not cache.exists()


def test_a_warm_load_changes_nothing(cache, load):
    load()
    before = picture(cache)
    load()
    assert picture(cache) == before


def test_a_cache_that_is_the_store(store):
    tree = Tree(COMMIT, {path: entry for path, (_, entry) in FILES.items()})
    for path, (content, entry) in FILES.items():
        put(store, content, entry, path)
    before = picture(store.root)
    share.share(
        store, str(store.root), Resolution(REPO, "main", tree, Authority.HUB, True), FILES, (), "main", replace=True
    )
    assert picture(store.root) == before


# -- what is there already ------------------------------------------------------------------------------------------
def test_what_others_have_put_there_stays(cache, load):
    blob_of(cache).parent.mkdir(parents=True)
    blob_of(cache).write_bytes(CONTENT)
    pointer(cache, "config.json").parent.mkdir(parents=True)
    pointer(cache, "config.json").write_bytes(b"mine")
    inode = blob_of(cache).stat().st_ino
    load()
    assert blob_of(cache).stat().st_ino == inode and pointer(cache).read_bytes() == CONTENT
    assert pointer(cache, "config.json").read_bytes() == b"mine"


def test_links_that_lead_nowhere_are_replaced(cache, load):
    for link in (blob_of(cache), pointer(cache)):
        link.parent.mkdir(parents=True)
        link.symlink_to("nowhere")
    load()
    assert pointer(cache).read_bytes() == CONTENT and not blob_of(cache).is_symlink()


@pytest.mark.parametrize("again", [False, True])
def test_a_blob_that_repos_share_is_never_written_to(store, cache, load, again):
    """huggingface_hub 2 keeps `blobs/<xx>/<xet hash>` in the cache, and links to it from the repos."""
    payload = cache / "blobs" / "ab" / ("ab" * 32)
    payload.parent.mkdir(parents=True)
    payload.write_bytes(b"of others")
    blob_of(cache).parent.mkdir(parents=True)
    blob_of(cache).symlink_to(os.path.relpath(payload, blob_of(cache).parent))
    load(replace=again)
    assert payload.read_bytes() == b"of others"
    assert blob_of(cache).is_symlink() is not again
    assert pointer(cache).read_bytes() == (CONTENT if again else b"of others")


def test_what_was_fetched_anew_is_so_in_the_cache_too(store, cache, load):
    load()
    blob_of(cache).unlink()
    blob_of(cache).write_bytes(b"damaged")
    load(replace=True)
    assert os.path.samefile(blob_of(store.root), blob_of(cache)) and pointer(cache).read_bytes() == CONTENT
    assert not list(cache.rglob("*.incomplete"))
    load(replace=True)
    assert not list(cache.rglob("*.incomplete"))


# -- where it cannot be ---------------------------------------------------------------------------------------------
def test_another_file_system(store, load, monkeypatch, tmp_path):
    other = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    try:
        if other.stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("this machine has one file system")
        tree = Tree(COMMIT, {"sub/model.bin": WEIGHTS})
        put(store, CONTENT, WEIGHTS, "sub/model.bin")
        for _ in range(2):
            resolution = Resolution(REPO, "main", tree, Authority.HUB, True)
            share.share(store, str(other / "hub"), resolution, tree.files, (), "main")
        assert not (other / "hub").exists()  # not even an empty folder
        assert not list((store.own_folder / "shared").rglob("*.*"))
    finally:
        shutil.rmtree(other)


def test_a_cache_that_cannot_be_written(cache, load):
    cache.write_text("no folder")
    load()
    assert cache.read_text() == "no folder"


def test_a_store_that_cannot_remember(store, cache, load):
    """Else a file with two names were read again in each process."""
    store.own_folder.mkdir(parents=True)
    (store.own_folder / "verified").write_text("no folder")
    load()
    assert not cache.exists()


def test_no_symlinks(cache, load, monkeypatch):
    """huggingface_hub then keeps the file where its link would be."""

    def refuse(*args, **kwargs):
        raise OSError("no symlinks here")

    load(names=())  # what the store needs is there
    with monkeypatch.context() as patched:
        patched.setattr(hub_cache.os, "symlink", refuse)
        load()
    assert pointer(cache).read_bytes() == CONTENT and not pointer(cache).is_symlink()
    assert not blob_of(cache).exists()
