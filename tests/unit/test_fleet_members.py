"""What machines tell each other of members: the later word counts, and all who know the same say the same."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accelerate_py.fleet import members as members_module
from ipfs_accelerate_py.fleet.folder import FleetFolder
from ipfs_accelerate_py.fleet.members import ALIVE, Member, Members, rank


def peer(number):
    return f"12D3KooW{'A' * 32}{number:012}".replace("0", "z")


OWN = peer(0)
ROWS = st.lists(
    st.builds(
        lambda number, address, seen: Member(peer(number), agent=f"http://10.0.0.{address}:1", seen=float(seen)),
        st.integers(0, 5),
        st.integers(1, 3),
        st.integers(0, 20),
    ),
    max_size=20,
)


def known(members):
    return {row.peer: row.seen for row in members}


@given(ROWS, st.randoms())
def test_the_order_in_which_word_comes_does_not_matter(rows, random):
    one, other = Members(OWN, rows), Members(OWN)
    shuffled = list(rows)
    random.shuffle(shuffled)
    for row in shuffled:
        other.merge([row])
    latest = {}
    for row in rows:
        latest[row.peer] = max(latest.get(row.peer, 0.0), row.seen)
    latest.pop(OWN, None)
    assert known(one) == known(other) == latest
    assert OWN not in known(one) and len(one) == len(latest)


@given(ROWS)
def test_only_news_is_news(rows):
    members = Members(OWN)
    addresses = {}
    for row in rows:
        before = dict(addresses)
        news = members.merge([row])
        addresses = {each.peer: each.agent for each in members}
        assert news == (addresses != before)
    assert not members.merge(rows)


def test_who_is_there():
    members, now = Members(OWN), time.time()
    members.merge([Member(peer(1), seen=now), Member(peer(2), seen=now - ALIVE - 1), Member(peer(3), seen=now - 1)])
    assert {row.peer for row in members.alive()} == {peer(1), peer(3)}
    members.note_lost(peer(1))
    members.note_seen(peer(2))
    members.note_seen(peer(9))  # nobody knows it
    members.note_lost(peer(9))
    assert {row.peer for row in members.alive()} == {peer(2), peer(3)} and len(members) == 3
    members.merge([Member(peer(1), seen=now)])  # somebody else has heard of it
    assert {row.peer for row in members.alive()} == {peer(1), peer(2), peer(3)}
    members.forget(peer(1))
    members.forget(peer(1))
    assert members.get(peer(1)) is None


def test_a_clock_that_was_ahead_does_not_keep_an_old_address(tmp_path):
    now = time.time()
    members = Members(OWN, [Member(peer(1), agent="http://old:1", seen=now + 3600)])
    members.merge([Member(peer(1), agent="http://new:1", seen=now + 1)])
    assert members.get(peer(1)).agent == "http://new:1"
    folder = FleetFolder(tmp_path)
    folder.own.mkdir(parents=True)
    folder.members.write_text(json.dumps({"written": now + 3600, "members": [GOOD]}))
    assert folder.read_members(OWN).get(peer(1)).seen <= time.time()


@pytest.mark.parametrize("jump", [3600.0, 60.0, -60.0, -3600.0])
def test_a_clock_that_jumps_neither_keeps_the_dead_nor_an_old_address(monkeypatch, jump):
    """Seconds after the jump -> what is done -> who is there."""
    clock = [1e9]
    monkeypatch.setattr(members_module.time, "time", lambda: clock[0])
    rows = [{"peer": peer(number), "agent": f"http://old-{number}:1", "age": 1.0} for number in (1, 2)]
    members = Members(OWN, [Member.from_dict(row) for row in rows])
    clock[0] += jump
    both = {peer(1), peer(2)}
    assert {row.peer for row in members.alive()} == (both if jump < 0 else set())
    clock[0] += ALIVE / 2
    members.merge([Member.from_dict({"peer": peer(1), "agent": "http://new-1:1", "age": 0.5})])
    assert members.get(peer(1)).agent == "http://new-1:1"
    assert peer(1) in {row.peer for row in members.alive()}
    clock[0] += ALIVE / 2 + 0.1  # nothing was heard of the second
    assert {row.peer for row in members.alive()} == {peer(1)}


def test_they_are_bounded_and_the_oldest_go(monkeypatch):
    monkeypatch.setattr(members_module, "AT_MOST", 10)
    members = Members(OWN, [Member(peer(number), seen=float(number)) for number in range(1, 100)])
    assert sorted(row.seen for row in members) == [float(number) for number in range(90, 100)]


@given(st.floats(0, 1e6), st.floats(-1e6, 1e6))
def test_ages_travel_and_not_the_times_of_clocks_that_differ(age, difference):
    now = 1_000_000_000.0
    row = Member(peer(1), "a", "http://a:1", ("/ip4/1.2.3.4",), "1", now - age).to_dict(now)
    there = Member.from_dict(json.loads(json.dumps(row)), now + difference)
    assert abs((now + difference - there.seen) - age) < 0.01


GOOD = {"peer": peer(1), "name": "a", "agent": "http://10.0.0.1:4612", "swarm": ["/ip4/10.0.0.1/tcp/1"], "age": 1.0}
BAD = {
    "null": None,
    "a list": [],
    "a text": "peer",
    "a number": 5,
    "empty": {},
    "no peer": {**GOOD, "peer": None},
    "a path": {**GOOD, "peer": "../../etc/passwd"},
    "a peer too short": {**GOOD, "peer": "1" * 39},
    "a peer too long": {**GOOD, "peer": "1" * 71},
    "a letter that base58 has not": {**GOOD, "peer": "0" + peer(1)[1:]},
    "a peer with a line": {**GOOD, "peer": peer(1) + "\n"},
    "an age that is text": {**GOOD, "age": "old"},
    "an age that is a list": {**GOOD, "age": []},
    "an age beyond all": {**GOOD, "age": 10**400},
    "https": {**GOOD, "agent": "https://10.0.0.1:1"},
    "a file": {**GOOD, "agent": "file:///etc/passwd"},
    "a path in the URL": {**GOOD, "agent": "http://10.0.0.1:1/path"},
    "a query": {**GOOD, "agent": "http://10.0.0.1:1?x"},
    "a login": {**GOOD, "agent": "http://user:word@10.0.0.1:1"},
    "a line in the URL": {**GOOD, "agent": "http://10.0.0.1:1\r\nX: y"},
    "a URL that is a number": {**GOOD, "agent": 5},
    "a long URL": {**GOOD, "agent": "http://" + "a" * 261},
    "addresses: a text": {**GOOD, "swarm": "/ip4/10.0.0.1/tcp/1"},
    "addresses: numbers": {**GOOD, "swarm": [1]},
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_member(name):
    with pytest.raises(ValueError):
        Member.from_dict(BAD[name])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(max_size=8), each, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from([*GOOD, "version", "more"]), JSON))
def test_any_document_is_a_member_or_none(changes):
    try:
        found = Member.from_dict({**GOOD, **changes})
    except ValueError:
        return
    again = Member.from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False)))
    assert (again.peer, again.agent, again.swarm, again.name) == (found.peer, found.agent, found.swarm, found.name)
    assert len(found.name) <= 64 and found.name.isprintable() and found.seen <= time.time()
    assert len(found.swarm) <= 16 and all(len(address) <= 300 for address in found.swarm)


# -- rank -----------------------------------------------------------------------------------------------------------
PEERS = [peer(number) for number in range(1, 33)]


@given(st.text(), st.permutations(PEERS))
def test_all_who_know_the_same_peers_say_the_same(key, shuffled):
    assert rank(key, shuffled) == rank(key, PEERS) and sorted(rank(key, PEERS)) == sorted(PEERS)


@given(st.text(), st.sampled_from(PEERS))
def test_one_that_goes_moves_no_other(key, gone):
    assert [each for each in rank(key, PEERS) if each != gone] == rank(key, [each for each in PEERS if each != gone])


def test_the_keys_spread_over_the_peers():
    first = [rank(f"models--org--{number}", PEERS)[0] for number in range(3200)]
    shares = [first.count(each) for each in PEERS]
    assert min(shares) > 60 and max(shares) < 150  # 100 are expected, with a deviation of 10


# -- on disk --------------------------------------------------------------------------------------------------------
def test_they_are_remembered(tmp_path):
    folder = FleetFolder(tmp_path)
    folder.own.mkdir(parents=True)
    rows = [Member(peer(number), f"m{number}", "http://a:1", ("/ip4/1.2.3.4",), "1", time.time()) for number in (1, 2)]
    folder.write_members(rows)
    assert folder.members.stat().st_mode & 0o777 == 0o600
    found = folder.read_members(OWN)
    assert {(row.peer, row.name, row.swarm) for row in found} == {(row.peer, row.name, row.swarm) for row in rows}


DOCUMENTS = {
    "nothing": b"",
    "half": b'{"written": 5, "mem',
    "no text": b"\xff",
    "a list": b"[]",
    "null": b"null",
    "no members": b'{"written": 5}',
    "members: null": b'{"written": 5, "members": null}',
    "no time": b'{"members": [{}]}',
    "a time that is none": json.dumps({"written": "x", "members": [GOOD]}).encode(),
    "a time beyond all": json.dumps({"written": 10**400, "members": [GOOD]}).encode(),
    "nested": b"[" * 100_000,
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_damaged_file_is_no_members(tmp_path, name):
    folder = FleetFolder(tmp_path)
    folder.own.mkdir(parents=True)
    folder.members.write_bytes(DOCUMENTS[name])
    assert len(folder.read_members(OWN)) == 0


def test_a_damaged_row_leaves_the_others(tmp_path):
    folder = FleetFolder(tmp_path)
    folder.own.mkdir(parents=True)
    rows = [GOOD, None, {}, {**GOOD, "peer": peer(2)}, {**GOOD, "peer": "?"}]
    folder.members.write_text(json.dumps({"written": time.time(), "members": rows}))
    assert {row.peer for row in folder.read_members(OWN)} == {peer(1), peer(2)}
