"""An unwell Hub: what it costs, and what serves instead."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from huggingface_hub import constants

from ipfs_accelerate_py.errors import Unresolved
from ipfs_accelerate_py.net import timeouts
from ipfs_accelerate_py.session import session
from ipfs_accelerate_py.store import layout
from tests.support.in_process import write_repo

from .resolving import FILES, OTHER, REPO, asked, new_commit

pytestmark = pytest.mark.lines

FAULTS = {
    "401": {"status": 401},
    "401 unknown repo": {"status": 401, "code": "RepoNotFound"},
    "401 gated": {"status": 401, "code": "GatedRepo"},
    "403": {"status": 403},
    "404": {"status": 404},
    "404 unknown repo": {"status": 404, "code": "RepoNotFound"},
    "404 unknown revision": {"status": 404, "code": "RevisionNotFound"},
    "429": {"status": 429, "retry_after": 60},
    "429 with limits": {"status": 429, "ratelimit": 60},
    "500": {"status": 500},
    "503": {"status": 503},
    "reset": {"reset": True},
    "hang": {"hang": True},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_is_known_here_serves_whatever_the_hub_says(acme_hub, here, fault):
    here.change(timeout=0.5)
    commit = here.resolve(REPO).commit
    here.forget()
    acme_hub.log.clear()
    acme_hub.fault(**fault)
    started = time.monotonic()
    found = here.resolve(REPO)
    assert time.monotonic() - started < 5  # huggingface_hub's own patience is ten seconds and more
    assert (found.commit, found.according_to) == (commit, "store")
    # The API once; where that is of no use one file's header, which plain asks and which names the commit of a branch.
    api, *headers = [(row["method"], "/api/" in row["path"]) for row in asked(acme_hub)]
    assert api == ("GET", True) and headers in ([], [("HEAD", False)])


def test_a_hub_that_is_not_there(acme_hub, here):
    commit = here.resolve(REPO).commit
    here.forget()
    here.point_at(None)
    started = time.monotonic()
    assert here.resolve(REPO).commit == commit
    assert time.monotonic() - started < 5  # huggingface_hub's own patience is ten seconds and more


def test_a_hub_whose_answer_is_no_listing(acme_hub, here):
    commit = here.resolve(REPO).commit
    here.forget()
    acme_hub.repos["models", REPO].refs["main"] = "../../x"
    acme_hub.repos["models", REPO].commits["../../x"] = acme_hub.repos["models", REPO].commits[commit]
    assert here.resolve(REPO).commit == commit
    assert list((here.store.root / "models--acme--model" / "snapshots").iterdir()) == [
        here.store.path(layout.snapshot_path(REPO, commit))
    ]


@pytest.mark.parametrize(
    ("repo_id", "revision", "fault", "answered"),
    [
        ("acme/nobody", None, {}, True),
        ("acme/private", None, {}, True),
        (REPO, "no-such-branch", {}, True),
        (REPO, OTHER, {}, True),
        (REPO, None, {"status": 503}, False),
        (REPO, None, {"status": 429}, False),
        (REPO, None, {"reset": True}, False),
    ],
)
def test_where_nothing_is_known_here(acme_hub, here, repo_id, revision, fault, answered):
    if fault:
        acme_hub.fault(**fault)
    with pytest.raises(Unresolved) as caught:
        here.resolve(repo_id, revision)
    assert caught.value.answered is answered
    assert repo_id in str(caught.value) or str(fault.get("status", "")) in str(caught.value)


def test_three_resolutions_with_a_hub_that_hangs_cost_one_timeout(acme_hub, here, acme):
    names = [f"acme/model{number}" for number in range(3)]
    for name in names:
        write_repo(acme, name, FILES)
    acme_hub.scan()
    for name in names:
        here.resolve(name)
    here.forget()
    acme_hub.fault(hang=True)
    here.change(timeout=0.6)
    acme_hub.log.clear()
    started = time.monotonic()
    for name in names:
        assert here.resolve(name).according_to == "store"
    assert 0.2 < time.monotonic() - started < 5  # where all is known, the Hub has 0.4 of the time
    assert len(asked(acme_hub)) == 1


def test_after_a_rest_the_hub_is_asked_again(acme_hub, here, acme, monkeypatch):
    old = here.resolve(REPO).commit
    new = new_commit(acme_hub, acme, b"{}")
    here.forget()
    acme_hub.fault(status=503, times=1)
    assert here.resolve(REPO).commit == old
    monkeypatch.setattr(timeouts, "RESOLUTION_TTL", 0.0)
    assert here.resolve(REPO).commit == old  # it rests
    session.reset()
    assert here.resolve(REPO).commit == new


def test_eight_threads_with_a_hub_that_hangs_and_nothing_known_wait_once(acme_hub, here, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 1)
    here.change(timeout=0.2)
    acme_hub.fault(hang=True)

    def ask(_):
        with pytest.raises(Unresolved):
            here.resolve(REPO)

    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    assert time.monotonic() - started < 6  # eight in turn would take eight
    assert len(asked(acme_hub)) == 1
