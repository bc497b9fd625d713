"""Other caches on this machine: where they are by default, and which has the latest commit."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ipfs_accelerate_py.config.forms import default_lower
from ipfs_accelerate_py.config.settings import read_settings
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


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "{home}/.cache/huggingface/hub"),
        ({"HF_HUB_CACHE": "/x"}, "/x"),
        ({"HUGGINGFACE_HUB_CACHE": "/y"}, "/y"),
        ({"HF_HOME": "/h"}, "/h/hub"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/huggingface/hub"),
        ({"HF_HOME": "/h", "XDG_CACHE_HOME": "/c"}, "/h/hub"),
        ({"HF_HUB_CACHE": "/x", "HF_HOME": "/h"}, "/x"),
    ],
    ids=str,
)
def test_the_default_is_where_huggingface_hub_looks(home, monkeypatch, environ, expected):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert Path(default_lower()).expanduser() == Path(expected.format(home=home))
    assert read_settings().lower == (Path(expected.format(home=home)),)
