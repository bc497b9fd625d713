"""What members of a fleet may be given: what the Hub has last shown to everybody, also while it is down."""

from __future__ import annotations

import os
import time

import pytest

from ipfs_accelerate_py.publish.eligibility import may_be_given, prove_again
from ipfs_accelerate_py.store.layout import Own, repo_folder
from ipfs_accelerate_py.store.visibility import remember_access

REPO = "acme/model"
DAY = 24 * 3600.0


@pytest.fixture
def proven(here, acme_hub):
    """A machine whose Hub has shown the repo to everybody `days` ago: `proven(days)`."""

    def prove(days, public=True):
        remember_access(here.store, REPO, public)
        moment = time.time() - days * DAY
        os.utime(here.store.own_folder / Own.ACCESS / repo_folder(REPO), (moment, moment))
        return here

    return prove


@pytest.mark.parametrize(
    ("days", "public", "publish", "given"),
    [
        (0, True, "auto", True),
        (2, True, "auto", True),
        (29, True, "on", True),
        (31, True, "auto", False),
        (0, True, "off", False),
        (0, False, "auto", False),
        (40, False, "on", False),
    ],
)
def test_the_last_word_of_the_hub(proven, days, public, publish, given):
    here = proven(days, public)
    here.change(publish=publish)
    assert may_be_given(here.store, here.settings, REPO) is given
    assert may_be_given(here.store, here.settings, "acme/never-seen") is False


@pytest.mark.parametrize(
    ("days", "hub_is", "asked", "given"),
    [
        (0, "well", False, True),
        (2, "well", True, True),
        (2, "closed", True, False),
        (2, "down", True, True),
        (40, "well", False, False),
    ],
)
def test_the_hub_is_asked_again(proven, acme_hub, days, hub_is, asked, given):
    here = proven(days)
    here.change(publish="auto")
    if hub_is == "closed":
        acme_hub.repos["models", REPO].meta["private"] = True
    elif hub_is == "down":
        acme_hub.fault(status=503)
    acme_hub.log.clear()
    assert prove_again(here.store, here.settings, REPO, 2.0) is asked
    assert bool(acme_hub.log) is asked
    assert may_be_given(here.store, here.settings, REPO) is given
    if hub_is == "well" and asked:  # the new word is as good as any
        assert prove_again(here.store, here.settings, REPO, 2.0) is False
