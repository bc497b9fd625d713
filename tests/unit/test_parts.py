"""Parts of downloads: which process they are of, which continues them, and that none disturbs a writer."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ipfs_accelerate_py.errors import SourceError
from ipfs_accelerate_py.store import layout, locks, partial
from ipfs_accelerate_py.store import writer as writer_module
from ipfs_accelerate_py.store.store import Store

from .stored import REPO, blob, lfs_entry

CONTENT = os.urandom(3_000_000)
ENTRY = lfs_entry(CONTENT)
HALF = CONTENT[:2_000_000]


@pytest.fixture(scope="module")
def dead():
    """The number of no process, nor of one that may come while the test runs."""
    with open("/proc/sys/kernel/pid_max") as most:
        return int(most.read()) + 1


def part(store, pid, content=HALF, age=0.0, host=None):
    """A part of ENTRY that this process left."""
    folder = blob(store, ENTRY).parent
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{ENTRY.etag[:16]}.{host or partial._host()}.{pid}-{os.urandom(3).hex()}.incomplete"
    path.write_bytes(content)
    os.utime(path, (time.time() - age,) * 2)
    return path


def found(store):
    return list(partial.find_parts(blob(store, ENTRY).parent, ENTRY.etag))


def receive_rest(store):
    """What was there already, when the rest was given."""
    with store.receive(REPO, ENTRY) as writer:
        writer.continue_first(found(store))
        size = writer.size
        writer.write(CONTENT[size:])
        writer.finish(blob(store, ENTRY))
    assert blob(store, ENTRY).read_bytes() == CONTENT
    return size


# -- going on -----------------------------------------------------------------------------------------------------
def test_the_part_of_a_dead_process_is_gone_on_with_and_not_copied(store, dead):
    inode = part(store, dead).stat().st_ino
    assert receive_rest(store) == len(HALF)
    assert blob(store, ENTRY).stat().st_ino == inode
    assert os.listdir(blob(store, ENTRY).parent) == [ENTRY.etag]


def test_an_agent_that_looks_at_it_is_in_nobodys_way(store, dead, monkeypatch):
    """It holds the lock for a moment."""
    theirs = part(store, dead)
    with open(theirs, "rb") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        monkeypatch.setattr(partial.time, "sleep", lambda seconds: fcntl.flock(looking, fcntl.LOCK_UN))
        assert receive_rest(store) == len(HALF)


@pytest.mark.parametrize("state", ["written", "left", "empty", "gone", "renamed"])
def test_a_part_that_is_being_written_is_found_by_its_lock(store, dead, state):
    theirs = part(store, dead, b"" if state == "empty" else HALF)
    folder = theirs.parent
    with open(theirs, "r+b") as writing:
        if state != "left":
            assert partial.lock(writing.fileno())
        found = partial.open_growing(folder, ENTRY.etag)
        if state in ("left", "empty"):  # nothing came of it, and its process is no more
            assert found is None
            return
        try:
            assert os.fstat(found).st_size == len(HALF) and partial.is_growing(found)
            assert partial.lock(writing.fileno())  # its writer's lock was not disturbed
            if state == "gone":
                theirs.unlink()
                assert not partial.is_growing(found) and partial.open_growing(folder, ENTRY.etag) is None
            elif state == "renamed":
                theirs.rename(folder / ENTRY.etag)
                assert partial.is_growing(found) and partial.open_growing(folder, ENTRY.etag) is None
        finally:
            os.close(found)


def test_it_is_never_believed(store, dead):
    part(store, dead, b"\0" + HALF[1:])
    with pytest.raises(Exception, match="expected"):
        receive_rest(store)
    assert os.listdir(blob(store, ENTRY).parent) == []


def test_one_that_is_too_long_is_cut(store, dead):
    part(store, dead, CONTENT + b"more")
    assert receive_rest(store) == len(CONTENT)


def test_one_that_another_cache_has_too_is_copied(store, dead, tmp_path):
    """As the hard link to a lower tier that a process left which died while it read it."""
    os.link(part(store, dead), tmp_path / "theirs")
    assert receive_rest(store) == len(HALF)
    assert (tmp_path / "theirs").read_bytes() == HALF


def test_that_of_another_machine_is_copied_when_it_has_been_silent(store):
    theirs = part(store, 1, age=30, host="elsewhere")
    assert found(store) == []
    os.utime(theirs, (time.time() - 61,) * 2)
    with open(theirs, "rb") as open_elsewhere:
        assert receive_rest(store) == len(HALF)
        assert open_elsewhere.read() == HALF


def test_one_that_grows_while_it_is_copied_stays(store, monkeypatch):
    theirs = part(store, 1, age=61, host="elsewhere")
    with store.receive(REPO, ENTRY) as writer:
        take_over = writer._take_over

        def copy_part(path, giver, copy=writer.continue_part):
            copy(path, giver)
            with open(theirs, "ab") as file:
                file.write(b"more")

        monkeypatch.setattr(writer, "continue_part", copy_part)
        assert not take_over(theirs) and writer.continue_first([theirs])
        assert writer.size == len(HALF)
    assert theirs.read_bytes() == HALF + b"more"


def test_stopped_while_it_is_read_it_stays_for_the_next(store, dead):
    part(store, dead)
    stopped = threading.Event()
    writer = store.new_writer(REPO, ENTRY, stopped)
    stopped.set()
    with pytest.raises(SourceError):
        writer.continue_first(found(store))
    writer.discard()
    assert receive_rest(store) == len(HALF)


def test_while_it_is_read_others_see_that_somebody_is_at_work(store, dead, monkeypatch):
    """It does not grow then; who waits for its lock goes on beside one that is stuck."""
    part(store, dead, age=3600)
    seen = {locks._work_so_far(store, REPO, ENTRY.etag)}
    monkeypatch.setattr(writer_module, "_TOUCH", 0.01)
    monkeypatch.setattr(writer_module, "CHUNK", 1 << 18)
    read = os.read

    def read_slowly(file, size):
        time.sleep(0.02)
        seen.add(locks._work_so_far(store, REPO, ENTRY.etag))
        return read(file, size)

    monkeypatch.setattr(os, "read", read_slowly)
    assert receive_rest(store) == len(HALF)
    assert len(seen) > 4


TAKE = """
import sys
from pathlib import Path
from ipfs_accelerate_py.store import partial as parts
sys.stdin.readline()
try:
    parts.take_over(Path(sys.argv[1]), Path(sys.argv[2]))
    print("mine", flush=True)
