"""When a source counts as silent or slow: by the user's time budget, or by PATIENCE where nobody else can be asked."""

from __future__ import annotations

import threading

import pytest

from ipfs_accelerate_py.fetch.contender import Runner
from ipfs_accelerate_py.fetch.hedge import Race
from ipfs_accelerate_py.fetch.sources import Wanted

from .stored import COMMIT, ENTRY, REPO


class Silent:
    """A source that is asked and gives nothing until the test ends."""

    name = label = "silent"
    is_patient = False

    def __init__(self):
        self.asked, self.ended = threading.Event(), threading.Event()

    def prepare(self):
        pass

    def fetch(self, wanted, receiver):
        self.asked.set()
        self.ended.wait()
        return self.label


@pytest.fixture
def is_behind(store):
    """`is_behind(budget, silence, more)`: does a source that has been silent for so long count as too slow?"""
    source = Silent()
    wanted = Wanted(REPO, COMMIT, "model.bin", ENTRY)
    with store.receive(REPO, ENTRY) as receiver:

        def ask(budget, silence, more):
            runner = Runner(source, wanted, store, receiver, threading.Event())
            assert source.asked.wait(60)
            runner.started -= silence
            runner.checked -= silence
            return Race(store, wanted, budget, lambda *_: None)._is_behind(runner, more)

        yield ask
        receiver.cancel()
        source.ended.set()


@pytest.mark.parametrize("budget", [2.0, 9.0, 10.0, 11.0, 20.0])
def test_the_next_is_asked_when_the_time_budget_is_over(is_behind, budget):
    assert is_behind(budget, budget, more=True)


@pytest.mark.parametrize("budget", [2.0, 10.0, 20.0])
def test_the_last_has_more_time_to_begin(is_behind, budget):
    assert not is_behind(budget, 12.0, more=False)
    assert is_behind(budget, 20.0, more=False)
