"""The judge sees what it is there for."""

from __future__ import annotations

import pytest

from .verdicts import judge

OLDER, NEWEST = "older", "newest"


def value(what, seconds=1.0, said=()):
    return {"value": what, "error": None, "said": list(said), "seconds": seconds}


def failed(text, seconds=1.0, kind="OSError"):
    return {"value": None, "error": {"type": kind, "text": text}, "said": [], "seconds": seconds}


WARNED = [["WARNING", "pin a revision"]]
RETRIED = [["WARNING", "Retrying in 1s [Retry 1/5]."]]


@pytest.mark.parametrize(
    ("plain", "hooked", "holds"),
    [
        (value(NEWEST), value(NEWEST), True),
        (value(NEWEST), value("[UNK]"), False),
        (value(NEWEST), value(OLDER), False),
        (value(OLDER), value(NEWEST), True),
        (value(NEWEST), failed("no"), False),
        (value(NEWEST, said=WARNED), value(NEWEST), False),
        (value(NEWEST), value(NEWEST, said=WARNED), False),
        (value(NEWEST, said=RETRIED), value(NEWEST), True),
        (value(NEWEST), value(NEWEST, seconds=9.0), False),
        (failed("no"), failed("no"), True),
        (failed("no"), failed("other"), False),
        (failed("no"), failed("no", kind="ValueError"), False),
        (failed("no"), value(NEWEST, seconds=9.0), True),
        (failed("no"), value("[UNK]"), False),
        (value("[UNK]"), value("[UNK]"), True),
        (value("[UNK]"), failed("no"), False),
        (failed("", kind="no answer"), failed("", kind="no answer"), True),
        (failed("no"), failed("", kind="no answer"), False),
        (None, value(NEWEST), True),
        (None, value(OLDER), False),
        (None, failed("no"), False),
    ],
)
def test_verdict(plain, hooked, holds):
    assert judge(plain, hooked, [OLDER, NEWEST]).holds == holds


def test_while_the_hub_is_silent_the_known_commit_is_as_good():
    assert judge(value(NEWEST), value(OLDER), [OLDER, NEWEST], silent=True).holds
    assert not judge(value(NEWEST), value("[UNK]"), [OLDER, NEWEST], silent=True).holds
