"""The names that loads have left in a Hugging Face cache: they count as the store's, and go with what they belong to.

A note of each blob says in which cache it was left. What others have put there, or have linked to since, stays.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..files import remove_empty_folders
from ..store import layout, scan
from ..store.layout import Own
from ..store.scan import CachedRepo, Inode, Snapshot
from ..store.store import Store


def note_path(store: Store, repo_id: str, etag: str) -> Path:
    """The note that a blob was left in the cache whose folder the note holds."""
    return store.own_folder / Own.SHARED / layout.repo_folder(repo_id) / etag


def count_names(store: Store, repos: list[CachedRepo]) -> Counter[Inode]:
    """How many names of the store's files lie in caches and would go with them. Reads only."""
    found: Counter[Inode] = Counter()
    for repo in repos:
        here = {snapshot.commit for snapshot in repo.snapshots}
        for cache, names in _caches(store, repo).items():
            there = scan.read_repo(cache, repo.folder.name)
            if there is None:
                continue
            for name in names:
                status = there.blobs.get(name)
                if status is None or scan.inode(status) != scan.inode(repo.blobs[name]):
                    continue
                if _shown_in(there, name) <= here:
                    found[scan.inode(status)] += 1
    return found


def take_back(store: Store, snapshot: Snapshot) -> None:
    """Remove what loads of a commit have left in caches, but for what names of other programs there point to.

    For a commit that was just removed, and before its blobs are. Never raises.
    """
    repo = scan.read_repo(store.root, snapshot.folder.parent.parent.name)
    if repo is None:
        return
    names = {file.blob for file in snapshot.files}
    for cache, noted in _caches(store, repo).items():
        with contextlib.suppress(OSError):
            _take_back(cache, repo, snapshot.commit, [name for name in noted if name in names])
        for name in noted:
            if name in names and not scan.points_to(repo, name):
                note_path(store, repo.repo_id, name).unlink(missing_ok=True)


def _take_back(cache: Path, repo: CachedRepo, commit: str, names: list[str]) -> None:
    there = scan.read_repo(cache, repo.folder.name)
    if there is None:
        return
    ours = {name for name in names if name in there.blobs and _same(repo.blobs[name], there.blobs[name])}
    files = [file for each in there.snapshots if each.commit == commit for file in each.files]
    if all(file.blob in ours for file in files):
        # Nothing of the commit stays: first the names by which it is found.
        for name, points_to in there.refs.items():
            if points_to == commit:
                (there.folder / "refs" / name).unlink(missing_ok=True)
        (there.folder / "trees" / f"{commit}.json").unlink(missing_ok=True)
        for mark in scan.walk(there.folder / ".no_exist" / commit):
            mark.unlink(missing_ok=True)
    for file in files:
        if file.blob in ours:
            file.where.unlink(missing_ok=True)
    left = scan.read_repo(cache, repo.folder.name)
    for name in ours:
        if left is not None and not scan.points_to(left, name):
            (there.folder / "blobs" / name).unlink(missing_ok=True)
    # Another program may be about to write into an empty folder: others than these go with the last file only.
    folders = [there.folder / name / commit for name in ("snapshots", ".no_exist")]
    for folder in folders if any(True for _ in scan.walk(there.folder)) else [there.folder]:
        remove_empty_folders(folder)


def _caches(store: Store, repo: CachedRepo) -> dict[Path, list[str]]:
    """The caches in which blobs of a repo were left, with the names of those."""
    found: dict[Path, list[str]] = {}
    for name in scan.names(store.own_folder / Own.SHARED / repo.folder.name):
        with contextlib.suppress(OSError):
            cache = Path(os.fsdecode(note_path(store, repo.repo_id, name).read_bytes()))
            if name in repo.blobs and cache.is_absolute():
                found.setdefault(cache, []).append(name)
    return found


def stale_notes(store: Store) -> Iterator[Path]:
    """Notes on blobs that are gone."""
    for folder in sorted(scan.names(store.own_folder / Own.SHARED)):
        for name in sorted(scan.names(store.own_folder / Own.SHARED / folder)):
            if not os.path.lexists(store.root / folder / "blobs" / name):
                yield store.own_folder / Own.SHARED / folder / name


def _shown_in(repo: CachedRepo, name: str) -> set[str]:
    """The commits that show a blob."""
    return {each.commit for each in repo.snapshots if any(file.blob == name for file in each.files)}


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return scan.inode(one) == scan.inode(other)
