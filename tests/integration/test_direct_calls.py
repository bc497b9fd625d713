"""Calls at huggingface_hub's public names give what they give plain; all of them: python -m tests.direct_calls."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.direct_calls.compare import WARM_HOME, differences, measure, short_calls

pytestmark = [pytest.mark.lines, pytest.mark.timeout(600)]
CALLS = [*short_calls(), WARM_HOME]


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Both sides of every call, side by side."""
    folder = tmp_path_factory.mktemp("direct-calls")
    with ThreadPoolExecutor(2) as pool:
        sides = [(folder / "plain", False), (folder / "hooked", True)]
        return list(pool.map(lambda side: measure(CALLS[:-1], *side), sides))


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_like_plain(measured, call):
    plain, hooked = measured
    assert differences(call, plain[call], hooked[call]) == {}


def test_the_calls_are_many():
    assert len(CALLS) >= 200
