"""An agent gives a blob while another process is still writing it, and never ends one that has not come whole."""

import threading
import time

import pytest

from ipfs_accelerate_py.errors import SourceError
from ipfs_accelerate_py.store import partial
from ipfs_accelerate_py.store.store import Store
from ipfs_accelerate_py.store.visibility import remember_access
from tests.support.agent import AgentProcess

from .agents import CONTENT, ENTRY, OPEN, Taken, blob, body_of, send, signed, status_of, target
from .writing import WritingProcess

HALF = ENTRY.size // 2


@pytest.fixture
def agent(tmp_path):
    with AgentProcess(tmp_path / "agent") as running:
        remember_access(running.store, OPEN, True)
        yield running


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def writing(agent, source):
    with WritingProcess(agent.store.root, OPEN, ENTRY, source) as process:
        yield process


class Follower(threading.Thread):
    """A member that takes a blob from an agent into a writer of its own."""

    def __init__(self, agent, store, at=0, idle_timeout=10.0):
        super().__init__(daemon=True)
        self.client, self.url, self.store = agent.client(idle_timeout), agent.url, store
        self.writer = store.new_writer(OPEN, ENTRY)
        if at:
            self.writer.write(CONTENT[:at])
        self.error = None
        self.start()

    def run(self):
        try:
            self.client.copy(self.url, target(), self.writer, ENTRY.size, "it")
        except Exception as error:
            self.error = error

    def wait_for(self, size, seconds=5.0):
        deadline = time.monotonic() + seconds
        while self.writer.size < size:
            assert time.monotonic() < deadline and self.is_alive(), (self.writer.size, self.error)
            time.sleep(0.005)

    def ended(self, seconds=5.0):
        self.join(seconds)
        assert not self.is_alive()
        return self.error

    def finish(self):
        assert self.ended() is None
        self.writer.finish(blob(self.store))
        assert blob(self.store).read_bytes() == CONTENT


@pytest.fixture
def follow(agent, tmp_path):
    made = []

    def start(number=0, **options):
        made.append(Follower(agent, Store(tmp_path / f"follower-{number}"), **options))
        return made[-1]

    yield start
    for each in made:
        each.join(20)
        each.writer.discard()


def head(agent, method="HEAD"):
    answer = send(agent.url, signed(method, target()))
    lines = answer.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return status_of(answer), dict(line.split(": ", 1) for line in lines)


def test_bytes_go_on_as_they_come(agent, writing, follow):
    writing.tell("write", 1)
    follower = follow()
    for end in (1, 2, 1000, HALF, HALF + 1, ENTRY.size - 1):
        writing.tell("write", end)
        follower.wait_for(end, 2)
    status, headers = head(agent)
    assert status == 200 and headers["Fleet-State"] == "arriving"
    assert headers["Fleet-Arrived"] == str(ENTRY.size - 1) and headers["Content-Length"] == str(ENTRY.size)
    writing.tell("write", ENTRY.size)
    assert follower.ended() is None  # before its writer has checked it
    writing.tell("finish")
    assert head(agent)[1]["Fleet-State"] == "whole"
    follower.finish()


def test_renamed_to_the_blob_midway_it_goes_on(agent, writing, follow):
    writing.tell("write", HALF)
    followers = [follow(number) for number in range(3)]
    late = follow(3, at=HALF + 1000)  # it waits for what has not come yet
    followers[0].wait_for(HALF)
    writing.tell("write", ENTRY.size)
    writing.tell("finish")
    for each in (*followers, late):
        each.finish()


def test_one_who_comes_before_the_first_byte(agent, writing, follow):
    writing.tell("write", 0)
    part = next(blob(agent.store).parent.glob("*.incomplete"), None)
    assert part is None or part.stat().st_size == 0
    writing.tell("write", 10)
    follower = follow()
    follower.wait_for(10)
    writing.tell("write", ENTRY.size)
    follower.finish()


def test_a_part_of_a_range(agent, writing):
    writing.tell("write", HALF)
    answer = send(agent.url, signed("GET", target(), headers=f"Range: bytes=10-{HALF - 1}\r\n"))
    assert status_of(answer) == 206 and body_of(answer) == CONTENT[10:HALF]


