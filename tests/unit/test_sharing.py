"""What is left in a Hugging Face cache: one copy on disk, nothing of others' touched, and counted as the store's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from ipfs_accelerate_py.hf_cache import layout as hub_cache
from ipfs_accelerate_py.hf_cache import share
from ipfs_accelerate_py.maintenance.inventory import list_commits
from ipfs_accelerate_py.session import session
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store import store as store_module
from ipfs_accelerate_py.store.resolution import Authority, Resolution
from ipfs_accelerate_py.store.store import Store
from ipfs_accelerate_py.store.tree import Tree

from .collecting import picture
from .stored import COMMIT, CONTENT, REPO, git_entry, lfs_entry, put

CONFIG = b'{"a": 1}'
FILES = {"config.json": (CONFIG, git_entry(CONFIG)), "sub/model.bin": (CONTENT, lfs_entry(CONTENT))}
WEIGHTS = lfs_entry(CONTENT)
SECOND = "f" * 40


@pytest.fixture(autouse=True)
def nothing_given_up(monkeypatch):
    session.reset()


@pytest.fixture
def cache(tmp_path):
    """The Hugging Face cache; it is not there yet."""
    return tmp_path / "cache"


@pytest.fixture
def load(store, cache):
    """Lets files be present in the store, and leaves them in the cache as a load of one call does."""

    def load(
        *,
        commit=COMMIT,
        revision="main",
        authority=Authority.HUB,
        missing=(),
        names=tuple(FILES),
        publisher="",
        **options,
    ):
        tree = Tree(commit, {path: FILES[path][1] for path in names})
        for path in names:
            if store.find_blob(REPO, tree.files[path]) is None:
                put(store, *FILES[path], path, commit)
            store.link(REPO, commit, path, tree.files[path])
        store.write_tree(REPO, tree)
        resolution = Resolution(REPO, revision, tree, authority, True, publisher=publisher)
        share.share(store, str(cache), resolution, names, missing, revision, **options)

    return load


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


def there(cache, path, repo_id=REPO):
    return cache / layout.repo_folder(repo_id) / path


def pointer(cache, path="sub/model.bin", commit=COMMIT):
    return there(cache, f"snapshots/{commit}/{path}")


def blob_of(root):
    return there(root, f"blobs/{WEIGHTS.etag}")


def names(cache):
    return sorted(path.relative_to(cache).as_posix() for path in cache.rglob("*") if not path.is_dir())


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


# -- the store's own view -------------------------------------------------------------------------------------------
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
