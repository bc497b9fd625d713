"""`gc`: what stays, whatever is asked."""

import json
import os
import threading

import pytest

from ipfs_accelerate_py.errors import LockFileError
from ipfs_accelerate_py.maintenance import deletion
from ipfs_accelerate_py.maintenance.collect import collect_garbage
from ipfs_accelerate_py.publish import publisher
from ipfs_accelerate_py.store import layout, leases

from .collecting import DAY, SECOND, commit_of, gone, picture, visible
from .stored import COMMIT, CONTENT, REPO, blob, lfs_entry


# -- what stays ---------------------------------------------------------------------------------------------------
def write_lock_file(path, repo_id, commit, tree):
    row = {"size": tree.size, "blob_id": "e" * 40, "lfs_sha256": tree.sha256, "lfs_size": tree.size}
    repos = {f"{repo_id}@{commit}": {"revisions": ["main"], "files": {"model.bin": row}, "info": {}}}
    path.write_text(json.dumps({"lock_version": 1, "repos": repos}))


def test_what_the_lock_file_names(store, settings, tmp_path):
    from dataclasses import replace

    commit_of(store, CONTENT, age=2 * DAY)
    commit_of(store, b"other", SECOND, age=2 * DAY)
    loose = blob(store, lfs_entry(b"loose"))
    loose.write_bytes(b"loose")
    write_lock_file(tmp_path / "lock", REPO, COMMIT, lfs_entry(CONTENT))
    settings = replace(settings, lock=tmp_path / "lock")
    for options in ({"older_than": DAY}, {"max_size": 0}):
        answer = collect_garbage(store, settings, **options).to_dict()
        assert (REPO, COMMIT) not in gone(answer)
        assert {row["commit"]: row["reason"] for row in answer["kept"]} == {COMMIT: "pinned by the lock file"}
    assert visible(store) == {COMMIT: CONTENT}
    # nor does a blob go that the lock file names and no commit shows yet
    store.path(layout.snapshot_path(REPO, COMMIT, "model.bin")).unlink()
    assert collect_garbage(store, settings).removed == ()
    assert blob(store).exists() and not loose.exists()


@pytest.mark.parametrize("text", ["{", None])
def test_a_broken_lock_file_stops_it(store, settings, tmp_path, text):
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


def test_what_this_process_has_open(collect, store):
    commit_of(store, CONTENT, age=2 * DAY)
    with open(store.path(layout.snapshot_path(REPO, COMMIT, "model.bin")), "rb"):
        answer = collect(max_size=0)
    assert answer["removed"] == []
    assert answer["kept"][0]["reason"] == f"in use by process {os.getpid()}"
    assert gone(collect(max_size=0)) == {(REPO, COMMIT)}


def test_what_a_living_process_is_about_to_read(collect, store):
    commit_of(store, CONTENT, age=2 * DAY)
    leases.take(store, REPO, COMMIT)
    answer = collect(max_size=0)
    assert (answer["removed"], answer["kept"][0]["reason"]) == ([], f"in use by process {os.getpid()}")


def test_a_load_that_begins_after_the_first_look(store, settings, monkeypatch):
    commit_of(store, CONTENT, age=2 * DAY, ref="main")
    store.write_ref(REPO, "heard", COMMIT, unconfirmed=True)
    before = visible(store), store.path(layout.tree_path(REPO, COMMIT)).read_bytes()
    remove = deletion.remove_snapshot

    def mark_and_remove(store, snapshot):
        leases.take(store, REPO, COMMIT)
        return remove(store, snapshot)

    with monkeypatch.context() as patch:
        patch.setattr(deletion, "remove_snapshot", mark_and_remove)
        answer = collect_garbage(store, settings, older_than=DAY).to_dict()
    assert (answer["removed"], answer["kept"][0]["reason"]) == ([], f"in use by process {os.getpid()}")
    assert (visible(store), store.path(layout.tree_path(REPO, COMMIT)).read_bytes()) == before
    assert (store.read_ref(REPO, "main"), store.is_unconfirmed(REPO, "refs/main")) == (COMMIT, False)
    assert (store.read_ref(REPO, "heard"), store.is_unconfirmed(REPO, "refs/heard")) == (COMMIT, True)


