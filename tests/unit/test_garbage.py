"""`gc`: what goes and what stays, rule by rule, without a node."""

import hashlib
import json
import os
import time
from pathlib import Path

import huggingface_hub
import pytest

from ipfs_accelerate_py.errors import LockFileError
from ipfs_accelerate_py.settings import Settings
from ipfs_accelerate_py.storage import layout, publisher, removal, use
from ipfs_accelerate_py.storage.garbage import collect_garbage
from ipfs_accelerate_py.storage.store import Store
from ipfs_accelerate_py.storage.tree import Tree

from .test_store import COMMIT, CONTENT, REPO, blob, files, git_entry, lfs_entry, put, store  # noqa: F401

SECOND, THIRD = "f" * 40, "d" * 40
DAY = 24 * 3600
OTHER = "org/other"


@pytest.fixture
def settings(tmp_path, store):  # noqa: F811
    return Settings(store.root, "off", (tmp_path / "cache",), "off", (), 1.0, "WARNING", False)


@pytest.fixture
def collect(store, settings):  # noqa: F811
    """Collects, after a dry run that must say the same and change nothing."""

    def run(**options):
        before = picture(store.root)
        said = collect_garbage(store, settings, dry_run=True, **options)
        assert picture(store.root) == before
        done = collect_garbage(store, settings, **options)
        assert (said["dry_run"], done["dry_run"]) == (True, False)
        assert {**said, "dry_run": False} == done
        if store.root.exists():
            found = huggingface_hub.scan_cache_dir(store.root)
            assert [str(warning) for warning in found.warnings] == []
        again = collect_garbage(store, settings, **options)
        assert (again["removed"], again["freed"]) == ([], 0)
        json.dumps(done)
        return done

    return run


def read(path):
    """A file's bytes, looked at without using it."""
    seen = os.stat(path)
    content = path.read_bytes()
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    return content


def picture(root):
    """Everything that can be seen of a folder, but for times of access."""
    found = {}
    for path in sorted(Path(root).rglob("*")):
        status = path.lstat()
        content = os.readlink(path) if path.is_symlink() else read(path) if path.is_file() else b""
        found[str(path)] = (content, status.st_mode, status.st_ino, status.st_nlink, status.st_mtime_ns)
    return found


def commit_of(store, content, commit=COMMIT, age=0.0, ref=None, path="model.bin", repo_id=REPO):  # noqa: F811
    """A commit of one file, last used so many seconds ago."""
    entry = lfs_entry(content)
    with store.receive(repo_id, entry) as receiver:
        receiver.write(content)
        receiver.finish(store.path(layout.blob_path(repo_id, entry.etag)))
    store.link(repo_id, commit, path, entry)
    store.write_tree(repo_id, Tree(commit, {path: entry}))
    if ref:
        store.write_ref(repo_id, ref, commit)
    make_old(store.path(layout.blob_path(repo_id, entry.etag)), age)


def make_old(path, age):
    moment = time.time() - age
    os.utime(path, (moment, moment), follow_symlinks=False)


def gone(answer):
    return {(row["repo"], row["commit"]) for row in answer["removed"]}


def visible(store):  # noqa: F811
    return {path.parent.name: read(path) for path in store.root.glob("models--*/snapshots/*/*")}


# -- by age -------------------------------------------------------------------------------------------------------
def test_an_empty_machine(collect, store):  # noqa: F811
    assert collect() == {"dry_run": False, "removed": [], "kept": [], "freed": 0}
    assert not store.root.exists()


def test_without_a_wish_what_is_whole_stays(collect, store):  # noqa: F811
    commit_of(store, CONTENT, age=1000 * DAY, ref="main")
    answer = collect()
    assert (answer["removed"], answer["freed"]) == ([], 0)
    [kept] = answer["kept"]
    assert (kept["repo"], kept["commit"], kept["size"]) == (REPO, COMMIT, len(CONTENT))
    assert kept["reason"].startswith("last used ")


