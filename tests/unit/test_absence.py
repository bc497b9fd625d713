"""Which files a commit is known not to have, over the states of what this machine may know."""

import pytest

from ipfs_accelerate_py.resolve.absence import drop_empty_listing, find_missing, is_seen, names_seen
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.resolution import Authority, Resolution
from ipfs_accelerate_py.store.store import Store
from ipfs_accelerate_py.store.tree import Entry, Tree

REPO = "acme/model"
COMMIT, OLDER = "0123456789abcdef0123456789abcdef01234567", "f" * 40
LISTED, ASKED = "config.json", "tokenizer.json"


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def known(complete):
    return Resolution(REPO, "main", Tree(COMMIT, {LISTED: Entry(1, "a" * 40)}, complete=complete), Authority.HUB, True)


def mark(root, commit=COMMIT, path=ASKED):
    file = root / layout.missing_path(REPO, commit, path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()


def keep_listing(store, raw):
    file = store.path(layout.tree_path(REPO, COMMIT))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(raw)


def test_a_complete_listing_says_what_is_missing(store, cache):
    assert find_missing(store, [cache], known(True), [LISTED, ASKED]) == {ASKED}


def test_what_a_machine_happens_not_to_have_is_unknown(store, cache):
    assert find_missing(store, [cache], known(False), [LISTED, ASKED]) == set()


@pytest.mark.parametrize("where", ["store", "cache"])
def test_a_mark_of_that_commit_counts_and_one_of_another_does_not(where, store, cache):
    root = {"store": store.root, "cache": cache}[where]
    mark(root, OLDER)
    assert find_missing(store, [cache], known(False), [ASKED]) == set()
    mark(root)
    assert find_missing(store, [cache], known(False), [ASKED]) == {ASKED}
    assert find_missing(store, [cache], known(False), ["other.json"]) == set()


def test_a_mark_beside_a_listed_file_does_not_count(store, cache):
    mark(cache, path=LISTED)
    assert find_missing(store, [cache], known(False), [LISTED]) == set()


EMPTY = b'{"format_version": 1, "files": {}, "info": {}}'


@pytest.mark.parametrize(("raw", "counts"), [(EMPTY, False), (b"not json", True), (None, True)])
def test_marks_that_an_empty_listing_has_led_to_do_not_count(raw, counts, store, cache):
    mark(store.root)
    if raw is not None:
        keep_listing(store, raw)
    assert find_missing(store, [cache], known(False), [ASKED]) == ({ASKED} if counts else set())


def test_an_empty_listing_is_dropped_with_its_marks_and_a_good_one_stays(store):
    mark(store.root)
    good = known(True).tree.to_json()
    for raw, left in ((EMPTY, False), (good, True), (b"not json", True)):
        keep_listing(store, raw)
        drop_empty_listing(store, REPO, COMMIT)
        assert store.path(layout.tree_path(REPO, COMMIT)).exists() is left
        if raw is EMPTY:
            assert not store.path(layout.missing_path(REPO, COMMIT, ASKED)).exists()


@pytest.mark.parametrize("name", ["../evil", "", "a\0b", "con"])
def test_a_name_that_no_repo_can_have_is_neither_missing_nor_seen(name, store, cache):
    assert find_missing(store, [cache], known(False), [name]) == set()
    assert not is_seen([cache], known(False), name)


def test_what_caches_show(store, cache):
    folder = cache / layout.snapshot_path(REPO, COMMIT)
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / ASKED).write_bytes(b"{}")
    (folder / "dangling").symlink_to("../../blobs/nothing")
    assert is_seen([cache], known(False), f"sub/{ASKED}")
    assert not is_seen([cache], known(False), "dangling")
    assert names_seen([cache, store.root], known(False)) == {f"sub/{ASKED}"}
