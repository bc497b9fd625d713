"""What is remembered of a repo's visibility."""

import os
import time

import pytest

from ipfs_accelerate_py.store import visibility

from .stored import REPO

DAY = 24 * 3600


@pytest.mark.parametrize(
    ("age", "believed"), [(0, True), (DAY - 60, True), (DAY + 60, None), (-5, True), (-120, None), (-3650 * DAY, None)]
)
def test_a_proof_lasts_a_day_and_one_from_the_future_is_none(store, age, believed):
    visibility.remember_access(store, REPO, True)
    os.utime(visibility._proof(store, REPO), (time.time() - age,) * 2)
    assert visibility.known_access(store, REPO) is believed
    visibility.remember_access(store, REPO, True)
    assert visibility.known_access(store, REPO) is True


@pytest.mark.parametrize("age", [0, 400 * DAY, -400 * DAY])
def test_that_a_repo_is_closed_is_never_forgotten(store, age):
    visibility.remember_access(store, REPO, False)
    os.utime(visibility._proof(store, REPO), (time.time() - age,) * 2)
    assert visibility.known_access(store, REPO) is False