def test_what_was_not_used_for_long(collect, store):  # noqa: F811
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


def test_reading_counts_as_use(collect, store):  # noqa: F811
    commit_of(store, CONTENT, age=31 * DAY)
    use.note_use([store.path(layout.snapshot_path(REPO, COMMIT, "model.bin"))])
    assert collect(older_than=30 * DAY)["removed"] == []


def test_the_last_commit_takes_the_repos_folder_with_it(collect, store):  # noqa: F811
    commit_of(store, CONTENT, age=2 * DAY, ref="refs/pr/1")
    store.mark_missing(REPO, COMMIT, "none.json")
    store.write_ref(REPO, "heard", COMMIT, hearsay=True)
    commit_of(store, CONTENT, repo_id=OTHER)
    collect(older_than=DAY)
    assert sorted(os.listdir(store.root)) == [".locks", "models--org--other"]
    assert [path for path in files(store.own_folder) if "name" in path] == []


def test_a_blob_that_another_commit_shows_stays(collect, store):  # noqa: F811
    commit_of(store, CONTENT, age=2 * DAY)
    commit_of(store, b"old", age=2 * DAY, path="old.bin")
    put(store, commit=SECOND)
    commit_of(store, b"new", SECOND, path="new.bin")
    make_old(blob(store), 2 * DAY)
    answer = collect(older_than=DAY)
    assert gone(answer) == {(REPO, COMMIT)}
    assert answer["freed"] == len(b"old")
    assert blob(store).read_bytes() == CONTENT


def test_two_commits_that_go_together_free_what_they_share_once(collect, store):  # noqa: F811
    commit_of(store, CONTENT, age=2 * DAY)
    commit_of(store, CONTENT, SECOND, age=2 * DAY)
    answer = collect(older_than=DAY)
    assert len(answer["removed"]) == 2
    assert answer["freed"] == len(CONTENT)


def test_what_a_lower_tier_holds_too_frees_nothing(collect, store, settings):  # noqa: F811
    commit_of(store, CONTENT, age=2 * DAY)
    settings.lower[0].mkdir()
    os.link(blob(store), settings.lower[0] / "blob")
    answer = collect(older_than=DAY)
    assert (len(answer["removed"]), answer["freed"]) == (1, 0)
    assert (settings.lower[0] / "blob").read_bytes() == CONTENT


def test_a_store_without_symlinks(collect, store, monkeypatch):  # noqa: F811
    def refuse(*names):
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(os, "symlink", refuse)
        commit_of(store, CONTENT, age=2 * DAY)
        commit_of(store, b"new", SECOND)
    assert collect(older_than=DAY)["freed"] == len(CONTENT)
    assert visible(store) == {SECOND: b"new"}


def test_what_was_loaded_again_is_the_last_to_go(collect, store):  # noqa: F811
    for commit in (COMMIT, SECOND):
        commit_of(store, commit.encode() * 25, commit, age=60)
    use.note_use([store.path(layout.snapshot_path(REPO, COMMIT, "model.bin"))])
    assert gone(collect(max_size=1000)) == {(REPO, SECOND)}


def test_what_cannot_be_removed_is_not_said_to_be(store, settings, monkeypatch):  # noqa: F811
    commit_of(store, CONTENT)
    loose = blob(store, lfs_entry(b"loose"))
    loose.write_bytes(b"loose")
    unlink = Path.unlink

    def refuse(path, **options):
        if path == loose:
            raise PermissionError  # another user's, in a folder with the sticky bit
        unlink(path, **options)

    monkeypatch.setattr(Path, "unlink", refuse)
    answer = collect_garbage(store, settings)
    assert (answer["removed"], answer["freed"]) == ([], 0)
    assert "it could not be removed" in [row["reason"] for row in answer["kept"]]


