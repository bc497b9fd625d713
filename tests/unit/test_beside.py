"""Work beside a thread: in order, bounded, waited for; and done where there is no thread."""

from __future__ import annotations

import os
import threading
import time

import pytest

from ipfs_accelerate_py import beside as beside_module
from ipfs_accelerate_py.beside import Beside
from ipfs_accelerate_py.store import writer as writer_module
from ipfs_accelerate_py.store.store import Store
from ipfs_accelerate_py.store.verify import Mismatch

from .stored import REPO, blob, files, git_entry, lfs_entry

CONTENT = os.urandom(3_000_000)


def test_it_is_done_in_order_before_it_is_drained():
    beside, done = Beside(), []
    for number in range(1000):
        beside.put(lambda number=number: done.append(number), 10_000)
    beside.drain()
    assert done == list(range(1000))


def test_what_waits_is_bounded(monkeypatch):
    monkeypatch.setattr(beside_module, "_LIMIT", 100)
    beside, gate, returned = Beside(), threading.Event(), []
    beside.put(gate.wait, 60)
    beside.put(gate.wait, 40)
    putting = threading.Thread(target=lambda: returned.append(beside.put(lambda: None, 1)))
    putting.start()
    putting.join(0.3)
    assert not returned
    gate.set()
    putting.join(5)
    beside.put(lambda: None, 1000)  # alone, what is larger than the bound is taken all the same
    beside.drain()
    assert returned


def test_its_thread_ends_and_comes_again(monkeypatch):
    monkeypatch.setattr(beside_module, "_IDLE", 0.05)
    beside, done = Beside(), []
    for number in range(3):
        beside.put(lambda: done.append(threading.current_thread()), 1)
        beside.drain()
        done[-1].join(5)
        assert not done[-1].is_alive() and len(done) == number + 1
    assert len(set(done)) == 3


def test_where_no_thread_can_be_started_it_is_done_all_the_same(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    beside, done = Beside(), []
    for number in range(10):
        beside.put(lambda number=number: done.append(number), 1 << 20)
    beside.drain()
    assert done == list(range(10))


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # a fork beside a thread is what this is about
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_forked_child_waits_for_no_thread(monkeypatch):
    monkeypatch.setattr(beside_module, "_LOOK", 0.05)
    beside = Beside()
    gate = threading.Event()
    beside.put(lambda: gate.wait(10), 1)
    time.sleep(0.05)
    child = os.fork()
    if child == 0:  # it has the work and not the thread
        gate.set()
        beside.drain()
        os._exit(0)
    deadline = time.monotonic() + 5
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    gate.set()


# -- a writer with one ----------------------------------------------------------------------------------------------
@pytest.fixture(autouse=True)
def threads(monkeypatch):
    """Whatever the size of a file, it is hashed beside, and the disk is let to begin early."""
    monkeypatch.setattr(writer_module, "_WORTH_A_THREAD", 0)
    monkeypatch.setattr(writer_module, "_WRITE_OUT", 1_000_000)


@pytest.mark.parametrize("entry", [lfs_entry(CONTENT), git_entry(CONTENT)], ids=["sha256", "git"])
def test_the_right_bytes_are_taken(tmp_path, entry):
    store = Store(tmp_path)
    with store.receive(REPO, entry) as writer:
        for at in range(0, len(CONTENT), 100_000):
            writer.write(CONTENT[at : at + 100_000])
        writer.finish(blob(store, entry))
    assert blob(store, entry).read_bytes() == CONTENT


@pytest.mark.parametrize("at", [0, 1_500_000, len(CONTENT) - 1])
def test_a_wrong_byte_is_never_visible(tmp_path, at):
    store, entry = Store(tmp_path), lfs_entry(CONTENT)
    wrong = bytearray(CONTENT)
    wrong[at] ^= 1
    with store.receive(REPO, entry) as writer:
        writer.write(bytes(wrong))
        with pytest.raises(Mismatch):
            writer.finish(blob(store, entry))
    assert files(tmp_path) == []


def test_begun_anew_it_hashes_the_new_bytes_alone(tmp_path):
    store, entry = Store(tmp_path), lfs_entry(CONTENT)
    with store.receive(REPO, entry) as writer:
        for _ in range(3):
            writer.write(os.urandom(2_000_000))
            writer.start()
        writer.write(CONTENT)
        writer.finish(blob(store, entry))
    assert blob(store, entry).read_bytes() == CONTENT


def test_more_than_was_promised_is_refused_at_once(tmp_path):
    with Store(tmp_path).receive(REPO, lfs_entry(CONTENT)) as writer:
        writer.write(CONTENT)
        with pytest.raises(Mismatch):
            writer.write(b"x")
