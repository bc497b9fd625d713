"""`gc` by age and by size: what goes, rule by rule, without a node."""

import os
from pathlib import Path

from ipfs_accelerate_py.maintenance.collect import collect_garbage
from ipfs_accelerate_py.store import layout, leases

from .collecting import DAY, OTHER, SECOND, THIRD, commit_of, gone, make_old, visible
from .stored import COMMIT, CONTENT, REPO, blob, files, lfs_entry, put


# -- by age -------------------------------------------------------------------------------------------------------
def test_an_empty_machine(collect, store):
    assert collect() == {"dry_run": False, "removed": [], "kept": [], "freed": 0}
    assert not store.root.exists()


def test_without_a_wish_what_is_whole_stays(collect, store):
    commit_of(store, CONTENT, age=1000 * DAY, ref="main")
    answer = collect()
    assert (answer["removed"], answer["freed"]) == ([], 0)
    [kept] = answer["kept"]
    assert (kept["repo"], kept["commit"], kept["size"]) == (REPO, COMMIT, len(CONTENT))
    assert kept["reason"].startswith("last used ")


def test_what_was_not_used_for_long(collect, store):
    commit_of(store, CONTENT, age=31 * DAY, ref="old")
    commit_of(store, b"newer", SECOND, age=29 * DAY, ref="main")
    answer = collect(older_than=30 * DAY)
    [row] = answer["removed"]
    assert (row["repo"], row["commit"], row["size"]) == (REPO, COMMIT, len(CONTENT))
    assert row["reason"].startswith("not used since 20")
    assert answer["freed"] == len(CONTENT)
    assert visible(store) == {SECOND: b"newer"}
    assert files(store.root / "models--org--name") == [
        f"blobs/{lfs_entry(b'newer').etag}",
        "refs/main",
        f"snapshots/{SECOND}/model.bin",
        f"trees/{SECOND}.json",
    ]


def test_reading_counts_as_use(collect, store):
    commit_of(store, CONTENT, age=31 * DAY)
    leases.note_use([store.path(layout.snapshot_path(REPO, COMMIT, "model.bin"))])
    assert collect(older_than=30 * DAY)["removed"] == []


def test_the_last_commit_takes_the_repos_folder_with_it(collect, store):
    commit_of(store, CONTENT, age=2 * DAY, ref="refs/pr/1")
    store.mark_missing(REPO, COMMIT, "none.json")
    store.write_ref(REPO, "heard", COMMIT, unconfirmed=True)
    commit_of(store, CONTENT, repo_id=OTHER)
    collect(older_than=DAY)
    assert sorted(os.listdir(store.root)) == [".locks", "models--org--other"]
    assert [path for path in files(store.own_folder) if "name" in path] == []


def test_a_blob_that_another_commit_shows_stays(collect, store):
    commit_of(store, CONTENT, age=2 * DAY)
    commit_of(store, b"old", age=2 * DAY, path="old.bin")
    put(store, commit=SECOND)
    commit_of(store, b"new", SECOND, path="new.bin")
    make_old(blob(store), 2 * DAY)
    answer = collect(older_than=DAY)
    assert gone(answer) == {(REPO, COMMIT)}
    assert answer["freed"] == len(b"old")
    assert blob(store).read_bytes() == CONTENT


def test_two_commits_that_go_together_free_what_they_share_once(collect, store):
    commit_of(store, CONTENT, age=2 * DAY)
    commit_of(store, CONTENT, SECOND, age=2 * DAY)
    answer = collect(older_than=DAY)
    assert len(answer["removed"]) == 2
    assert answer["freed"] == len(CONTENT)


def test_what_a_lower_tier_holds_too_frees_nothing(collect, store, settings):
    commit_of(store, CONTENT, age=2 * DAY)
    settings.lower[0].mkdir()
    os.link(blob(store), settings.lower[0] / "blob")
    answer = collect(older_than=DAY)
    assert (len(answer["removed"]), answer["freed"]) == (1, 0)
    assert (settings.lower[0] / "blob").read_bytes() == CONTENT


def test_a_store_without_symlinks(collect, store, monkeypatch):
    def refuse(*names):
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(os, "symlink", refuse)
        commit_of(store, CONTENT, age=2 * DAY)
        commit_of(store, b"new", SECOND)
    assert collect(older_than=DAY)["freed"] == len(CONTENT)
    assert visible(store) == {SECOND: b"new"}


def test_what_was_loaded_again_is_the_last_to_go(collect, store):
    for commit in (COMMIT, SECOND):
        commit_of(store, commit.encode() * 25, commit, age=60)
    leases.note_use([store.path(layout.snapshot_path(REPO, COMMIT, "model.bin"))])
    assert gone(collect(max_size=1000)) == {(REPO, SECOND)}


def test_what_cannot_be_removed_is_not_said_to_be(store, settings, monkeypatch):
    commit_of(store, CONTENT)
    loose = blob(store, lfs_entry(b"loose"))
    loose.write_bytes(b"loose")
    unlink = Path.unlink

    def refuse(path, **options):
        if path == loose:
            raise PermissionError  # another user's, in a folder with the sticky bit
        unlink(path, **options)

    monkeypatch.setattr(Path, "unlink", refuse)
    answer = collect_garbage(store, settings).to_dict()
    assert (answer["removed"], answer["freed"]) == ([], 0)
    assert "it could not be removed" in [row["reason"] for row in answer["kept"]]


# -- by size ------------------------------------------------------------------------------------------------------
def test_the_least_recently_used_until_it_fits(collect, store):
    for number, commit in enumerate((COMMIT, SECOND, THIRD)):
        commit_of(store, b"%d" % number * 1000, commit, age=(10 - number) * DAY)
    answer = collect(max_size=1500)
    assert gone(answer) == {(REPO, COMMIT), (REPO, SECOND)}
    assert answer["freed"] == 2000
    assert all("least recently used" in row["reason"] for row in answer["removed"])
    assert collect(max_size=1000)["removed"] == []
    assert gone(collect(max_size=0)) == {(REPO, THIRD)}


def test_what_frees_nothing_does_not_go(collect, store, settings):
    commit_of(store, b"a" * 1000, age=10 * DAY)
    commit_of(store, b"b" * 1000, SECOND, age=5 * DAY)
    settings.lower[0].mkdir()
    os.link(blob(store, lfs_entry(b"a" * 1000)), settings.lower[0] / "blob")
    assert gone(collect(max_size=500)) == {(REPO, SECOND)}


def test_shared_blobs_go_with_the_last_that_shows_them(collect, store):
    commit_of(store, b"s" * 1000, age=10 * DAY)
    commit_of(store, b"s" * 1000, SECOND, age=10 * DAY)
    commit_of(store, b"n" * 100, THIRD)
    answer = collect(max_size=500)
    assert (gone(answer), answer["freed"]) == ({(REPO, COMMIT), (REPO, SECOND)}, 1000)


def test_age_and_size_together(collect, store):
    for number, commit in enumerate((COMMIT, SECOND, THIRD)):
        commit_of(store, b"%d" % number * 1000, commit, age=(10 - 3 * number) * DAY)
    answer = collect(older_than=8 * DAY, max_size=1000)
    assert [row["commit"] for row in answer["removed"]] == [COMMIT, SECOND]
    assert answer["removed"][0]["reason"].startswith("not used since")
