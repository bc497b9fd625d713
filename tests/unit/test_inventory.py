"""`ls`: what is where, counted once."""

import json
import os
import time
from datetime import datetime, timezone

import pytest

from ipfs_accelerate_py.config.settings import Settings
from ipfs_accelerate_py.maintenance.inventory import list_commits
from ipfs_accelerate_py.publish import publisher
from ipfs_accelerate_py.store import layout, leases, scan
from ipfs_accelerate_py.store.store import Store
from ipfs_accelerate_py.store.tree import Tree

from .stored import COMMIT, CONTENT, REPO, blob, git_entry, lfs_entry, put

SECOND = "f" * 40
CONFIG = b'{"a": 1}'


@pytest.fixture
def settings(tmp_path, store):
    return Settings(store.root, "off", (tmp_path / "cache",), "off", (), 1.0, "WARNING", False)


def list_repos(store, settings):
    """The rows of the document of --json."""
    return [commit.to_dict() for commit in list_commits(store, settings)]


def rows(store, settings):
    return {(row["repo"], row["commit"], row["tier"]): row for row in list_repos(store, settings)}


def test_an_empty_machine(store, settings):
    assert list_repos(store, settings) == []
    assert not store.root.exists()


def test_what_is_there(store, settings):
    put(store, path="sub/model.bin")
    store.write_tree(REPO, Tree(COMMIT, {"sub/model.bin": lfs_entry(CONTENT), "config.json": git_entry(CONFIG)}))
    store.write_ref(REPO, "main", COMMIT)
    store.write_ref(REPO, "refs/pr/1", COMMIT)
    os.utime(blob(store), (1_000_000_000, 900_000_000))
    [row] = list_repos(store, settings)
    assert row == {
        "repo": REPO,
        "commit": COMMIT,
        "refs": ["main", "refs/pr/1"],
        "size": len(CONTENT),
        "files": 1,
        "complete": False,
        "published": False,
        "tier": "store",
        "last_used": "2001-09-09T01:46:40+00:00",
        "disk": len(CONTENT),
    }
    assert json.loads(json.dumps(row)) == row
    put(store, CONFIG, git_entry(CONFIG), "config.json")
    [row] = list_repos(store, settings)
    assert (row["complete"], row["files"], row["size"]) == (True, 2, len(CONTENT) + len(CONFIG))
    assert time.time() - datetime.fromisoformat(row["last_used"]).timestamp() < 60


def test_a_commit_of_which_nothing_is_there_is_not_listed(store, settings):
    store.write_tree(REPO, Tree(COMMIT, {"config.json": git_entry(CONFIG)}))
    assert list_repos(store, settings) == []


def test_nobody_has_said_what_is_complete(store, settings):
    put(store)
    assert list_repos(store, settings)[0]["complete"] is None


def test_a_link_that_leads_nowhere_is_no_file(store, settings):
    put(store)
    put(store, CONFIG, git_entry(CONFIG), "config.json")
    blob(store).unlink()
    assert list_repos(store, settings)[0]["files"] == 1


def test_what_two_commits_share_takes_its_room_once(store, settings):
    put(store)
    put(store, b"old", path="old")
    put(store, commit=SECOND)
    put(store, b"newer", path="newer", commit=SECOND)
    os.utime(blob(store), (1_000, 1_000))
    os.utime(blob(store, lfs_entry(b"old")), (2_000, 2_000))
    found = rows(store, settings)
    older, newer = found[REPO, COMMIT, "store"], found[REPO, SECOND, "store"]
    assert (older["size"], newer["size"]) == (len(CONTENT) + 3, len(CONTENT) + 5)
    assert (older["disk"], newer["disk"]) == (3, len(CONTENT) + 5)


def test_the_caches_below(store, settings):
    """What they have a hard link to takes no room here; nothing of theirs is changed."""
    cache = Store(settings.lower[0])
    put(cache)
    cache.write_ref(REPO, "main", COMMIT)
    with store.receive(REPO, lfs_entry(CONTENT)) as writer:
        writer.adopt(blob(cache))
        writer.finish(blob(store))
    store.link(REPO, COMMIT, "model.bin", lfs_entry(CONTENT))
    found = rows(store, settings)
    own, below = found[REPO, COMMIT, "store"], found[REPO, COMMIT, str(cache.root)]
    assert (own["size"], own["disk"]) == (len(CONTENT), 0)
    assert (below["size"], below["disk"], below["refs"], below["published"]) == (len(CONTENT), 0, ["main"], False)
    blob(cache).unlink()
    assert rows(store, settings)[REPO, COMMIT, "store"]["disk"] == len(CONTENT)


