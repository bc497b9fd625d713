"""Which ranges of a large file are given to whom: the owner of the claim always has one of its own to go on with."""

from itertools import pairwise

import pytest

from ipfs_accelerate_py.fleet.directory import Directory
from ipfs_accelerate_py.fleet.ranges import UNIT, Ranges

FILE = ("models--acme--model", "e" * 64)
SIZE = 10 * UNIT + 5


def units(given):
    return None if given is None else (given.start / UNIT, given.end / UNIT)


# (peer, what the owner has or fetches, length) -> (first unit, end); None: nothing
STEPS = {
    "the next free one is the owner's": [("b", 0, UNIT, (1, 2)), ("c", 0, UNIT, (2, 3)), ("d", 0, UNIT, (3, 4))],
    "what the owner fetches is not given": [("b", 3 * UNIT, UNIT, (4, 5)), ("b", 4 * UNIT, UNIT, (6, 7))],
    "an offset within a unit counts as its end": [("b", 3 * UNIT - 1, UNIT, (4, 5)), ("c", 3 * UNIT + 1, UNIT, (6, 7))],
    "long ones": [("b", 0, 3 * UNIT, (3, 6)), ("c", 0, 3 * UNIT, (6, 9)), ("d", 0, 3 * UNIT, (9, SIZE / UNIT))],
    "no longer than sixteen units, nor shorter than one": [("b", 0, 1 << 60, None), ("b", 0, 1, (1, 2))],
    "the last is the owner's": [("b", 9 * UNIT, UNIT, (10, SIZE / UNIT)), ("c", 9 * UNIT, UNIT, None)],
    "nothing is left": [("b", SIZE, UNIT, None)],
    "one member does not run far ahead": [*[("b", 0, UNIT, (at, at + 1)) for at in range(1, 9)], ("b", 0, UNIT, None)],
    "what the owner has passed counts no more": [
        *[("b", 0, UNIT, (at, at + 1)) for at in range(1, 9)],
        ("b", 8 * UNIT, UNIT, (10, SIZE / UNIT)),
    ],
}


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
def test_what_is_given(steps):
    ranges = Ranges(SIZE)
    for peer, until, length, expected in steps:
        assert units(ranges.give(peer, until, length, 0.0)) == expected


def test_none_is_given_twice_and_all_but_the_owners_are_given():
    ranges, given = Ranges(1000 * UNIT), []
    while (found := ranges.give(f"p{len(given) % 16}", 0, 2 * UNIT, 0.0)) is not None:
        given.append((found.start, found.end))
    assert len(given) == 128 and given == sorted(set(given))
    assert all(one[1] <= next_one[0] for one, next_one in pairwise(given))


def test_what_is_given_up_is_given_again():
    ranges = Ranges(SIZE)
    first, second = ranges.give("b", 0, UNIT, 0.0), ranges.give("b", 0, UNIT, 0.0)
    ranges.drop("c", first.start)
    ranges.drop("b", first.start)
    assert ranges.beyond(0) == (second,)
    assert units(ranges.give("c", UNIT, UNIT, 0.0)) == (3, 4)  # the one that is free again is the owner's next
    ranges.drop("b")
    assert [each.peer for each in ranges.beyond(0)] == ["c"]


def test_helpers_are_bounded_and_forgotten_in_the_end():
    ranges = Ranges(100 * UNIT)
    assert [ranges.give(f"p{at}", 0, UNIT, 0.0) is not None for at in range(17)] == [True] * 16 + [False]
    assert ranges.give("p17", 0, UNIT, 700.0) is not None


def test_what_was_given_by_another_is_kept():
    ranges = Ranges(SIZE)
    for start, end in ((2, 3), (2, 4), (1, 3), (5, 5), (5, 99)):  # the others overlap, or are none
        ranges.keep("b", start * UNIT, end * UNIT, 0.0)
    assert [units(each) for each in ranges.beyond(0)] == [(2, 3)]
    assert units(ranges.give("c", 0, UNIT, 0.0)) == (1, 2) and units(ranges.give("c", 0, UNIT, 0.0)) == (3, 4)


@pytest.fixture
def directory():
    return Directory(lambda: 1000.0)


def test_an_owner_is_told_of_the_ranges_beyond_what_it_has(directory):
    directory.find("a", FILE, SIZE)
    given = directory.take_range("b", FILE, SIZE, UNIT)
    assert directory.find("a", FILE, SIZE).ranges == (given,)
    assert directory.find("b", FILE, SIZE).ranges == () and directory.find("c", FILE, SIZE).ranges == ()
    assert directory.find("a", FILE, SIZE, arrived=given.end).ranges == ()


def test_the_next_owner_goes_on_with_them(directory):
    directory.find("a", FILE, SIZE)
    given = directory.take_range("b", FILE, SIZE, UNIT)
    directory.release("a", FILE, done=False)
    assert directory.find("c", FILE, SIZE).ranges == ()
    assert directory.find("c", FILE, SIZE).ranges == (given,)
    directory.release("c", FILE, done=True)
    directory.find("d", FILE, SIZE)
    assert directory.find("d", FILE, SIZE).ranges == ()


def test_one_that_has_just_begun_to_answer_learns_of_them(directory):
    directory.find("b", FILE, SIZE, have=[(UNIT, 2 * UNIT)])
    directory.release("b", FILE, done=False)
    assert directory.find("a", FILE, SIZE).mine
    assert [(each.peer, *units(each)) for each in directory.find("a", FILE, SIZE).ranges] == [("b", 1, 2)]


def test_what_the_owner_asks_the_hub_for_is_not_given(directory):
    directory.find("a", FILE, SIZE)
    directory.find("a", FILE, SIZE, until=4 * UNIT)
    assert units(directory.take_range("b", FILE, SIZE, UNIT)) == (5, 6)


def test_only_an_owner_loses_the_ranges_of_others(directory):
    directory.find("a", FILE, SIZE)
    given = [directory.take_range(peer, FILE, SIZE, UNIT) for peer in "bc"]
    directory.find("d", FILE, SIZE, lost=["b"])
    assert directory.find("a", FILE, SIZE).ranges == tuple(given)
    directory.find("a", FILE, SIZE, lost=["b"])
    assert directory.find("a", FILE, SIZE).ranges == (given[1],)


@pytest.mark.parametrize(
    ("peer", "size"), [("a", SIZE), ("b", SIZE + 1)], ids=["the owner itself", "a file of another size"]
)
def test_who_is_given_none(directory, peer, size):
    directory.find("a", FILE, SIZE)
    directory.take_range("c", FILE, SIZE, UNIT)
    assert directory.take_range(peer, FILE, size, UNIT) is None


def test_without_a_claim_none_is_given_and_one_that_left_has_none(directory):
    assert directory.take_range("b", FILE, SIZE, UNIT) is None
    directory.find("a", FILE, SIZE)
    directory.take_range("b", FILE, SIZE, UNIT)
    directory.forget("b")
    assert directory.find("a", FILE, SIZE).ranges == ()
