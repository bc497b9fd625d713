"""What comes of a blob that changes while an agent gives it, of clients that do not read, and of many at once."""

import contextlib
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ipfs_accelerate_py.errors import SourceDown, SourceError
from ipfs_accelerate_py.fleet.client import AgentClient
from ipfs_accelerate_py.fleet.signing import Signer
from tests.support.agent import KEY, AgentProcess, peer_id

from .agents import CONTENT, ENTRY, OPEN, Taken, blob, connect, fill, get, header, send, signed, status_of, target

LARGE = 96 << 20  # more than sockets hold


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    with AgentProcess(tmp_path_factory.mktemp("agent"), patience=2.0) as running:
        fill(running.store)
        yield running


@pytest.fixture
def large(agent):
    etag = "3" * 64
    path = blob(agent.store, OPEN, etag)
    with path.open("wb") as file:
        file.truncate(LARGE)
    yield path, target(OPEN, etag, LARGE)
    path.unlink(missing_ok=True)


def begin(agent, path):
    """A connection over which a large file comes, of which a little was read."""
    connection = connect(agent.url)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    connection.sendall(signed("GET", path))
    assert status_of(connection.recv(1000)) == 200
    return connection


def drain(connection):
    """The bytes that come, and whether the connection was reset."""
    size = 0
    with connection:
        try:
            while data := connection.recv(1 << 20):
                size += len(data)
        except ConnectionResetError:
            return size, True
    return size, False


@pytest.mark.parametrize("change", ["shorter", "longer", "written to", "gone"])
def test_a_file_that_changes_meanwhile_is_never_ended_well(agent, large, change):
    path, wanted = large
    connection = begin(agent, wanted)
    time.sleep(0.2)
    if change == "shorter":
        os.truncate(path, LARGE // 2)
    elif change == "longer":
        os.truncate(path, LARGE + 1)
    elif change == "written to":
        with path.open("r+b") as file:
            file.write(b"x")
    else:
        path.unlink()  # its bytes are still the right ones
    size, reset = drain(connection)
    if change == "gone":
        assert size > LARGE - 1000
    else:
        assert size < LARGE - 1000 and (reset or size < LARGE)


def test_one_that_is_never_read_is_cut_off(agent, large):
    connection = begin(agent, large[1])
    time.sleep(4)
    assert drain(connection)[0] < LARGE - 1000
    assert agent.client().post(agent.local, "/fleet/1/status", {})["streams"] == 0


def test_one_that_reads_slowly_is_not_cut_off(agent, large):
    """A slice would take it a minute, and the agent's patience here is 2 s."""
    connection = begin(agent, large[1])
    taken = 0
    for _ in range(20):
        time.sleep(0.4)
        taken += len(connection.recv(32 << 10, socket.MSG_WAITALL))
    assert taken == 20 * (32 << 10)
    assert taken + drain(connection)[0] > LARGE - 1000


def test_64_at_once_and_no_more(agent, large):
    with contextlib.ExitStack() as stack:
        for _ in range(64):
            stack.enter_context(begin(agent, large[1]))
        answer = get(agent, large[1])
        assert status_of(answer) == 503 and header(answer, "Retry-After") == "1"
        with pytest.raises(SourceError, match="busy"):
            agent.client().copy(agent.url, large[1], Taken(), LARGE, "it")
        assert status_of(send(agent.url, signed("HEAD", target()))) == 200
        assert agent.client().post(agent.local, "/fleet/1/status", {})["streams"] == 64
    deadline = time.monotonic() + 5
    while status_of(get(agent, target())) != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_many_clients_at_once_get_the_same(agent):
    client, barrier = agent.client(), threading.Barrier(32)

    def fetch(number):
        barrier.wait()
        taken = Taken(CONTENT[: number * 1000])
        client.copy(agent.url, target(), taken, ENTRY.size, "it")
        return taken.data == CONTENT

    with ThreadPoolExecutor(32) as pool:
        assert all(pool.map(fetch, range(32)))
    given = client.post(agent.local, "/fleet/1/status", {})["given"]
    assert sum(given[client.signer.peer].values()) >= 32 * (ENTRY.size - 32_000)


def test_an_answer_whose_headers_drip_is_given_up():
    """Each byte comes within the idle timeout, and the answer never begins."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip():
            taken, _ = server.accept()
            with taken, contextlib.suppress(OSError):
                taken.sendall(b"HTTP/1.1 200 OK\r\nA: ")
                for _ in range(200):
                    time.sleep(0.1)
                    taken.sendall(b"b")

        threading.Thread(target=drip, daemon=True).start()
        client = AgentClient(Signer(KEY, peer_id(2)), 1.0)
        began = time.monotonic()
        with pytest.raises(SourceDown, match="does not end its answer"):
            client.post(f"http://127.0.0.1:{server.getsockname()[1]}", "/fleet/1/status", {})
        assert time.monotonic() - began < 10