def test_a_store_that_is_the_cache_is_listed_once(store, settings, tmp_path):
    put(store)
    (tmp_path / "cache").symlink_to(store.root)
    assert len(list_repos(store, settings)) == 1


def test_what_is_published(store, settings):
    put(store)
    put(store, b"other", commit=SECOND)
    done = publisher.Publication(REPO, COMMIT, 1, len(CONTENT), "12D3KooW", "bafy")
    publisher._remember(store, done, ["model.bin"], "/ip4/127.0.0.1/tcp/5001")
    found = rows(store, settings)
    assert found[REPO, COMMIT, "store"]["published"] is True
    assert found[REPO, SECOND, "store"]["published"] is False


@pytest.mark.parametrize("stray", ["kernels--a--b", "datasets", "models--", "models--a--b--c--d", "file", "blobs"])
def test_what_is_no_repo_is_passed_over(store, settings, stray):
    put(store)
    (store.root / stray / "snapshots" / COMMIT).mkdir(parents=True)
    (store.root / stray / "snapshots" / COMMIT / "x").write_text("x")
    (store.root / "models--org--name" / "snapshots" / "not-a-commit").mkdir()
    assert [row["repo"] for row in list_repos(store, settings)] == [REPO]


# -- marks of use -------------------------------------------------------------------------------------------------
def test_a_mark_lasts_as_long_as_its_process(store):
    leases.take(store, REPO, COMMIT)
    assert leases.holder_of(store, REPO, COMMIT) == f"process {os.getpid()}"
    assert leases.holder_of(store, REPO, SECOND) is None
    [mark] = leases.folder(store, REPO, COMMIT).iterdir()
    old = time.time() - leases.READING - 1
    os.utime(mark, (old, old))
    assert leases.holder_of(store, REPO, COMMIT) is None


def test_the_mark_of_a_process_that_ended_does_not_count(store):
    child = os.fork()
    if child == 0:
        leases.take(store, REPO, COMMIT)
        os._exit(0)
    os.waitpid(child, 0)
    assert len(list(leases.folder(store, REPO, COMMIT).iterdir())) == 1
    assert leases.holder_of(store, REPO, COMMIT) is None


def test_nor_does_one_of_another_process_with_the_same_number(store):
    leases.take(store, REPO, COMMIT)
    [mark] = leases.folder(store, REPO, COMMIT).iterdir()
    machine, pid, started = mark.name.split("-")
    mark.rename(mark.with_name(f"{machine}-{pid}-{int(started) - 1}"))
    assert leases.holder_of(store, REPO, COMMIT) is None
    # of another machine's processes nothing is known: a young mark of theirs counts
    (mark.parent / f"{'0' * 12}-1-1").touch()
    assert leases.holder_of(store, REPO, COMMIT) == "process 1"


def test_marks_of_many_short_programs_do_not_pile_up(store):
    folder = leases.folder(store, REPO, COMMIT)
    folder.mkdir(parents=True)
    for number in range(100):
        (folder / f"{leases._machine()}-{4_000_000 + number}-1").touch()
    leases.take(store, REPO, COMMIT)
    assert len(list(folder.iterdir())) == 1


def test_a_load_moves_the_time_of_access_and_nothing_else(store):
    visible = put(store)
    os.utime(blob(store), (1_000, 2_000))
    leases.note_use([visible, store.root / "gone"])
    status = blob(store).stat()
    assert (time.time() - status.st_atime < 60, status.st_mtime) == (True, 2_000)
    used = scan.scan(store.root)[0].snapshots[0].last_used
    assert used == status.st_atime


def test_who_has_a_file_open_or_mapped(store):
    import mmap

    visible = put(store)
    number = blob(store).stat().st_ino
    assert leases.holders({number}) == {}
    with open(visible, "rb") as file:
        assert leases.holders({number}) == {number: f"process {os.getpid()}"}
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    assert leases.holders({number}) == {number: f"process {os.getpid()}"}
    mapped.close()
    assert leases.holders({number}) == {}


def test_dates_are_in_utc(store, settings):
    put(store)
    found = datetime.fromisoformat(list_repos(store, settings)[0]["last_used"])
    assert found.tzinfo is not None and found.utcoffset() == timezone.utc.utcoffset(None)
    assert layout.repo_folder(REPO) == scan.scan(store.root)[0].folder.name
