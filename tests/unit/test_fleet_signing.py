"""Signatures between agents: what counts, for how long, and for which request."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accelerate_py.fleet import keys, signing
from ipfs_accelerate_py.fleet.signing import WINDOW, Guard, Refused, Signer, read_offset

KEY, OTHER = bytes(range(32)), bytes(32)
PEER = "12D3KooW" + "A" * 44
TARGET = "/fleet/1/blobs/models--org--name/" + "0" * 40 + "?size=5"


class Clock:
    """A clock that a test sets, `ahead` seconds ahead of this machine's."""

    def __init__(self):
        self.ahead = 0.0

    def __call__(self):
        return signing.time.time() + self.ahead


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def guard(clock):
    return Guard(KEY, clock)


def reason(guard, header, method="GET", target=TARGET, body=b""):
    """Why it is refused; the peer id where it is not."""
    try:
        return guard.check(header, method, target, body)
    except Refused as refused:
        return refused.reason


@given(st.sampled_from(["GET", "HEAD", "POST"]), st.text(min_size=1), st.binary(max_size=100))
def test_what_was_signed_is_let_in_once(method, target, body):
    guard, header = Guard(KEY), Signer(KEY, PEER).sign(method, target, body)
    assert reason(guard, header, method, target, body) == PEER
    assert reason(guard, header, method, target, body) == "replayed"


def test_of_another_request_it_is_a_strangers(guard):
    header = Signer(KEY, PEER).sign("POST", TARGET, b"body")
    for method, target, body in (
        ("PUT", TARGET, b"body"),
        ("post", TARGET, b"body"),
        ("POST", TARGET + "0", b"body"),
        ("POST", TARGET.upper(), b"body"),
        ("POST", TARGET, b"bodY"),
        ("POST", TARGET, b""),
        ("POST", TARGET, b"body\n"),
        ("POST\n" + TARGET, "", b"body"),
    ):
        assert reason(guard, header, method, target, body) == "stranger"
    assert reason(guard, header, "POST", TARGET, b"body") == PEER


@given(st.data())
def test_no_byte_of_a_header_can_be_another(data):
    header = Signer(KEY, PEER).sign("GET", TARGET)
    at = data.draw(st.integers(0, len(header) - 1))
    char = data.draw(st.characters(codec="latin-1").filter(lambda char: char != header[at]))
    assert reason(Guard(KEY), header[:at] + char + header[at + 1 :]) in ("unsigned", "stranger")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Fleet1",
        "Bearer abc",
        f"Fleet1 peer={PEER}",
        f"Fleet2 peer={PEER} time=1 nonce={'0' * 32} mac={'0' * 64}",
        f"Fleet1 peer={PEER[:39]} time=1 nonce={'0' * 32} mac={'0' * 64}",
        f"Fleet1 peer={PEER} time=nan nonce={'0' * 32} mac={'0' * 64}",
        f"Fleet1 peer={PEER} time=1e9 nonce={'0' * 32} mac={'0' * 64}",
        f"Fleet1 peer={PEER} time=-1 nonce={'0' * 32} mac={'0' * 64}",
        f"Fleet1 peer={PEER} time={'9' * 13} nonce={'0' * 32} mac={'0' * 64}",
        f"Fleet1 peer={PEER} time=1 nonce={'0' * 31} mac={'0' * 64}",
        f"Fleet1 peer={PEER} time=1 nonce={'A' * 32} mac={'0' * 64}",
        f"Fleet1 peer={PEER} time=1 nonce={'٣' * 32} mac={'0' * 64}",
        f"Fleet1 peer={PEER} time=1 nonce={'0' * 32} mac={'0' * 64} ",
        f"Fleet1 peer={PEER} time=1 nonce={'0' * 32} mac={'0' * 64}\n",
        f" Fleet1 peer={PEER} time=1 nonce={'0' * 32} mac={'0' * 64}",
        "Fleet1 " * 100_000,
        "\udcff" * 200,
    ],
    ids=lambda header: repr(header)[:60],
)
def test_what_is_no_signature(guard, header):
    assert reason(guard, header) == "unsigned"


def test_with_another_key_or_of_another_purpose(guard):
    assert reason(guard, Signer(OTHER, PEER).sign("GET", TARGET)) == "stranger"
    assert keys.derive(KEY, "requests") != keys.derive(KEY, "fleet id") != KEY


@pytest.mark.parametrize(
    ("ahead", "told"),
    [(0, PEER), (WINDOW - 1, PEER), (1 - WINDOW, PEER), (WINDOW + 1, "clock"), (-WINDOW - 1, "clock"), (3600, "clock")],
)
def test_it_counts_within_a_window(guard, clock, ahead, told):
    clock.ahead = ahead
    assert reason(guard, Signer(KEY, PEER).sign("GET", TARGET)) == told
    assert reason(guard, Signer(KEY, PEER).sign("GET", TARGET, offset=read_offset(f"{guard.now()}"))) == PEER


def test_a_stranger_is_not_told_of_the_clock(guard, clock):
    clock.ahead = 3600
    assert reason(guard, Signer(OTHER, PEER).sign("GET", TARGET)) == "stranger"


@given(st.lists(st.floats(0, 20), max_size=40))
def test_a_replay_is_refused_for_as_long_as_the_signature_would_count(steps):
    clock = Clock()
    guard, header = Guard(KEY, clock), Signer(KEY, PEER).sign("GET", TARGET)
    assert reason(guard, header) == PEER
    for step in steps:
        clock.ahead += step
        assert (
            reason(guard, header) == ("clock" if clock.ahead > WINDOW + 1 else "replayed") or clock.ahead > WINDOW - 1
        )
        assert reason(guard, Signer(KEY, PEER).sign("GET", TARGET, offset=clock.ahead)) == PEER


def test_what_is_remembered_is_bounded_and_forgotten(guard, clock, monkeypatch):
    monkeypatch.setattr(signing, "_NONCES", 50)
    signer = Signer(KEY, PEER)
    told = [reason(guard, signer.sign("GET", TARGET)) for _ in range(60)]
    assert told == [PEER] * 50 + ["busy"] * 10
    for _ in range(20):
        clock.ahead += 2 * WINDOW + 1
        assert reason(guard, signer.sign("GET", TARGET, offset=clock.ahead)) == PEER
        assert len(guard._nonces) == 1


def test_it_says_nothing_of_the_key():
    header = Signer(KEY, PEER).sign("GET", TARGET)
    assert KEY.hex() not in header and keys.derive(KEY, "requests").hex() not in header
    assert len({re.search("nonce=([^ ]+)", Signer(KEY, PEER).sign("GET", TARGET))[1] for _ in range(100)}) == 100


@pytest.mark.parametrize("told", [None, "", "soon", "nan", "inf", "-inf", "1e300", "0", "-1", "9" * 400, "99999999999"])
def test_no_offset_is_learnt_from(told):
    assert read_offset(told) is None
