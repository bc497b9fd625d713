"""Repair what an audit has found: the bad file goes, and comes again from a source, never from the bad copy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..config.settings import Settings
from ..errors import IPFSAccelerateError, VerificationError
from ..fetch.retrieval import Retrieval
from ..publish.outbox import withdraw_closed
from ..resolve import resolver
from ..store import layout, scan
from ..store.resolution import Resolution
from ..store.store import Store
from ..store.tree import Entry
from . import deletion
from .audit import Damage, Kind
from .hashing import hash_file


def repair_all(store: Store, settings: Settings, bad: Iterable[Damage]) -> tuple[Damage, ...]:
    """Repair what an audit has found; the same in the same order, with `repaired`, and `error` where that failed."""
    found = list(bad)
    # Listings first: by them the files are checked.
    for index in sorted(range(len(found)), key=lambda index: found[index].kind is not Kind.LISTING):
        try:
            _repair(store, settings, found[index])
            found[index] = replace(found[index], repaired=True)
        except IPFSAccelerateError as error:
            found[index] = replace(found[index], repaired=False, error=str(error))
    return tuple(found)


def _repair(store: Store, settings: Settings, damage: Damage) -> None:
    repo_id, commit, path = damage.repo, damage.commit, damage.path
    if damage.kind is Kind.BLOB:
        deletion.remove_blob(store, layout.repo_folder(repo_id), damage.expected)
    elif damage.kind is Kind.LISTING:
        with store.writing():
            store.path(layout.tree_path(repo_id, commit)).unlink(missing_ok=True)
        resolver.resolve(store, settings, repo_id, commit, on_closed=withdraw_closed(store, settings))
    else:
        if layout.is_commit(damage.expected) or layout.is_sha256(damage.expected):
            _remove(
                store, repo_id, commit, path
            )  # first of all: whatever comes of the rest, the bad file is not loaded
        resolution = resolver.resolve(store, settings, repo_id, commit, on_closed=withdraw_closed(store, settings))
        entry = resolution.tree.files.get(path)
        if entry is None:
            _remove(store, repo_id, commit, path)  # a file that the commit does not have
        else:
            _fetch(store, settings, resolution, path, entry)


def _fetch(store: Store, settings: Settings, resolution: Resolution, path: str, entry: Entry) -> None:
    repo_id, commit = resolution.repo_id, resolution.commit
    visible = store.find(repo_id, commit, path, entry)
    if visible and hash_file(visible, entry.etag) == (entry.size, entry.etag):
        return
    if visible:
        _remove(store, repo_id, commit, path)
    blob = store.find_blob(repo_id, entry)
    known = blob is not None and hash_file(blob, entry.etag) == (entry.size, entry.etag)
    Retrieval(store, settings, resolution, force=not known).make_present([path])
    visible = store.find(repo_id, commit, path, entry)
    if visible is None or hash_file(visible, entry.etag) != (entry.size, entry.etag):
        raise VerificationError(f"{repo_id}: {path} is still not the file that commit {commit} has")


def _remove(store: Store, repo_id: str, commit: str, path: str) -> None:
    """Remove a visible file and the blob with its bytes, with every other name that shows those."""
    folder = layout.repo_folder(repo_id)
    repo = scan.read_repo(store.root, folder)
    files = [file for each in (repo.snapshots if repo else []) for file in each.files]
    visible = store.path(layout.snapshot_path(repo_id, commit)) / path
    here = [file for file in files if file.where == visible]
    with store.writing():
        for file in files:
            if file in here or (here and file.inode is not None and file.inode == here[0].inode):
                file.where.unlink(missing_ok=True)
        for name, status in repo.blobs.items() if repo and here else ():
            if name == here[0].blob or scan.inode(status) == here[0].inode:
                deletion.remove_blob(store, folder, name)
