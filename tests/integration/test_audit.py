"""`verify`: every damage is found, and `--repair` brings the right bytes back or nothing."""

import hashlib
import json
import os
from collections import Counter

import pytest

from ipfs_accelerate_py import operations
from ipfs_accelerate_py.errors import LockFileError, StoreError
from ipfs_accelerate_py.store import layout
from tests.support.in_process import write_repo

pytestmark = pytest.mark.lines
REPO, OTHER = "acme/model", "acme/other"
FILES = {"config.json": b'{"a": 1}', "sub/vocab.txt": b"a b c\n", "empty.txt": b"", "model.safetensors": bytes(300_000)}
NAMES = ["config.json", "model.safetensors"]  # a git blob id, and a sha256


@pytest.fixture
def hub(serve_repos):
    return serve_repos(dict.fromkeys((REPO, OTHER), FILES))


@pytest.fixture
def loaded(hub, here):
    found = here.resolve(REPO)
    here.make_present(found)
    hub.log.clear()
    return found


def verify(here, *repo_ids, **options):
    """The document of --json."""
    return operations.verify_store(here.settings, repo_ids, **options).to_dict()


def blob(here, found, name):
    return here.store.path(layout.blob_path(REPO, found.tree.files[name].etag))


def contents(here):
    return dict(here.visible())


DAMAGES = {
    "flipped": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    "truncated": lambda content: content[:-1],
    "longer": lambda content: content + b"x",
    "emptied": lambda content: b"",
}


def damage(path, change=DAMAGES["flipped"]):
    """In place: the inode, its links and its times stay."""
    times = path.stat()
    path.write_bytes(change(path.read_bytes()))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_all_good(loaded, here, hub):
    seen = Counter()
    before = blob(here, loaded, "config.json").stat().st_atime_ns
    assert verify(here, progress=lambda path, size: seen.update({path: size})) == {
        "ok": True,
        "files": len(FILES),
        "bad": [],
    }
    assert seen == Counter({path: len(content) for path, content in FILES.items()})
    assert hub.log == []
    assert blob(here, loaded, "config.json").stat().st_atime_ns == before  # looking is no use


