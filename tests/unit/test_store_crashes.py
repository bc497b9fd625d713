"""The store after writers that were killed, and with writers at once, as huggingface_hub sees it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import huggingface_hub
import pytest

import ipfs_accelerate_py
from ipfs_accelerate_py.store.tree import Entry, Tree

from .stored import COMMIT, CONTENT, ENTRY, REPO, blob, files, git_entry, lfs_entry, put

SOURCE = Path(ipfs_accelerate_py.__file__).parent.parent
TREE = Tree(COMMIT, {"model.bin": ENTRY})


def in_child(code, *arguments, **options):
    env = {**os.environ, "PYTHONPATH": str(SOURCE), "IPFS_ACCELERATE": "0"}
    head = "import os, sys, time\nfrom pathlib import Path\nfrom ipfs_accelerate_py.store.store import Store\n"
    head += "from ipfs_accelerate_py.store.tree import Entry, Tree\nfrom ipfs_accelerate_py.store import layout\n"
    head += f"REPO, COMMIT = {REPO!r}, {COMMIT!r}\nstore = Store(Path(sys.argv[1]))\n"
    command = [sys.executable, "-c", head + code, *map(str, arguments)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True, **options)


CRASH = """
entry = Entry(1 << 40, "e" * 40, "c" * 64)
store.write_ref(REPO, "main", COMMIT)
store.write_tree(REPO, Tree(COMMIT, {"model.bin": entry}))
with store.receive(REPO, entry) as writer:
    first = True
    while True:
        writer.write(b"x" * 65536)
        if first:
            print("writing", flush=True)
        first = False
"""
CRASH_IN_LINKS = """
entry = Entry(5, "e" * 40, sys.argv[2])
number = 0
while True:
    store.link(REPO, COMMIT, f"file{number % 7}", entry)
    store.write_ref(REPO, f"branch{number % 3}", COMMIT)
    store.write_tree(REPO, Tree(COMMIT, {"file0": entry}))
    number += 1
    if number == 3:
        print("writing", flush=True)
"""


def kill_while_writing(code, *arguments):
    child = in_child(code, *arguments)
    assert child.stdout.readline() == "writing\n"
    time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()


def scan_without_warnings(store):
    found = huggingface_hub.scan_cache_dir(store.root)
    assert [str(warning) for warning in found.warnings] == []
    return found


def test_huggingface_hub_has_no_complaint(store):
    put(store, path="sub/model.bin")
    put(store, b"{}", git_entry(b"{}"), "config.json")
    store.write_ref(REPO, "main", COMMIT)
    store.write_tree(REPO, Tree(COMMIT, {"sub/model.bin": ENTRY, "config.json": git_entry(b"{}")}))
    store.mark_missing(REPO, COMMIT, "missing.json")
    store.write_tree("org/other", TREE, unconfirmed=True)
    store.write_ref("org/other", "main", COMMIT, unconfirmed=True)
    found = scan_without_warnings(store)
    repo = next(each for each in found.repos if each.repo_id == REPO)
    [revision] = repo.revisions
    assert revision.commit_hash == COMMIT and revision.refs == {"main"}
    assert {file.file_name for file in revision.files} == {"model.bin", "config.json"}
    assert repo.size_on_disk == len(CONTENT) + 2


def test_nor_after_writers_were_killed(store):
    put(store, b"small", path="file0")
    for _ in range(3):
        kill_while_writing(CRASH, store.root)
        kill_while_writing(CRASH_IN_LINKS, store.root, lfs_entry(b"small").etag)
    assert [name for name in files(store.root) if name.endswith(".incomplete")]  # they were in the middle of it
    found = scan_without_warnings(store)
    for repo in found.repos:
        for revision in repo.revisions:
            for file in revision.files:
                assert file.file_path.read_bytes() == b"small"
    assert store.find_blob(REPO, Entry(1 << 40, "e" * 40, "c" * 64)) is None
    # and nothing of theirs is in the way
    assert put(store).read_bytes() == CONTENT
    assert store.read_ref(REPO, "main") == COMMIT


DIE_BEFORE_RENAME = """
import signal
os.replace = lambda *names: os.kill(os.getpid(), signal.SIGKILL)
entry = Entry(5, "e" * 40, sys.argv[2])
if sys.argv[3] == "link":
    store.link(REPO, COMMIT, "file1", entry)
elif sys.argv[3] == "ref":
    store.write_ref(REPO, "branch", COMMIT)
elif sys.argv[3] == "tree":
    store.write_tree(REPO, Tree(COMMIT, {"file0": entry}))
else:
    with store.receive(REPO, entry) as writer:
        writer.write(b"small")
        writer.finish(store.path(layout.blob_path(REPO, entry.etag)))
"""


@pytest.mark.parametrize("what", ["link", "ref", "tree", "blob"])
def test_nor_after_one_that_died_right_before_its_rename(store, what):
    put(store, b"small", path="file0")
    store.write_ref(REPO, "main", COMMIT)
    child = in_child(DIE_BEFORE_RENAME, store.root, lfs_entry(b"small").etag, what)
    child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL
    assert [name for name in files(store.root) if name.endswith(".incomplete")]
    [repo] = scan_without_warnings(store).repos
    [revision] = repo.revisions
    assert {file.file_name for file in revision.files} == {"file0"}
    assert revision.refs == {"main"}


RACE = """
content = Path(sys.argv[2]).read_bytes()
entry = Entry(len(content), "e" * 40, sys.argv[3])
print("ready", flush=True)
while not Path(sys.argv[4]).exists():
    time.sleep(0.001)
for _ in range(10):
    with store.receive(REPO, entry) as writer:
        for start in range(0, len(content), 65536):
            writer.write(content[start:start + 65536])
        writer.finish(store.path(layout.blob_path(REPO, entry.etag)))
    store.link(REPO, COMMIT, "model.bin", entry)
    store.write_ref(REPO, "main", COMMIT)
    seen = store.find(REPO, COMMIT, "model.bin", entry)
    assert seen is not None and seen.read_bytes() == content
"""


def test_two_processes_write_the_same_blob_at_once(store, tmp_path):
    (tmp_path / "content").write_bytes(CONTENT)
    arguments = (store.root, tmp_path / "content", ENTRY.etag, tmp_path / "go")
    children = [in_child(RACE, *arguments, stderr=subprocess.PIPE) for _ in range(2)]
    assert [child.stdout.readline() for child in children] == ["ready\n"] * 2
    (tmp_path / "go").touch()
    for child in children:
        _, err = child.communicate(timeout=60)
        assert child.returncode == 0, err
    assert files(store.root) == [
        f"models--org--name/blobs/{ENTRY.etag}",
        "models--org--name/refs/main",
        f"models--org--name/snapshots/{COMMIT}/model.bin",
    ]
    assert blob(store).read_bytes() == CONTENT
    scan_without_warnings(store)


def test_the_first_part_that_is_still_there_is_continued(store, tmp_path):
    (tmp_path / "part").write_bytes(CONTENT[:5])
    with store.receive(REPO, ENTRY) as writer:
        assert not writer.continue_first([tmp_path / "taken by another"])
        assert writer.size == 0
        assert writer.continue_first([tmp_path / "taken by another", tmp_path / "part"])
        assert writer.size == 5 and not (tmp_path / "part").exists()
        writer.write(CONTENT[5:])
        writer.finish(blob(store))
    assert blob(store).read_bytes() == CONTENT
