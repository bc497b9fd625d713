"""The store: nothing is visible before it is whole, whatever ends a writer."""

import os
import time
from pathlib import Path

import pytest

from ipfs_accelerate_py.errors import StoreError
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.store import Store
from ipfs_accelerate_py.store.tree import Tree
from ipfs_accelerate_py.store.verify import Mismatch

from .stored import COMMIT, CONTENT, ENTRY, REPO, blob, files, git_entry, lfs_entry, put


# -- receiving ----------------------------------------------------------------------------------------------------
def test_bytes_are_visible_after_finish_and_link_only(store):
    with store.receive(REPO, ENTRY) as writer:
        for start in range(0, len(CONTENT), 100_000):
            writer.write(CONTENT[start : start + 100_000])
            assert store.find_blob(REPO, ENTRY) is None
            assert all(name.endswith(".incomplete") for name in files(store.root))
        writer.finish(blob(store))
        assert store.find_blob(REPO, ENTRY).read_bytes() == CONTENT
        assert store.find(REPO, COMMIT, "model.bin", ENTRY) is None
    visible = store.link(REPO, COMMIT, "model.bin", ENTRY)
    assert visible == store.find(REPO, COMMIT, "model.bin", ENTRY)
    assert visible.read_bytes() == CONTENT
    assert files(store.root) == [
        f"models--org--name/blobs/{ENTRY.etag}",
        f"models--org--name/snapshots/{COMMIT}/model.bin",
    ]


@pytest.mark.parametrize("entry_of", [git_entry, lfs_entry])
@pytest.mark.parametrize("content", [b"", b"x", CONTENT], ids=len)
def test_any_size_and_both_hashes(store, content, entry_of):
    assert put(store, content, entry_of(content)).read_bytes() == content


def test_a_link_is_relative_so_that_the_store_can_be_moved(store, tmp_path):
    visible = put(store, path="sub/folder/model.bin")
    assert not os.path.isabs(os.readlink(visible))
    store.root.rename(tmp_path / "moved")
    moved = Store(tmp_path / "moved")
    assert moved.find(REPO, COMMIT, "sub/folder/model.bin", ENTRY).read_bytes() == CONTENT


WRONG = {"short": CONTENT[:-1], "long": CONTENT + b"x", "flipped": CONTENT[:-1] + b"\0", "nothing": b""}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("way", ["write", "adopt", "move"])
def test_wrong_bytes_leave_nothing(store, tmp_path, wrong, way):
    offered = tmp_path / "offered"
    offered.write_bytes(wrong)
    with pytest.raises(Mismatch), store.receive(REPO, ENTRY) as writer:
        if way == "write":
            writer.write(wrong)
        else:
            writer.adopt(offered, move=way == "move")
        writer.finish(blob(store))
    assert files(store.root) == []
    assert offered.exists() is (way != "move")


def test_an_error_half_way_leaves_nothing(store):
    with pytest.raises(KeyboardInterrupt), store.receive(REPO, ENTRY) as writer:
        writer.write(CONTENT[:1000])
        raise KeyboardInterrupt
    assert files(store.root) == []


def test_start_begins_anew(store):
    with store.receive(REPO, ENTRY) as writer:
        writer.write(b"what a source gave before it broke off")
        writer.start()
        assert writer.size == 0
        writer.write(CONTENT)
        assert writer.size == len(CONTENT)
        writer.finish(blob(store))
    assert blob(store).read_bytes() == CONTENT
    assert files(store.root) == [f"models--org--name/blobs/{ENTRY.etag}"]


def test_after_an_adopted_file_that_is_wrong_another_source_can_write(store, tmp_path):
    (tmp_path / "damaged").write_bytes(WRONG["flipped"])
    with store.receive(REPO, ENTRY) as writer:
        with pytest.raises(Mismatch):
            writer.adopt(tmp_path / "damaged")
        writer.start()
        writer.write(CONTENT)
        writer.finish(blob(store))
    assert blob(store).read_bytes() == CONTENT
    assert (tmp_path / "damaged").read_bytes() == WRONG["flipped"]


# -- adopting -----------------------------------------------------------------------------------------------------
def adopt(store, path, **options):
    with store.receive(REPO, ENTRY) as writer:
        writer.adopt(path, **options)
        writer.finish(blob(store))


def test_adopt_links_on_the_same_file_system(store, tmp_path):
    (tmp_path / "have").write_bytes(CONTENT)
    adopt(store, tmp_path / "have")
    assert blob(store).samefile(tmp_path / "have")
    assert (tmp_path / "have").read_bytes() == CONTENT


def test_adopt_of_what_is_linked_already_leaves_nothing_behind(store, tmp_path):
    (tmp_path / "have").write_bytes(CONTENT)
    adopt(store, tmp_path / "have")
    adopt(store, tmp_path / "have")
    assert files(store.root) == [f"models--org--name/blobs/{ENTRY.etag}"]