# -- by size ------------------------------------------------------------------------------------------------------
def test_the_least_recently_used_until_it_fits(collect, store):  # noqa: F811
    for number, commit in enumerate((COMMIT, SECOND, THIRD)):
        commit_of(store, b"%d" % number * 1000, commit, age=(10 - number) * DAY)
    answer = collect(max_size=1500)
    assert gone(answer) == {(REPO, COMMIT), (REPO, SECOND)}
    assert answer["freed"] == 2000
    assert all("least recently used" in row["reason"] for row in answer["removed"])
    assert collect(max_size=1000)["removed"] == []
    assert gone(collect(max_size=0)) == {(REPO, THIRD)}


def test_what_frees_nothing_does_not_go(collect, store, settings):  # noqa: F811
    commit_of(store, b"a" * 1000, age=10 * DAY)
    commit_of(store, b"b" * 1000, SECOND, age=5 * DAY)
    settings.lower[0].mkdir()
    os.link(blob(store, lfs_entry(b"a" * 1000)), settings.lower[0] / "blob")
    assert gone(collect(max_size=500)) == {(REPO, SECOND)}


def test_shared_blobs_go_with_the_last_that_shows_them(collect, store):  # noqa: F811
    commit_of(store, b"s" * 1000, age=10 * DAY)
    commit_of(store, b"s" * 1000, SECOND, age=10 * DAY)
    commit_of(store, b"n" * 100, THIRD)
    answer = collect(max_size=500)
    assert (gone(answer), answer["freed"]) == ({(REPO, COMMIT), (REPO, SECOND)}, 1000)


def test_age_and_size_together(collect, store):  # noqa: F811
    for number, commit in enumerate((COMMIT, SECOND, THIRD)):
        commit_of(store, b"%d" % number * 1000, commit, age=(10 - 3 * number) * DAY)
    answer = collect(older_than=8 * DAY, max_size=1000)
    assert [row["commit"] for row in answer["removed"]] == [COMMIT, SECOND]
    assert answer["removed"][0]["reason"].startswith("not used since")


# -- what stays ---------------------------------------------------------------------------------------------------
def write_lock_file(path, repo_id, commit, tree):
    row = {"size": tree.size, "blob_id": "e" * 40, "lfs_sha256": tree.sha256, "lfs_size": tree.size}
    repos = {f"{repo_id}@{commit}": {"revisions": ["main"], "files": {"model.bin": row}, "info": {}}}
    path.write_text(json.dumps({"lock_version": 1, "repos": repos}))


def test_what_the_lock_file_names(store, settings, tmp_path):  # noqa: F811
    from dataclasses import replace

    commit_of(store, CONTENT, age=2 * DAY)
    commit_of(store, b"other", SECOND, age=2 * DAY)
    loose = blob(store, lfs_entry(b"loose"))
    loose.write_bytes(b"loose")
    write_lock_file(tmp_path / "lock", REPO, COMMIT, lfs_entry(CONTENT))
    settings = replace(settings, lock=tmp_path / "lock")
    for options in ({"older_than": DAY}, {"max_size": 0}):
        answer = collect_garbage(store, settings, **options)
        assert (REPO, COMMIT) not in gone(answer)
        assert {row["commit"]: row["reason"] for row in answer["kept"]} == {COMMIT: "pinned by the lock file"}
    assert visible(store) == {COMMIT: CONTENT}
    # nor does a blob go that the lock file names and no commit shows yet
    store.path(layout.snapshot_path(REPO, COMMIT, "model.bin")).unlink()
    assert collect_garbage(store, settings)["removed"] == []
    assert blob(store).exists() and not loose.exists()


@pytest.mark.parametrize("text", ["{", None])
def test_a_broken_lock_file_stops_it(store, settings, tmp_path, text):  # noqa: F811
    from dataclasses import replace

    commit_of(store, CONTENT, age=2 * DAY)
    if text:
        (tmp_path / "lock").write_text(text)
    before = picture(store.root)
    for dry_run in (True, False):
        with pytest.raises(LockFileError) as caught:
            collect_garbage(store, replace(settings, lock=tmp_path / "lock"), dry_run=dry_run, older_than=0)
        assert caught.value.hint
    assert picture(store.root) == before