@pytest.mark.parametrize("change", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_file_is_found_and_repaired(loaded, here, hub, name, change):
    damage(blob(here, loaded, name), change)
    found = verify(here)
    [row] = found["bad"]
    assert (found["ok"], found["files"]) == (False, len(FILES))
    assert (row["repo"], row["commit"], row["path"]) == (REPO, loaded.commit, name)
    assert row["expected"] == loaded.tree.files[name].etag != row["actual"]
    assert len(row["actual"]) == len(row["expected"])
    assert contents(here) != FILES  # without --repair nothing is changed

    found = verify(here, repair=True)
    assert (found["ok"], [row["repaired"] for row in found["bad"]]) == (True, [True])
    assert contents(here) == FILES
    assert len([each for each in hub.log if each["method"] == "GET" and name in each["path"]]) >= 1
    assert verify(here)["bad"] == []


def test_what_cannot_be_fetched_again_is_gone_all_the_same(loaded, here, hub):
    damage(blob(here, loaded, "config.json"))
    hub.fault(match="GET .*config.json", corrupt=3)
    found = verify(here, repair=True)
    [row] = found["bad"]
    assert (found["ok"], row["repaired"]) == (False, False)
    assert row["error"]
    assert set(contents(here)) == FILES.keys() - {"config.json"}


def test_a_hard_link_to_a_lower_tier_that_was_changed_in_place(hub, here):
    here.fill_cache(hub, REPO)
    found = here.resolve(REPO)
    visible = here.make_present(found)["model.safetensors"]
    below = next(here.cache.glob("models--acme--model/snapshots/*/model.safetensors")).resolve()
    assert visible.samefile(below)
    damage(below)
    [row] = verify(here)["bad"]
    assert (row["path"], row["also"]) == ("model.safetensors", str(below))
    bad = below.read_bytes()
    assert verify(here, repair=True)["ok"]
    assert contents(here) == FILES
    assert below.read_bytes() == bad  # it is read only to us
    assert not visible.samefile(below)


def test_a_link_that_leads_nowhere(loaded, here):
    blob(here, loaded, "config.json").unlink()
    [row] = verify(here)["bad"]
    assert (row["path"], row["actual"]) == ("config.json", "missing")
    assert verify(here, repair=True)["ok"]
    assert contents(here) == FILES


def test_a_blob_that_no_commit_shows_and_is_not_what_its_name_says(loaded, here):
    loose = here.store.path(layout.blob_path(REPO, "a" * 64))
    loose.write_bytes(b"something else")
    good = here.store.path(layout.blob_path(REPO, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"))
    assert good.exists()
    [row] = verify(here)["bad"]
    assert (row["path"], row["expected"], row["commit"]) == (f"blobs/{'a' * 64}", "a" * 64, "")
    assert verify(here, repair=True)["ok"]
    assert not loose.exists() and good.exists()


def test_a_listing_that_cannot_be_read(loaded, here, hub):
    here.store.path(layout.tree_path(REPO, loaded.commit)).write_text("{")
    damage(blob(here, loaded, "config.json"))
    here.forget()
    found = verify(here)
    assert [row["path"] for row in found["bad"]] == [f"trees/{loaded.commit}.json", *sorted(FILES)]
    assert {row["expected"] for row in found["bad"][1:]} == {"unknown"}
    found = verify(here, repair=True)
    assert found["ok"], found
    assert contents(here) == FILES
    assert verify(here)["ok"]


def test_a_commit_without_a_listing_is_unknown_and_not_good(loaded, here):
    here.store.path(layout.tree_path(REPO, loaded.commit)).unlink()
    here.point_at(None)
    here.forget()
    found = verify(here)
    assert not found["ok"]
    assert {row["expected"] for row in found["bad"]} == {"unknown"}
    assert {row["path"]: row["actual"] for row in found["bad"]} == {
        path: entry.etag for path, entry in loaded.tree.files.items()
    }
    found = verify(here, repair=True)
    assert not found["ok"] and contents(here) == FILES  # nobody says that these are wrong


def test_the_listing_of_a_lower_tier_counts_where_there_is_no_other(hub, here):
    here.fill_cache(hub, REPO)
    found = here.resolve(REPO)
    here.make_present(found)
    here.store.path(layout.tree_path(REPO, found.commit)).unlink()
    assert verify(here)["ok"]


def test_a_file_that_the_commit_does_not_have(loaded, here):
    stray = here.store.path(layout.snapshot_path(REPO, loaded.commit, "stray.py"))
    stray.write_text("print()")
    [row] = verify(here)["bad"]
    assert (row["path"], row["expected"]) == ("stray.py", "unknown")
    assert verify(here, repair=True)["ok"]
    assert contents(here) == FILES


def test_two_commits_that_share_a_damaged_blob(loaded, here, hub, tmp_path):
    write_repo(tmp_path / "second", REPO, {**FILES, "config.json": b"{}"})
    hub.add(REPO, str(tmp_path / "second" / REPO))
    here.forget()
    later = here.resolve(REPO)
    assert later.commit != loaded.commit
    here.make_present(later)
    damage(blob(here, loaded, "model.safetensors"))
    found = verify(here, repair=True)
    assert [row["repaired"] for row in found["bad"]] == [True, True]
    assert verify(here) == {"ok": True, "files": 2 * len(FILES), "bad": []}


def test_only_the_repos_that_are_named(loaded, here):
    other = here.resolve(OTHER)
    here.make_present(other)
    damage(blob(here, loaded, "config.json"))
    assert verify(here, OTHER) == {"ok": True, "files": len(FILES), "bad": []}
    assert verify(here, OTHER, REPO)["files"] == 2 * len(FILES)
    with pytest.raises(StoreError, match="nothing of acme/none") as caught:
        verify(here, "acme/none")
    assert caught.value.hint


def test_the_lock_files_word_beats_the_listing(loaded, here, tmp_path):
    """Whoever can make two files of one sha1 meets the sha256 of the lock file."""
    row = {"size": 8, "blob_id": loaded.tree.files["config.json"].etag}
    for sha256, good in ((hashlib.sha256(FILES["config.json"]).hexdigest(), True), ("0" * 64, False)):
        row["sha256"] = sha256
        repos = {f"{REPO}@{loaded.commit}": {"revisions": ["main"], "files": {"config.json": row}, "info": {}}}
        (tmp_path / "lock").write_text(json.dumps({"lock_version": 1, "repos": repos}))
        here.change(lock=tmp_path / "lock")
        found = verify(here)
        assert found["ok"] is good
        assert [each["expected"] for each in found["bad"]] == ([] if good else [sha256])


def test_a_broken_lock_file_stops_it(loaded, here, tmp_path):
    (tmp_path / "lock").write_text("{")
    here.change(lock=tmp_path / "lock")
    with pytest.raises(LockFileError):
        verify(here)
