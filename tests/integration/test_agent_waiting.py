"""Requests that wait for a blob that is not there yet: bounded, and what is there is given meanwhile."""

import contextlib
import time

import pytest

from ipfs_accelerate_py.agent.waiting import MOST, MOST_EACH
from ipfs_accelerate_py.fleet.client import blob_target
from ipfs_accelerate_py.fleet.signing import Signer
from tests.support.agent import KEY, AgentProcess, peer_id

from .agents import ENTRY, OPEN, connect, fill, folder_of, get, header, send, status_of, target

MISSING = blob_target(folder_of(OPEN), "5" * 64, ENTRY.size, 10.0)
SHORTLY = blob_target(folder_of(OPEN), "5" * 64, ENTRY.size, 0.1)


@pytest.fixture
def agent(tmp_path):
    with AgentProcess(tmp_path / "agent") as running:
        fill(running.store)
        yield running


def asked(path, number):
    """A request of a member."""
    signature = Signer(KEY, peer_id(number)).sign("GET", path)
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {signature}\r\nConnection: close\r\n\r\n".encode()


def begin(agent, number):
    """A request that waits."""
    connection = connect(agent.url)
    connection.sendall(asked(MISSING, number))
    return connection


def wait_until(agent, number, seconds=8.0):
    """So many wait."""
    end = time.monotonic() + seconds
    while agent.client().post(agent.local, "/fleet/1/status", {})["waiting"] != number:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_one_member_has_so_many_places_and_all_together_more(agent):
    with contextlib.ExitStack() as stack:
        for number in range(MOST // MOST_EACH):
            for _ in range(MOST_EACH):
                stack.enter_context(begin(agent, 10 + number))
            wait_until(agent, MOST_EACH * (number + 1))
            refused = send(agent.url, asked(MISSING, 10 + number))
            assert status_of(refused) == 503 and header(refused, "Retry-After") == "1"
        assert status_of(send(agent.url, asked(SHORTLY, 3))) == 503
        assert status_of(get(agent, target())) == 200  # what is here is given
    wait_until(agent, 0)
    assert status_of(send(agent.url, asked(SHORTLY, 10))) == 404
