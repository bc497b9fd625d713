"""When a source counts as silent or slow: by the user's time budget, or later where no other source is left."""

from __future__ import annotations

import threading

import pytest

from ipfs_accelerate_py.fetch.contender import Contender
from ipfs_accelerate_py.fetch.hedge import HedgedFetch
from ipfs_accelerate_py.fetch.sources import FileRequest, Kind

from .stored import COMMIT, ENTRY, REPO


class Silent:
    """A source that is asked and gives nothing until the test ends."""

    kind = Kind.MIRROR
    label = "silent"
    own_pace = None

    def __init__(self):
        self.asked, self.ended = threading.Event(), threading.Event()

    def prepare(self):
        pass

    def fetch(self, request, writer):
        self.asked.set()
        self.ended.wait()
        return self.label


@pytest.fixture
def is_behind(store):
    """`is_behind(budget, silence, more)`: whether a source that has been silent for so long counts as too slow."""
    source = Silent()
    request = FileRequest(REPO, COMMIT, "model.bin", ENTRY)
    with store.receive(REPO, ENTRY) as writer:

        def ask(budget, silence, more):
            contender = Contender(source, request, store, writer, threading.Event())
            assert source.asked.wait(60)
            contender.started -= silence
            contender.checked -= silence
            return HedgedFetch(store, request, budget, lambda *_: None)._is_behind(contender, more)

        yield ask
        writer.cancel()
        source.ended.set()


@pytest.mark.parametrize("budget", [2.0, 9.0, 10.0, 11.0, 20.0])
def test_the_next_is_asked_when_the_time_budget_is_over(is_behind, budget):
    assert is_behind(budget, budget, more=True)


@pytest.mark.parametrize("budget", [2.0, 10.0, 20.0])
def test_the_last_has_more_time_to_begin(is_behind, budget):
    assert not is_behind(budget, 12.0, more=False)
    assert is_behind(budget, 20.0, more=False)
