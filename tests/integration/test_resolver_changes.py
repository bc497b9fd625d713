"""What is remembered, and for how long: own writes, `force_download`, the pushes of others."""

import time
from types import SimpleNamespace

import pytest

from ipfs_accelerate_py.hub import breaker
from ipfs_accelerate_py.resolve import authorities, resolver
from tests.support.local_hub import LocalHub

from .resolving import INFO, REPO, asked, commit_of, new_commit


@pytest.fixture
def moved(acme_hub, here, acme):
    """A repo that was resolved and has another commit since: (the old one, the new one)."""
    old = here.resolve(REPO).commit
    return old, new_commit(acme_hub, acme, b"{}")


def test_own_write_is_asked_for_once(acme_hub, here, moved):
    assert here.resolve(REPO).commit == moved[0]
    resolver.forget_repo(REPO)
    requests = len(asked(acme_hub))
    for _ in range(3):
        found = here.resolve(REPO)
        assert (found.commit, found.according_to) == (moved[1], "hub")
    assert len(asked(acme_hub)) == requests + 1


def test_own_write_of_another_repo_changes_nothing(here, moved):
    resolver.forget_repo("acme/other")
    assert here.resolve(REPO).commit == moved[0]


@pytest.mark.parametrize("how", ["own write", "force_download"])
def test_a_slow_hub_has_the_time_that_plain_gives_it(acme_hub, here, moved, how):
    """All is here, and the lower tier has learnt the old commit later."""
    here.learn_in_cache(REPO, "main", moved[0], 3600)
    here.change(timeout=0.5)
    acme_hub.fault(match=INFO, latency=1.0)
    if how == "own write":
        resolver.forget_repo(REPO)
        assert here.resolve(REPO).commit == moved[1]
    assert here.resolve(REPO, fresh=True).commit == moved[1]


def test_a_silent_hub_after_an_own_write(here, moved):
    """Plain falls back to its cache as well. When the Hub has rested it is asked again."""
    with LocalHub() as other:
        down = other
    here.point_at(down)
    resolver.forget_repo(REPO)
    assert here.resolve(REPO).commit == moved[0]
    assert here.resolve(REPO).according_to == "store"
    assert breaker.is_hub_breaker_open()


def test_own_write_is_asked_for_when_the_hub_is_back(acme_hub, here, moved, monkeypatch):
    fault = acme_hub.fault(match=INFO, status=503)
    resolver.forget_repo(REPO)
    assert here.resolve(REPO).commit == moved[0]
    fault["times"] = 0
    breaker.close_hub_breaker()
    assert here.resolve(REPO).commit == moved[1]


def test_an_answer_from_before_an_own_write_is_not_kept(acme_hub, here, acme, monkeypatch):
    old = here.resolve(REPO).commit
    here.forget()
    asked_first = authorities.client.ask_commit

    def ask(*args):
        answer = asked_first(*args)
        monkeypatch.setattr(authorities.client, "ask_commit", asked_first)
        commits.append(new_commit(acme_hub, acme, b"{}"))
        resolver.forget_repo(REPO)
        return answer

    commits = []
    monkeypatch.setattr(authorities.client, "ask_commit", ask)
    assert here.resolve(REPO).commit == old
    assert here.resolve(REPO).commit == commits[0]
    assert here.store.read_ref(REPO, "main") == commits[0]


def test_fresh_asks_each_time(acme_hub, here, moved):
    requests = len(asked(acme_hub))
    assert here.resolve(REPO, fresh=True).commit == here.resolve(REPO, fresh=True).commit == moved[1]
    assert len(asked(acme_hub)) == requests + 2
    here.resolve(REPO)
    here.resolve(REPO, moved[1], fresh=True)
    here.resolve(REPO, fresh=True, local_only=True)
    assert len(asked(acme_hub)) == requests + 2


@pytest.mark.parametrize(("later", "new"), [(9.9, False), (10.1, True)])
def test_a_push_of_another_process_is_seen_after_ten_seconds(here, moved, monkeypatch, later, new):
    monkeypatch.setattr(resolver, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + later))
    assert here.resolve(REPO).commit == moved[new]


def test_what_a_slow_hub_says_counts_when_it_comes(acme_hub, here, moved):
    """Not only when what was taken instead is ten seconds old."""
    here.forget()
    here.change(timeout=0.5)
    acme_hub.fault(match=INFO, latency=0.6)
    assert here.resolve(REPO).commit == moved[0]
    until = time.monotonic() + 20
    while here.resolve(REPO).commit == moved[0]:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert here.resolve(REPO).commit == commit_of(acme_hub)