except OSError:
    print("theirs", flush=True)
sys.stdin.readline()
"""


def test_of_two_processes_one_has_it(store, dead, tmp_path):
    for _ in range(3):
        path = part(store, dead)
        owns = [tmp_path / f"own{number}" for number in range(2)]
        children = [
            subprocess.Popen([sys.executable, "-c", TAKE, path, own], stdin=-1, stdout=-1, text=True) for own in owns
        ]
        for child in children:
            child.stdin.write("go\n")
            child.stdin.flush()
        assert sorted(child.stdout.readline() for child in children) == ["mine\n", "theirs\n"]
        for child in children:
            child.communicate("end\n")
        [own] = [own for own in owns if own.exists()]
        assert own.read_bytes() == HALF and not path.exists()
        own.unlink()


# -- who is alive -------------------------------------------------------------------------------------------------
WRITE = """
import sys
from pathlib import Path
from ipfs_accelerate_py.store.store import Store
from ipfs_accelerate_py.store.tree import Entry
writer = Store(Path(sys.argv[1])).new_writer("org/name", Entry(int(sys.argv[2]), "e" * 40, sys.argv[3]))
writer.write(b"x" * 2_000_000)
print(writer._path, flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def writer(store):
    """A process that is writing a part, and the part."""
    command = [sys.executable, "-c", WRITE, store.root, str(len(CONTENT)), ENTRY.etag]
    child = subprocess.Popen(command, stdin=-1, stdout=-1, text=True)
    yield Path(child.stdout.readline().strip())
    child.communicate("end\n")


def test_a_writer_at_work_is_left_alone(store, writer):
    for age in (0, 2 * partial.OLD, -2 * partial.OLD):  # a machine that slept for two days, a clock that jumped
        os.utime(writer, (time.time() - age,) * 2)
        partial.remove_old(writer.parent)
        assert found(store) == [] and writer.exists()


def test_a_writer_whose_process_cannot_be_seen_is_left_alone(store, writer, dead):
    """As from another container with the same host name: its lock tells."""
    unseen = writer.with_name(writer.name.replace(f".{writer.name.split('.')[2].split('-')[0]}-", f".{dead}-"))
    writer.rename(unseen)
    assert found(store) == [unseen]
    assert receive_rest(store) == 0
    assert unseen.read_bytes() == b"x" * 2_000_000


def test_a_number_that_another_process_has_now(store):
    """The writer is long dead; whoever has its number holds no lock."""
    young, old = part(store, os.getppid(), age=3600), part(store, os.getppid(), age=partial.OLD + 60)
    assert found(store) == [old]
    partial.remove_old(old.parent)
    assert young.exists() and not old.exists()


@pytest.mark.parametrize(("ahead", "alive"), [(30, True), (3600, True), (10 * 365 * 24 * 3600, False)])
def test_a_date_to_come(store, ahead, alive):
    """A clock may be ahead of ours by a little; what is dated years ahead was written by nobody who is at work."""
    path = part(store, 1, age=-ahead, host="elsewhere")
    assert found(store) == ([] if alive else [path])
    partial.remove_old(path.parent)
    assert path.exists() is alive


@pytest.mark.parametrize("name", ["{}.incomplete", "{}.0a1b2c3d.incomplete"])
@pytest.mark.parametrize("locked", [True, False])
def test_what_the_hubs_client_left_is_known_by_its_lock(tmp_path, name, locked):
    """A download that Ctrl-C ended is continued at once, and one under way is not."""
    folder = tmp_path / layout.repo_folder(REPO) / "blobs"
    lock = tmp_path / ".locks" / layout.repo_folder(REPO) / f"{ENTRY.etag}.lock"
    for each in (folder, lock.parent):
        each.mkdir(parents=True)
    path = folder / name.format(ENTRY.etag)
    path.write_bytes(HALF)
    with open(lock, "w") as file:
        if locked:
            fcntl.flock(file, fcntl.LOCK_EX)
        assert list(partial.find_parts(folder, ENTRY.etag)) == ([] if locked else [path])
    lock.unlink()  # nobody knows then
    assert list(partial.find_parts(folder, ENTRY.etag)) == []
    os.utime(path, (time.time() - 61,) * 2)
    assert list(partial.find_parts(folder, ENTRY.etag)) == [path]


def test_without_locks_it_is_copied(store, dead, monkeypatch):
    monkeypatch.setattr(partial, "lock", lambda file: None)
    inode = part(store, dead).stat().st_ino
    assert receive_rest(Store(store.root)) == len(HALF)
    assert blob(store, ENTRY).stat().st_ino != inode
