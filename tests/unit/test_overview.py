"""What the page shows of a fleet: who holds and who gave what, in no more rows than a browser can draw."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accelerate_py.agent.counts import Counts
from ipfs_accelerate_py.agent.holdings import GIVEN_ROWS, read_given, read_rows
from ipfs_accelerate_py.agent.status import overview
from ipfs_accelerate_py.agent.status.overview import list_holders, list_transfers

A, B, C = (f"12D3KooW{letter * 40}" for letter in "abc")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(max_size=8), each, max_size=4),
    max_leaves=12,
)
GOOD = {"folder": "models--org--name", "files": 2, "bytes": 30}


def machine(name, peer, given=(), **models):
    rows = [{"folder": f"models--org--{name}", "files": 1, "bytes": size} for name, size in models.items()]
    return {"name": name, "peer": peer, "trouble": "", "models": rows, "given": dict(given)}


def test_which_models_lie_where():
    rows = list_holders([machine("a", A, small=5, Large=10), machine("b", B, Large=40), machine("c", C)])
    assert [(row["name"], row["bytes"], row["machines"]) for row in rows] == [("org/Large", 40, 2), ("org/small", 5, 1)]
    assert [(each["name"], each["bytes"]) for each in rows[0]["holders"]] == [("a", 10), ("b", 40)]


def test_a_model_that_all_have_names_some():
    (row,) = list_holders([machine(f"m{at}", f"{A}{at}", it=at) for at in range(1000)])
    assert row["machines"] == 1000 and row["bytes"] == 999 and len(row["holders"]) == 12


def test_who_gave_whom():
    """What a machine's own programs took from its agent spares the Hub nothing, and does not count."""
    machines = [machine("a", A, {B: 5, A: 100}), machine("b", B, {A: 7, C: 9})]
    rows = list_transfers(machines, {A: "a", B: "b"})
    assert [(row["giver"], row["taker"], row["bytes"]) for row in rows] == [("b", "", 9), ("b", "a", 7), ("a", "b", 5)]


def test_no_more_rows_than_can_be_drawn():
    assert overview._table([1] * 7) == {"rows": [1] * 7, "all": 7}
    table = overview._table(list(range(90_000)))
    assert len(table["rows"]) == 500 and table["all"] == 90_000


@given(JSON, JSON)
def test_whatever_a_member_tells(models, sums):
    """It is read or left out, and what is read can be shown."""
    document = {"models": models, "given": sums}
    rows, sizes = read_rows(document), read_given(document)
    json.dumps([rows, sizes], allow_nan=False)
    list_holders([{"name": "x", "peer": A, "models": rows, "given": sizes}])


@pytest.mark.parametrize(
    "change",
    [
        *({"bytes": value} for value in (-1, 1.5, float("inf"), 1 << 60, True, "9", None)),
        *({"files": value} for value in (-1, None)),
        *({"folder": value} for value in ("../etc", "models--a--b--c--", "", None, 7, ["models--org--name"])),
    ],
    ids=str,
)
def test_rows_that_are_none(change):
    assert read_rows({"models": [{**GOOD, **change}, GOOD]}) == [GOOD]


def test_rows_of_a_newer_version():
    assert read_rows({"models": [{**GOOD, "more": 1}]}) == [GOOD]


@pytest.mark.parametrize("models", [None, {}, "rows", 7, [None, 7, "row", []]], ids=str)
def test_a_list_that_is_none(models):
    assert read_rows({"models": models}) == read_rows({}) == []


def test_what_was_given_as_it_is_told():
    counts = Counts()
    for at in range(2000):
        counts.note_given(f"12D3KooW{'b' * 36}{at:04}".replace("0", "z"), "whole", at)
    counts.note_given(A, "whole", 5000)
    counts.note_given(A, "arriving", 5000)
    told = json.loads(json.dumps({"given": counts.sum_given(GIVEN_ROWS)}))
    assert len(read_given(told)) == GIVEN_ROWS and read_given(told)[A] == 10_000
    assert read_given({"given": {A: -1, B: 3, "nobody": 9}}) == {B: 3}
    assert read_given({"given": [A]}) == read_given({}) == {}