def test_killed_midway_the_receiver_is_cut_off_and_keeps_what_came(agent, writing, follow, tmp_path):
    writing.tell("write", HALF)
    follower = follow()
    follower.wait_for(HALF)
    killed = time.monotonic()
    writing.kill()
    assert isinstance(follower.ended(), SourceError) and time.monotonic() - killed < 2
    assert follower.writer.size == HALF
    assert head(agent)[0] == 404  # what a dead process has left is not arriving
    follower.writer.write(CONTENT[HALF:])
    follower.writer.finish(blob(follower.store))
    assert blob(follower.store).read_bytes() == CONTENT


@pytest.mark.parametrize("word", ["discard", "keep", "begin"])
def test_given_up_it_is_cut_off(agent, writing, follow, word):
    writing.tell("write", HALF)
    follower = follow()
    follower.wait_for(HALF)
    began = time.monotonic()
    writing.tell(word)
    assert isinstance(follower.ended(), SourceError) and time.monotonic() - began < 2
    assert follower.writer.size == HALF and head(agent)[0] == 404
    if word == "begin":  # the next time it is another file
        writing.tell("write", 100)
        assert head(agent)[1]["Fleet-Arrived"] == "100"
        second = follow(1)
        writing.tell("write", ENTRY.size)
        second.finish()


def test_the_next_process_goes_on_in_the_part_of_a_dead_one(agent, writing, follow, source):
    writing.tell("write", HALF)
    writing.kill()
    assert head(agent)[0] == 404
    with agent.store.receive(OPEN, ENTRY) as writer:
        assert writer.continue_first(partial.find_parts(blob(agent.store).parent, ENTRY.etag))
        assert head(agent)[1]["Fleet-Arrived"] == str(HALF)
        follower = follow()
        follower.wait_for(HALF)
        writer.write(CONTENT[HALF:])
        writer.finish(blob(agent.store))
    follower.finish()


def test_of_two_the_larger_is_given(agent, writing, follow, source):
    writing.tell("write", 100)
    with WritingProcess(agent.store.root, OPEN, ENTRY, source) as second:
        second.tell("write", HALF)
        assert head(agent)[1]["Fleet-Arrived"] == str(HALF)
        second.tell("discard")
        assert head(agent)[1]["Fleet-Arrived"] == "100"


def test_what_is_no_part_of_ours_is_not_arriving(agent, writing):
    folder = blob(agent.store).parent
    writing.tell("write", HALF)
    part = next(folder.glob("*.incomplete"))
    writing.kill()
    names = [
        part.name,
        f"{ENTRY.etag}.incomplete",  # of the Hub's client
        f"{ENTRY.etag[:16]}.{partial._host()}.1-abcdef.incomplete",  # a process that lives, and does not lock it
    ]
    for name in names:
        (folder / name).write_bytes(CONTENT[:HALF])
    (folder / f"{ENTRY.etag[:16]}.elsewhere.1-abcdef.incomplete").symlink_to(part)
    assert head(agent)[0] == 404


def test_a_part_that_is_too_large_is_not_it(agent, writing):
    writing.tell("write", HALF)
    assert status_of(send(agent.url, signed("GET", target(size=HALF - 1)))) == 404


def test_a_silent_writer_holds_nobody_for_longer_than_the_receiver_likes(agent, writing, follow):
    writing.tell("write", HALF)
    began = time.monotonic()
    follower = follow(idle_timeout=0.5)
    assert isinstance(follower.ended(), SourceError) and follower.writer.size == HALF
    assert 0.4 < time.monotonic() - began < 3
    deadline = time.monotonic() + 3
    while agent.client().post(agent.local, "/fleet/1/status", {})["streams"]:  # the agent has noticed
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_three_in_a_row(agent, writing, tmp_path):
    """Each follows the one before it, through agents of their own."""
    writing.tell("write", HALF)
    with AgentProcess(tmp_path / "b", "127.0.0.3", 2) as second, AgentProcess(tmp_path / "c", "127.0.0.4", 3) as third:
        for each in (second, third):
            remember_access(each.store, OPEN, True)
        first_hop = Follower(agent, second.store)
        first_hop.wait_for(HALF)
        # A writer of this process is one that the agents see as a process of this machine.
        second_hop = Follower(second, third.store)
        second_hop.wait_for(HALF)
        last = Taken()
        reader = threading.Thread(
            target=lambda: third.client().copy(third.url, target(), last, ENTRY.size, "it"), daemon=True
        )
        reader.start()
        writing.tell("write", ENTRY.size)
        written = time.monotonic()
        first_hop.finish()
        second_hop.finish()
        reader.join(5)
        assert bytes(last.data) == CONTENT and time.monotonic() - written < 3
