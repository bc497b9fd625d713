"""Refs of a cache that other programs write as well: what was learnt later stays."""

from __future__ import annotations

import os
from pathlib import Path

from ..store import layout
from ..store.store import Store, read_ref


def is_others_word(cache: Path, store: Store, repo_id: str, revision: str, commit: str) -> bool:
    """Return whether a cache names another commit, which another program has learnt after our store has learnt ours."""
    return read_ref(cache, repo_id, revision) not in (None, commit) and is_later(
        cache / layout.ref_path(repo_id, revision), store, repo_id, revision
    )


def is_later(ref: Path | str, store: Store, repo_id: str, revision: str) -> bool:
    """Return whether a ref was written after that of the store; not, where either is missing."""
    try:
        return os.stat(ref).st_mtime_ns > store.path(layout.ref_path(repo_id, revision)).stat().st_mtime_ns
    except OSError:
        return False