def test_what_this_process_has_open(collect, store):  # noqa: F811
    commit_of(store, CONTENT, age=2 * DAY)
    with open(store.path(layout.snapshot_path(REPO, COMMIT, "model.bin")), "rb"):
        answer = collect(max_size=0)
    assert answer["removed"] == []
    assert answer["kept"][0]["reason"] == f"in use by process {os.getpid()}"
    assert gone(collect(max_size=0)) == {(REPO, COMMIT)}


def test_what_a_living_process_is_about_to_read(collect, store):  # noqa: F811
    commit_of(store, CONTENT, age=2 * DAY)
    use.mark(store, REPO, COMMIT)
    answer = collect(max_size=0)
    assert (answer["removed"], answer["kept"][0]["reason"]) == ([], f"in use by process {os.getpid()}")


def test_a_load_that_begins_in_the_middle_gets_its_commit_back(store, settings, monkeypatch):  # noqa: F811
    commit_of(store, CONTENT, age=2 * DAY, ref="main")
    store.write_ref(REPO, "heard", COMMIT, hearsay=True)
    before = visible(store), store.path(layout.tree_path(REPO, COMMIT)).read_bytes()
    rename = os.rename

    def rename_and_mark(source, target):
        use.mark(store, REPO, COMMIT)
        rename(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", rename_and_mark)
        answer = collect_garbage(store, settings, older_than=DAY)
    assert (answer["removed"], answer["kept"][0]["reason"]) == ([], f"in use by process {os.getpid()}")
    assert (visible(store), store.path(layout.tree_path(REPO, COMMIT)).read_bytes()) == before
    assert (store.read_ref(REPO, "main"), store.is_hearsay(REPO, "refs/main")) == (COMMIT, False)
    assert (store.read_ref(REPO, "heard"), store.is_hearsay(REPO, "refs/heard")) == (COMMIT, True)


def test_a_blob_that_is_being_fetched(store, settings):  # noqa: F811
    commit_of(store, CONTENT, age=2 * DAY)
    loose = blob(store, lfs_entry(b"loose"))
    loose.write_bytes(b"loose")
    with removal.fetch_lock(store, "models--org--name", loose.name) as held:
        assert held
        answer = collect_garbage(store, settings)
    assert answer["removed"] == []
    assert "being fetched" in [row["reason"] for row in answer["kept"]]
    assert loose.exists()


def test_published_and_no_node_answers(store, settings):  # noqa: F811
    """References would be left dangling in the node; with the setting `off` there is none."""
    from dataclasses import replace

    for commit in (COMMIT, SECOND):
        commit_of(store, commit.encode() * 100, commit, age=2 * DAY)
    done = publisher.Publication(REPO, COMMIT, 1, len(CONTENT), "12D3KooW", "bafy")
    publisher._remember(store, done, ["model.bin"])
    for node in ("/ip4/127.0.0.1/tcp/9", "http://127.0.0.1:9"):
        answer = collect_garbage(store, replace(settings, node=node), dry_run=True, older_than=DAY)
        assert gone(answer) == {(REPO, SECOND)}
        assert [row["reason"] for row in answer["kept"]] == ["published, and the node does not answer"]
    collect_garbage(store, replace(settings, node="/ip4/127.0.0.1/tcp/9"), older_than=DAY)
    assert visible(store) == {COMMIT: COMMIT.encode() * 100}
    assert gone(collect_garbage(store, settings, older_than=DAY)) == {(REPO, COMMIT)}


# -- left-overs ---------------------------------------------------------------------------------------------------
def test_blobs_that_no_commit_shows(collect, store):  # noqa: F811
    commit_of(store, CONTENT)
    loose = blob(store, lfs_entry(b"loose"))
    loose.write_bytes(b"loose")
    answer = collect()
    [row] = answer["removed"]
    assert (row["repo"], row["commit"], row["size"], row["path"]) == (REPO, None, 5, str(loose))
    assert answer["freed"] == 5
    assert not loose.exists() and blob(store).exists()


@pytest.mark.parametrize("where", ["models--org--name/blobs", ".locks/ipfs_accelerate/tmp"])
def test_parts_that_nobody_continues(collect, store, where):  # noqa: F811
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


def test_scratch_of_the_hubs_client(collect, store):  # noqa: F811
    commit_of(store, CONTENT)
    scratch = store.own_folder / "hub" / "models--org--name"
    for name in ("blobs/old", "blobs/new", "refs/main"):
        (scratch / name).parent.mkdir(parents=True, exist_ok=True)
        (scratch / name).write_bytes(b"abc")
        make_old(scratch / name, 0 if "new" in name else 2 * DAY)
    assert [row["path"] for row in collect()["removed"]] == [str(scratch / "blobs/old")]


def test_links_that_lead_nowhere(collect, store):  # noqa: F811
    commit_of(store, CONTENT)
    dangling = put(store, b"gone", path="gone.bin")
    dangling.resolve().unlink()
    found = collect()
    assert [row["path"] for row in found["removed"]] == [str(dangling)]
    assert visible(store) == {COMMIT: CONTENT}


def test_a_ref_and_a_listing_of_a_commit_that_is_not_here(collect, store):  # noqa: F811
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


def test_what_is_known_of_a_commit_of_which_no_file_is_here_stays(collect, store):  # noqa: F811
    store.write_tree(REPO, Tree(COMMIT, {"model.bin": lfs_entry(b"x")}))
    store.write_ref(REPO, "main", COMMIT)
    assert collect()["removed"] == []
    assert store.read_ref(REPO, "main") == COMMIT and store.read_tree(REPO, COMMIT)
    assert gone(collect(older_than=-1.0)) == {(REPO, COMMIT)}  # as if it were old


def test_notes_on_repos_that_are_gone(collect, store):  # noqa: F811
    commit_of(store, CONTENT, ref="main")
    own = store.own_folder
    dead = f"{use._machine()}-4000000-1"
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


def test_what_a_collection_that_was_killed_left(collect, store):  # noqa: F811
    commit_of(store, CONTENT)
    trash = store.own_folder / "trash" / "1-abc"
    trash.mkdir(parents=True)
    (trash / "model.bin").symlink_to("../../../models--org--name/blobs/x")
    assert len(collect()["removed"]) == 1
    assert not trash.exists()


@pytest.mark.parametrize("stray", ["datasets--a--b/blobs/x", "notes.txt", "models--a--b--c/blobs/x"])
def test_what_is_not_ours_stays(store, settings, stray):  # noqa: F811
    commit_of(store, CONTENT, age=2 * DAY)
    (store.root / stray).parent.mkdir(parents=True, exist_ok=True)
    (store.root / stray).write_text("x")
    make_old(store.root / stray, 100 * DAY)
    collect_garbage(store, settings, older_than=DAY)
    assert (store.root / stray).read_text() == "x"


def test_progress(store, settings):  # noqa: F811
    commit_of(store, CONTENT, age=2 * DAY)
    seen = []
    collect_garbage(store, settings, older_than=DAY, progress=lambda name, size: seen.append((name, size)))
    assert seen == [(REPO, len(CONTENT))]


def test_the_pictures_see_every_change(store):  # noqa: F811
    commit_of(store, CONTENT)
    before = picture(store.root)
    store.own_folder.joinpath("x").touch()
    assert picture(store.root) != before
    assert hashlib.sha256(CONTENT).hexdigest() == lfs_entry(CONTENT).etag and git_entry(b"")
    assert isinstance(store, Store)