def test_adopt_copies_from_another_file_system(store):
    memory = Path("/dev/shm")
    store.root.mkdir()
    if not memory.is_dir() or memory.stat().st_dev == store.root.stat().st_dev:
        pytest.skip("there is no second file system here")
    elsewhere = memory / f"ipfs-accelerate-test-{os.getpid()}"
    elsewhere.write_bytes(CONTENT)
    try:
        adopt(store, elsewhere)
        assert blob(store).read_bytes() == elsewhere.read_bytes() == CONTENT
        with pytest.raises(Mismatch):
            elsewhere.write_bytes(WRONG["flipped"])
            adopt(store, elsewhere)
        assert blob(store).read_bytes() == CONTENT
    finally:
        elsewhere.unlink()


def test_adopt_by_move(store, tmp_path):
    (tmp_path / "scratch").write_bytes(CONTENT)
    inode = (tmp_path / "scratch").stat().st_ino
    adopt(store, tmp_path / "scratch", move=True)
    assert not (tmp_path / "scratch").exists()
    assert blob(store).stat().st_ino == inode


def test_adopt_of_what_is_not_there(store, tmp_path):
    with pytest.raises(FileNotFoundError):
        adopt(store, tmp_path / "none")
    assert files(store.root) == []


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_umask_is_respected(store, mask, mode):
    before = os.umask(mask)
    try:
        visible = put(store)
    finally:
        os.umask(before)
    assert visible.stat().st_mode & 0o777 == mode


# -- finding ------------------------------------------------------------------------------------------------------
def test_a_file_of_another_size_does_not_count(store):
    visible = put(store)
    visible.resolve().write_bytes(CONTENT[:-1])
    assert store.find(REPO, COMMIT, "model.bin", ENTRY) is None
    assert store.find_blob(REPO, ENTRY) is None
    put(store)
    assert store.find(REPO, COMMIT, "model.bin", ENTRY).read_bytes() == CONTENT


def test_a_link_to_nothing_does_not_count(store):
    visible = put(store)
    blob(store).unlink()
    assert visible.is_symlink()
    assert store.find(REPO, COMMIT, "model.bin", ENTRY) is None
    put(store)
    assert visible.read_bytes() == CONTENT


def test_a_folder_does_not_count(store):
    blob(store).mkdir(parents=True)
    assert store.find_blob(REPO, ENTRY) is None
    assert store.find(REPO, COMMIT, "model.bin") is None


def test_a_mark_of_a_missing_file_goes_when_the_file_comes(store):
    store.mark_missing(REPO, COMMIT, "model.bin")
    mark = store.path(layout.missing_path(REPO, COMMIT, "model.bin"))
    assert mark.is_file()
    put(store)
    assert not mark.exists()


# -- words --------------------------------------------------------------------------------------------------------
TREE = Tree(COMMIT, {"model.bin": ENTRY})


def test_words_come_back(store):
    assert store.read_ref(REPO, "main") is None and store.read_tree(REPO, COMMIT) is None
    store.write_ref(REPO, "main", COMMIT)
    store.write_ref(REPO, "refs/pr/1", COMMIT)
    store.write_tree(REPO, TREE)
    assert store.read_ref(REPO, "main") == store.read_ref(REPO, "refs/pr/1") == COMMIT
    assert store.read_tree(REPO, COMMIT) == TREE
    assert not store.is_unconfirmed(REPO, COMMIT) and not store.is_unconfirmed(REPO, "refs/main")


def test_hearsay_is_marked_until_the_hub_has_spoken(store):
    store.write_tree(REPO, TREE, unconfirmed=True)
    store.write_ref(REPO, "main", COMMIT, unconfirmed=True)
    assert store.is_unconfirmed(REPO, COMMIT) and store.is_unconfirmed(REPO, "refs/main")
    store.write_ref(REPO, "main", COMMIT)
    assert store.is_unconfirmed(REPO, COMMIT) and not store.is_unconfirmed(REPO, "refs/main")
    store.write_tree(REPO, TREE)
    assert not store.is_unconfirmed(REPO, COMMIT)


def test_learning_the_same_again_makes_it_newer(store):
    store.write_ref(REPO, "main", COMMIT)
    ref = store.path(layout.ref_path(REPO, "main"))
    os.utime(ref, (1, 1))
    store.write_ref(REPO, "main", COMMIT)
    assert ref.stat().st_mtime > time.time() - 60


# -- a store that cannot be written -------------------------------------------------------------------------------
def test_a_store_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_bytes(b"in the way")
    store = Store(tmp_path / "file")
    for write in (
        lambda: put(store),
        lambda: store.link(REPO, COMMIT, "model.bin", ENTRY),
        lambda: store.write_ref(REPO, "main", COMMIT),
        lambda: store.write_tree(REPO, TREE),
        lambda: store.mark_missing(REPO, COMMIT, "a"),
    ):
        with pytest.raises(StoreError) as caught:
            write()
        assert str(tmp_path / "file") in str(caught.value)
        assert "IPFS_ACCELERATE_HOME" in caught.value.hint
    assert store.find(REPO, COMMIT, "model.bin") is None
    assert store.find_blob(REPO, ENTRY) is None
    assert store.read_ref(REPO, "main") is None
    assert store.read_tree(REPO, COMMIT) is None
    assert (tmp_path / "file").read_bytes() == b"in the way"
