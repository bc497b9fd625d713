"""What an agent believes of the times for which the Hub is not to be asked, and how these are read from its answers."""

import email.utils

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accelerate_py.fleet.waits import MOST, Waits
from ipfs_accelerate_py.hub.limits import read_wait

A, B = "a" * 32, "b" * 32


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def waits(clock):
    return Waits(clock)


def test_the_longest_counts_and_ends(waits, clock):
    assert waits.note({A: 10}, own=True) and waits.note({A: 30, B: 5}, own=False)
    assert waits.left() == {A: 30, B: 5} and waits.longest() == 30
    clock.now += 6
    assert waits.left() == {A: 24}
    clock.now += 30
    assert waits.left() == {} and waits.longest() == 0.0


def test_what_is_known_is_no_news(waits, clock):
    assert waits.note({A: 10}, own=False)
    clock.now += 1
    assert not waits.note({A: 9.2}, own=False)


@pytest.mark.parametrize("every", [1.0, 7.0, 60.0])
def test_members_that_lie_without_end_are_believed_half_of_the_time(waits, clock, every):
    believed = begins = 0.0
    for _ in range(int(20 * MOST / every)):
        waits.note({A: 1e9}, own=False)
        assert waits.longest() <= MOST
        if waits.longest():
            believed += every
        clock.now += every
        begins += every
    assert believed <= 0.55 * begins


def test_own_programs_are_believed_beside_that(waits, clock):
    waits.note({A: 1e9}, own=False)
    clock.now += MOST + 1
    assert not waits.note({A: 1e9}, own=False) and waits.left() == {}
    assert waits.note({A: 1e9}, own=True) and waits.left() == {A: MOST}


def test_a_flood_of_members_words_costs_neither_memory_nor_our_own(waits, clock):
    for at in range(1000):
        waits.note({f"{at:032x}": 100}, own=False)
    assert waits.note({A: 50}, own=True) and waits.left()[A] == 50
    for at in range(1000):
        waits.note({f"{at:032x}": 100}, own=False)
    assert waits.left()[A] == 50 and len(waits.left()) <= 32


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=4) | st.just(A), each, max_size=4),
        max_leaves=8,
    )
)
def test_whatever_is_told(document):
    known = Waits(Clock())
    known.note(document, own=False)
    assert 0.0 <= known.longest() <= MOST


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "3"}, 3.0),
        ({"retry-after": " 120 "}, 120.0),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "soon"}, None),
        ({"RateLimit": '"api";r=0;t=55', "Retry-After": "3"}, 55.0),
        ({"ratelimit": '"api";r=7;t=55', "Retry-After": "3"}, 3.0),
        ({"ratelimit": '"api";r=7;t=55'}, None),
        ({"ratelimit": "nonsense", "Retry-After": "9" * 30}, None),
    ],
    ids=str,
)
def test_what_the_hub_asks(headers, seconds):
    assert read_wait(headers) == seconds


def test_a_date_is_by_the_clock_of_the_hub():
    date = [email.utils.formatdate(1_000_000 + more, usegmt=True) for more in (0, 90, -90)]
    assert read_wait({"Date": date[0], "Retry-After": date[1]}) == 90.0
    assert read_wait({"Date": date[0], "Retry-After": date[2]}) == 0.0


@pytest.mark.parametrize(
    "text", ['"api";r=0;t=55', '"api"; r=0; t=1', '"resolvers";r=3;t=2', "api;r=0;t=5", "", '"a";t=5']
)
def test_a_limit_is_read_as_the_client_reads_it(text):
    http = pytest.importorskip("huggingface_hub.utils._http")
    if not hasattr(http, "parse_ratelimit_headers"):
        pytest.skip("this line of the client reads none")
    theirs = http.parse_ratelimit_headers({"ratelimit": text})
    assert read_wait({"ratelimit": text}) == (
        None if theirs is None or theirs.remaining else float(theirs.reset_in_seconds)
    )
