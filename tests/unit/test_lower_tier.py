"""Other caches on this machine: whose word is the latest."""

from __future__ import annotations

import os
import time

import pytest

from ipfs_accelerate_py.hf_cache.other_caches import OtherCaches
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.store import Store
from ipfs_accelerate_py.store.tree import Entry, Tree

REPO = "org/name"


@pytest.mark.parametrize(
    ("first", "second", "winner"),
    # seconds from now; a date to come was written by a wrong clock
    [(-100, -10, 1), (-10, -100, 0), (-100, 30, 1), (10_000, -100, 1), (-100, 10_000, 0)],
)
def test_the_later_of_two_caches(tmp_path, first, second, winner):
    caches = (tmp_path / "first", tmp_path / "second")
    for number, (cache, moment) in enumerate(zip(caches, (first, second), strict=True)):
        ref = cache / layout.ref_path(REPO, "main")
        ref.parent.mkdir(parents=True)
        ref.write_text(f"{number}" * 40)
        os.utime(ref, (time.time() + moment,) * 2)
    commit, _ = OtherCaches(caches).known_commit(REPO, "main")
    assert commit == f"{winner}" * 40


def test_the_word_of_a_publisher_in_another_store_is_not_the_hubs(tmp_path):
    """What a store was told by a publisher stays a publisher's word where that store is only read."""
    commit, tier = "1" * 40, OtherCaches((tmp_path,))
    tree = Tree(commit, {"config.json": Entry(2, "2" * 40)})
    for unconfirmed in (False, True):
        Store(tmp_path).write_tree(REPO, tree, unconfirmed=unconfirmed)
        Store(tmp_path).write_ref(REPO, "main", commit, unconfirmed=unconfirmed)
        found = tier.known_commit(REPO, "main"), tier.known_tree(REPO, commit)
        if unconfirmed:
            assert found == (None, None)
        else:
            assert found[0][0] == commit and found[1].files == tree.files