def test_a_load_that_begins_in_the_middle_waits_and_finds_nothing_half_gone(store, settings, monkeypatch):
    commit_of(store, CONTENT, age=2 * DAY, ref="main")
    rename, marked = os.rename, []

    def load():
        leases.take(store, REPO, COMMIT)
        marked.append((visible(store), store.read_ref(REPO, "main"), store.read_tree(REPO, COMMIT)))

    def load_and_rename(source, target):
        if loads.ident is None:
            loads.start()
            loads.join(0.3)
            assert not marked
        rename(source, target)

    loads = threading.Thread(target=load)
    with monkeypatch.context() as patch:
        patch.setattr(deletion.os, "rename", load_and_rename)
        answer = collect_garbage(store, settings, older_than=DAY).to_dict()
    loads.join()
    assert gone(answer) == {(REPO, COMMIT)}
    assert marked == [({}, None, None)]
    assert leases.holder_of(store, REPO, COMMIT) == f"process {os.getpid()}"  # its mark is still there


def test_an_empty_folder_that_goes_before_a_file_is_renamed_into_it(store, monkeypatch):
    replace, times = os.replace, []

    def remove_and_replace(source, target):
        if not times:
            os.rmdir(os.path.dirname(target))
        times.append(target)
        replace(source, target)

    monkeypatch.setattr(os, "replace", remove_and_replace)
    store.write_ref(REPO, "refs/pr/1", COMMIT)
    assert (store.read_ref(REPO, "refs/pr/1"), len(times)) == (COMMIT, 2)


def test_who_stands_still_while_it_marks_is_left_alone(store, settings, monkeypatch):
    commit_of(store, CONTENT, age=2 * DAY, ref="main")
    before = visible(store)
    monkeypatch.setattr(leases, "_DEADLINE", 0.1)
    with leases.hold_lock(store) as held:
        assert held
        answer = collect_garbage(store, settings, older_than=DAY).to_dict()
    assert (answer["removed"], answer["kept"][0]["reason"]) == ([], "in use by a process that is marking it")
    assert visible(store) == before


def test_a_blob_that_is_being_fetched(store, settings):
    commit_of(store, CONTENT, age=2 * DAY)
    loose = blob(store, lfs_entry(b"loose"))
    loose.write_bytes(b"loose")
    with deletion.fetch_lock(store, "models--org--name", loose.name) as held:
        assert held
        answer = collect_garbage(store, settings).to_dict()
    assert answer["removed"] == []
    assert "being fetched" in [row["reason"] for row in answer["kept"]]
    assert loose.exists()


def test_published_and_no_node_answers(store, settings):
    """References would be left dangling in the node; with the setting `off` there is none."""
    from dataclasses import replace

    for commit in (COMMIT, SECOND):
        commit_of(store, commit.encode() * 100, commit, age=2 * DAY)
    done = publisher.Publication(REPO, COMMIT, 1, len(CONTENT), "12D3KooW", "bafy")
    publisher._remember(store, done, ["model.bin"], "/ip4/127.0.0.1/tcp/5001")
    for node in ("/ip4/127.0.0.1/tcp/9", "http://127.0.0.1:9"):
        answer = collect_garbage(store, replace(settings, node=node), dry_run=True, older_than=DAY).to_dict()
        assert gone(answer) == {(REPO, SECOND)}
        assert [row["reason"] for row in answer["kept"]] == ["published, and the node does not answer"]
    collect_garbage(store, replace(settings, node="/ip4/127.0.0.1/tcp/9"), older_than=DAY)
    assert visible(store) == {COMMIT: COMMIT.encode() * 100}
    assert gone(collect_garbage(store, settings, older_than=DAY).to_dict()) == {(REPO, COMMIT)}
