"""A large file from several members that have it whole, none of which is quick alone: from all of them at once."""

from __future__ import annotations

import contextlib
import hashlib
import os
from urllib.parse import urlsplit

import pytest

from ipfs_accelerate_py.errors import SourceError
from ipfs_accelerate_py.fetch import speeds
from ipfs_accelerate_py.fetch.claims import Asked
from ipfs_accelerate_py.fetch.holders import Holders
from ipfs_accelerate_py.fetch.pace import Pace
from ipfs_accelerate_py.fetch.stripes import PIECE
from ipfs_accelerate_py.fleet.local_agent import LocalAgent
from ipfs_accelerate_py.session import session
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.entry import Entry
from ipfs_accelerate_py.store.store import Store
from ipfs_accelerate_py.store.visibility import remember_access
from tests.support.agent import AgentProcess, peer_id
from tests.support.throttle import Throttle

REPO = "acme/large"
SIZE = 18 * PIECE + 4321
RATE = 20e6
CONTENT = os.urandom(SIZE)
ENTRY = Entry(SIZE, "e" * 40, hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture(scope="module")
def agents(tmp_path_factory):
    """Three members that have the file, and one that has it with a wrong byte in each piece."""
    with contextlib.ExitStack() as stack:
        found = []
        for number in range(4):
            store = tmp_path_factory.mktemp(f"agent{number}")
            agent = AgentProcess(store, f"127.0.0.{10 + number}", number + 1)
            blob = agent.store.path(layout.blob_path(REPO, ENTRY.etag))
            blob.parent.mkdir(parents=True)
            content = bytearray(CONTENT)
            for first in range(0, SIZE, PIECE):
                content[first + 77] ^= number == 3
            blob.write_bytes(content)
            remember_access(agent.store, REPO, True)
            found.append(stack.enter_context(agent))
        yield found


@pytest.fixture(autouse=True)
def nothing_measured():
    session.reset()
    yield
    session.reset()


@pytest.fixture
def throttled(agents):
    """Puts a relay before an agent: its row as a holder, and the relay."""
    with contextlib.ExitStack() as stack:

        def make(number, rate=RATE, **trouble):
            parts = urlsplit(agents[number].url)
            throttle = stack.enter_context(Throttle((parts.hostname, parts.port), rate, **trouble))
            return (peer_id(number + 1), throttle.url), throttle

        yield make


def no_hub(piece):
    raise SourceError("the Hub is not there")


@pytest.fixture
def take(agents, tmp_path):
    """Takes the file from these holders: the giver, the bytes, who lied, and why others did not give it."""

    def take(*holders):
        store, client, liars = Store(tmp_path / "own"), agents[0].client(2.0, number=9), []
        asked = Asked(
            (layout.repo_folder(REPO), ENTRY.etag), SIZE, tmp_path, LocalAgent("http://127.0.0.1:1", client, 2)
        )
        with store.receive(REPO, ENTRY) as writer:
            pace = Pace(SIZE, no_hub)
            found = Holders(client, asked, writer, lambda peer, where, mismatch: liars.append((peer, where)), pace)
            giver = found.take(holders)
            blob = store.path(layout.blob_path(REPO, ENTRY.etag))
            if giver is not None:
                writer.finish(blob)
        return giver, blob.read_bytes() if giver else b"", liars, found

    return take


def test_all_of_them_give(throttled, take):
    rows, relays = zip(*(throttled(number) for number in range(3)), strict=True)
    giver, content, liars, _ = take(*rows)
    assert giver and content == CONTENT and liars == []
    assert min(relay.given for relay in relays) > PIECE and sum(relay.given for relay in relays) < 1.3 * SIZE


def test_one_that_is_quick_gives_it_alone(agents, throttled, take):
    row, relay = throttled(1)
    giver, content, _, _ = take((peer_id(1), agents[0].url), row)
    assert giver == f"member {peer_id(1)}" and content == CONTENT and relay.given == 0


@pytest.mark.parametrize("trouble", [{"stall": PIECE // 2}, {"cut": PIECE + PIECE // 2}, {"rate": 100e3}], ids=str)
def test_one_of_them_does_not_go_on(throttled, take, trouble):
    """What it was asked for is asked of another."""
    ill, _ = throttled(1, **{"rate": RATE, **trouble})
    giver, content, liars, found = take(throttled(0)[0], ill, throttled(2)[0])
    assert giver and content == CONTENT and liars == []
    assert found.lost in ([], [peer_id(2)])


def test_one_of_them_does_not_have_it(throttled, take, agents):
    missing = agents[1].store.path(layout.blob_path(REPO, ENTRY.etag))
    missing.rename(missing.with_name("away"))
    try:
        giver, content, _, found = take(throttled(0)[0], throttled(1)[0], throttled(2)[0])
    finally:
        missing.with_name("away").rename(missing)
    assert giver and content == CONTENT and found.lost == [peer_id(2)]


def test_none_of_them_goes_on(throttled, take):
    rows = [throttled(number, cut=2 * PIECE)[0] for number in range(3)]
    giver, _, liars, found = take(*rows)
    assert giver is None and liars == [] and sorted(set(found.lost)) == [peer_id(1), peer_id(2), peer_id(3)]


@pytest.mark.parametrize("first", [True, False], ids=["the liar is asked first", "and last"])
def test_one_of_them_lies_and_is_named(throttled, take, first):
    liar, honest = throttled(3)[0], [throttled(0)[0], throttled(1)[0]]
    giver, content, liars, _ = take(*([liar, *honest] if first else [*honest, liar]))
    assert giver and content == CONTENT
    assert {peer for peer, _ in liars} == {peer_id(4)}


def test_the_quicker_ones_come_first():
    for label, seconds in (("a", 1.0), ("b", 0.1), ("d", 0.5)):
        speeds.note(label, 100 << 20, 0.0, seconds)
    assert speeds.order(["a", "b", "c", "d"], str, 1 << 30) == ["b", "d", "c", "a"]
