"""`gc`: what is of no use goes without being asked for."""

import hashlib
import os

import pytest

from ipfs_accelerate_py.maintenance.collect import collect_garbage
from ipfs_accelerate_py.store import leases
from ipfs_accelerate_py.store.store import Store
from ipfs_accelerate_py.store.tree import Tree

from .collecting import DAY, SECOND, commit_of, gone, make_old, picture, visible
from .stored import COMMIT, CONTENT, REPO, blob, files, git_entry, lfs_entry, put


# -- left-overs ---------------------------------------------------------------------------------------------------
def test_blobs_that_no_commit_shows(collect, store):
    commit_of(store, CONTENT)
    loose = blob(store, lfs_entry(b"loose"))
    loose.write_bytes(b"loose")
    answer = collect()
    [row] = answer["removed"]
    assert (row["repo"], row["commit"], row["size"], row["path"]) == (REPO, None, 5, str(loose))
    assert answer["freed"] == 5
    assert not loose.exists() and blob(store).exists()


@pytest.mark.parametrize("where", ["models--org--name/blobs", ".locks/ipfs_accelerate/tmp"])
def test_parts_that_nobody_continues(collect, store, where):
    commit_of(store, CONTENT)
    folder = store.root / where
    folder.mkdir(parents=True, exist_ok=True)
    for name, age in (("old.incomplete", 1.1 * DAY), ("new.incomplete", 0.9 * DAY), ("open.incomplete", 2 * DAY)):
        (folder / name).write_bytes(b"part")
        make_old(folder / name, age)
    with open(folder / "open.incomplete", "rb"):
        answer = collect()
    assert ([row["path"] for row in answer["removed"]], answer["freed"]) == ([str(folder / "old.incomplete")], 4)
    assert sorted(name for name in os.listdir(folder) if "inc" in name) == ["new.incomplete", "open.incomplete"]


def test_scratch_of_the_hubs_client(collect, store):
    commit_of(store, CONTENT)
    scratch = store.own_folder / "hub" / "models--org--name"
    for name in ("blobs/old", "blobs/new", "refs/main"):
        (scratch / name).parent.mkdir(parents=True, exist_ok=True)
        (scratch / name).write_bytes(b"abc")
        make_old(scratch / name, 0 if "new" in name else 2 * DAY)
    assert [row["path"] for row in collect()["removed"]] == [str(scratch / "blobs/old")]


def test_links_that_lead_nowhere(collect, store):
    commit_of(store, CONTENT)
    dangling = put(store, b"gone", path="gone.bin")
    dangling.resolve().unlink()
    found = collect()
    assert [row["path"] for row in found["removed"]] == [str(dangling)]
    assert visible(store) == {COMMIT: CONTENT}


def test_a_ref_and_a_listing_of_a_commit_that_is_not_here(collect, store):
    commit_of(store, CONTENT, ref="main")
    store.write_tree(REPO, Tree(SECOND, {"model.bin": lfs_entry(b"x")}))
    store.write_ref(REPO, "other", SECOND)
    store.mark_missing(REPO, SECOND, "none.json")
    (store.root / f"models--org--name/snapshots/{SECOND}").rmdir()
    (store.root / "models--org--name/refs/broken").write_text("")
    assert len(collect()["removed"]) == 4
    assert files(store.root / "models--org--name") == [
        f"blobs/{lfs_entry(CONTENT).etag}",
        "refs/main",
        f"snapshots/{COMMIT}/model.bin",
        f"trees/{COMMIT}.json",
    ]


def test_what_is_known_of_a_commit_of_which_no_file_is_here_stays(collect, store):
    store.write_tree(REPO, Tree(COMMIT, {"model.bin": lfs_entry(b"x")}))
    store.write_ref(REPO, "main", COMMIT)
    assert collect()["removed"] == []
    assert store.read_ref(REPO, "main") == COMMIT and store.read_tree(REPO, COMMIT)
    assert gone(collect(older_than=-1.0)) == {(REPO, COMMIT)}  # as if it were old


def test_notes_on_repos_that_are_gone(collect, store):
    commit_of(store, CONTENT, ref="main")
    own = store.own_folder
    dead = f"{leases._machine()}-4000000-1"
    for folder in ("models--org--name", "models--org--gone"):
        for path in (f"hearsay/{folder}/{COMMIT}", f"used/{folder}/{COMMIT}/{dead}", f"outbox/{folder}/{COMMIT}"):
            (own / path).parent.mkdir(parents=True, exist_ok=True)
            (own / path).touch()
    (own / "access").mkdir()
    for name, word in (("name", "public"), ("gone", "public"), ("secret", "closed")):
        (own / "access" / f"models--org--{name}").write_text(word)
    before = files(own)
    collect()
    left = [path for path in before if "gone" not in path]
    assert [path for path in files(own) if not path.endswith(".lock")] == left
    assert "access/models--org--secret" in left  # that a repo is closed is not forgotten


def test_what_a_collection_that_was_killed_left(collect, store):
    commit_of(store, CONTENT)
    trash = store.own_folder / "trash" / "1-abc"
    trash.mkdir(parents=True)
    (trash / "model.bin").symlink_to("../../../models--org--name/blobs/x")
    assert len(collect()["removed"]) == 1
    assert not trash.exists()


@pytest.mark.parametrize("stray", ["kernels--a--b/blobs/x", "notes.txt", "models--a--b--c/blobs/x"])
def test_what_is_not_ours_stays(store, settings, stray):
    commit_of(store, CONTENT, age=2 * DAY)
    (store.root / stray).parent.mkdir(parents=True, exist_ok=True)
    (store.root / stray).write_text("x")
    make_old(store.root / stray, 100 * DAY)
    collect_garbage(store, settings, older_than=DAY)
    assert (store.root / stray).read_text() == "x"


def test_progress(store, settings):
    commit_of(store, CONTENT, age=2 * DAY)
    seen = []
    collect_garbage(store, settings, older_than=DAY, progress=lambda name, size: seen.append((name, size)))
    assert seen == [(REPO, len(CONTENT))]


def test_the_pictures_see_every_change(store):
    commit_of(store, CONTENT)
    before = picture(store.root)
    store.own_folder.joinpath("x").touch()
    assert picture(store.root) != before
    assert hashlib.sha256(CONTENT).hexdigest() == lfs_entry(CONTENT).etag and git_entry(b"")
    assert isinstance(store, Store)
