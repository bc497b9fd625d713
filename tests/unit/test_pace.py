"""When a member of the fleet is left for the Hub: where that is much quicker, and it matters."""

from __future__ import annotations

import pytest

from ipfs_accelerate_py.errors import SourceError
from ipfs_accelerate_py.fetch import pace, speeds
from ipfs_accelerate_py.fetch.pace import HUB, LONG, WINDOW, Pace, SlowerThanHub
from ipfs_accelerate_py.session import session

MB = 10**6
SIZE = 1000 * MB


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """The seconds of the tests, in a list of one."""
    session.reset()
    now = [100.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    yield now
    session.reset()


def never(piece):
    raise AssertionError("the Hub's speed is known")


def give(looked_at, clock, rate, seconds, **options):
    """Bytes come at that rate, ten times a second; SlowerThanHub where it is left."""
    start, at = clock[0], 0
    looked_at.note(0, **options)
    while clock[0] - start < seconds:
        clock[0] += 0.1
        at += int(rate / 10)
        looked_at.note(at, **options)


# bytes per second of the member, of the Hub, the size, whether it is left
CASES = {
    "much slower": (5 * MB, 60 * MB, SIZE, True),
    "slower, but not twice": (40 * MB, 60 * MB, SIZE, False),
    "as quick": (60 * MB, 60 * MB, SIZE, False),
    "quicker": (400 * MB, 60 * MB, SIZE, False),
    "both slow": (1 * MB, 1 * MB, SIZE, False),
    "much slower, and nearly done": (5 * MB, 60 * MB, 60 * MB, False),
    "not a byte a second": (1, 60 * MB, SIZE, True),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_left_where_the_hub_is_much_quicker_and_it_matters(clock, case):
    rate, hub, size, is_left = CASES[case]
    speeds.note(HUB, 100 * MB, 0.0, 100 * MB / hub)
    looked_at = Pace(size, never)
    looked_at.start("member", 0)

    if not is_left:
        return give(looked_at, clock, rate, 5)
    with pytest.raises(SlowerThanHub):
        give(looked_at, clock, rate, 5)
    assert clock[0] == pytest.approx(100 + WINDOW, abs=0.2)


@pytest.mark.parametrize("is_behind", [False, True])
def test_whoever_is_followed_is_left_only_if_it_has_much_more(clock, is_behind):
    speeds.note(HUB, 100 * MB, 0.0, 1.0)
    looked_at = Pace(SIZE, never)
    looked_at.start("member", 0)

    if is_behind:
        with pytest.raises(SlowerThanHub):
            give(looked_at, clock, MB, 10, is_behind=lambda: True)
    else:
        give(looked_at, clock, MB, 10, is_behind=lambda: False)


def test_one_that_was_slow_is_left_at_once_the_next_time(clock):
    speeds.note(HUB, 100 * MB, 0.0, 1.0)
    first = Pace(SIZE, never)
    first.start("member", 0)
    with pytest.raises(SlowerThanHub):
        give(first, clock, 2 * MB, 10)

    with pytest.raises(SlowerThanHub):
        Pace(SIZE, never).start("member", 0)
    Pace(int(MB * LONG), never).start("member", 0)  # of a small file it is as good
    Pace(SIZE, never).start("another", 0)


def test_where_the_hub_has_failed_nobody_is_left(clock):
    speeds.note(HUB, 100 * MB, 0.0, 1.0)
    looked_at = Pace(SIZE, never, patient=True)
    looked_at.start("member", 0)

    give(looked_at, clock, MB, 20)


def test_a_hub_of_which_nothing_is_known_is_asked_once(clock, monkeypatch):
    asked = []
    monkeypatch.setattr(pace, "submit", lambda work: work())
    looked_at = Pace(SIZE, asked.append)
    looked_at.start("member", 0)

    with pytest.raises(SlowerThanHub):  # it took no time at all
        give(looked_at, clock, MB, 20)

    assert [(piece.size, piece.end) for piece in asked] == [(SIZE - pace.PROBE, SIZE)]


def test_a_hub_that_does_not_answer_is_not_quicker(clock, monkeypatch):
    asked = []

    def refuse(piece):
        asked.append(piece)
        raise SourceError("no")

    monkeypatch.setattr(pace, "submit", lambda work: work())
    looked_at = Pace(SIZE, refuse)
    looked_at.start("member", 0)

    give(looked_at, clock, MB, 20)

    assert len(asked) == 1
