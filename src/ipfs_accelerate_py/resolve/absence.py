"""Which files a commit is known not to have: a file that this machine lacks is unknown, not missing.

A file is known to be missing by a complete listing, or by the mark that huggingface_hub leaves when the Hub has
answered 404 for it at that commit (`.no_exist`). What is neither listed nor known to be missing is unknown.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from ..hf_cache.other_caches import OtherCaches
from ..store import layout
from ..store.resolution import Resolution
from ..store.store import Store
from ..store.tree import MAX_BYTES, EmptyListing, tree_from_json


def find_missing(store: Store, caches: Iterable[Path], resolution: Resolution, paths: Iterable[str]) -> set[str]:
    """Those of the paths that the commit is known not to have."""
    unlisted = {path for path in paths if path not in resolution.tree}
    if not unlisted or resolution.tree.complete:
        return unlisted
    roots = [*caches]
    if not has_empty_listing(store, resolution.repo_id, resolution.commit):  # which marks files that are there
        roots.append(store.root)
    return {path for path in unlisted if any(_is_marked(root, resolution, path) for root in roots)}


def _is_marked(root: Path, resolution: Resolution, path: str) -> bool:
    try:
        return os.path.isfile(root / layout.missing_path(resolution.repo_id, resolution.commit, path))
    except ValueError:  # a name that no repo can have
        return False


def is_seen(caches: Iterable[Path], resolution: Resolution, path: str) -> bool:
    """Return whether one of the caches shows a file of that name in the commit, whatever its bytes may be."""
    try:
        name = layout.snapshot_path(resolution.repo_id, resolution.commit, path)
    except ValueError:
        return False
    return any(os.path.isfile(cache / name) for cache in caches)


def names_seen(caches: Iterable[Path], resolution: Resolution) -> set[str]:
    """The names of the files that the caches show in the commit."""
    return OtherCaches(tuple(caches)).shown(resolution.repo_id, resolution.commit)


def has_empty_listing(store: Store, repo_id: str, commit: str) -> bool:
    """Return whether the kept listing of a commit is without a file: 0.1.0 then marked files that exist as missing."""
    try:
        with open(store.path(layout.tree_path(repo_id, commit)), "rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if b'"blob_id":' in raw:  # which every row of a file has
            return False
        tree_from_json(commit, raw)
    except EmptyListing:
        return True
    except (OSError, ValueError):
        pass
    return False


def drop_empty_listing(store: Store, repo_id: str, commit: str) -> None:
    """Remove a listing without a file, and what was marked as missing because of it."""
    if has_empty_listing(store, repo_id, commit):
        with contextlib.suppress(OSError):  # a store that is read-only
            shutil.rmtree(store.path(layout.missing_folder(repo_id, commit)), ignore_errors=True)
            store.path(layout.tree_path(repo_id, commit)).unlink()
