"""Orphans: blobs that no commit shows, broken links, old partial downloads, notes on repos that are gone."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import SourceError
from ..hf_cache import links
from ..store import layout, leases, partial, scan
from ..store.layout import Own
from ..store.scan import CachedRepo
from ..store.store import Store
from . import deletion
from .eviction import Protection, Verdict
from .filestore import FilestoreReferences

_REMEMBERED = (Own.UNCONFIRMED, Own.LEASES, Own.OUTBOX, Own.ACCESS, Own.VOUCHED)


@dataclass
class Leftover:
    """An orphan that goes, or (`kept`) has to stay for `reason`. `still` is called again right before it goes, when no
    process is taking a lease: what is remembered of a commit, a load may be writing anew.
    """

    path: Path
    reason: str
    repo: str | None = None
    commit: str | None = None
    size: int = 0
    own_bytes: int = 0
    kept: bool = False
    blob: str | None = None  # the name of the blob, if it is a blob or a link to a blob
    published: bool = False
    still: Callable[[], bool] | None = None

    def __post_init__(self) -> None:
        if not self.size and not self.published:
            found = map(scan.lstat, scan.walk(self.path) if self.path.is_dir() else [self.path])
            self.size = self.own_bytes = sum(_own_bytes(status) for status in found if status)

    def verdict(self, reason: str | None = None) -> Verdict:
        """Its verdict, with its own reason or another."""
        path = None if self.published else self.path
        return Verdict(self.repo, self.commit, self.size, reason or self.reason, path)

    def remove(self, store: Store, references: FilestoreReferences) -> tuple[int, str | None]:
        """Bytes freed, and None or why it was kept after all."""
        if self.published:
            try:
                references.withdraw(str(self.repo), str(self.commit))
            except SourceError as error:
                return 0, f"published, and the node did not let it go: {error}"
            return 0, None
        if self.blob is not None and self.repo is not None:
            folder = layout.repo_folder(self.repo)
            if self.commit is None:
                return deletion.remove_blob(store, folder, self.blob)
            with deletion.fetch_lock(store, folder, self.blob) as held:
                if not held:
                    return 0, "being fetched"
                return deletion.clear(self.path) if self.still is None or self.still() else (0, "it is whole again")
        if self.still is None or self.repo is None:
            return deletion.clear(self.path)
        with store.writing(), leases.hold_lock(store) as held:
            if not held or leases.holder_of(store, self.repo, self.commit) or not self.still():
                return 0, "in use again"
            return deletion.clear(self.path)


def find_leftovers(store: Store, repos: list[CachedRepo], protection: Protection) -> Iterator[Leftover]:
    """All that a collection removes without being asked for anything special."""
    for repo in repos:
        yield from _blobs(repo, protection)
        yield from _of_repo(repo)
    yield from _scratch(store)
    yield from _remembered(store)
    references = protection.references
    for repo_id, commit in references.records():
        if references.is_stale(repo_id, commit) and not references.off:
            why_kept = references.why_kept(repo_id, commit)
            reason = why_kept or "published, and no longer whole in the store"
            yield Leftover(store.root, reason, repo_id, commit, kept=bool(why_kept), published=True)


def _blobs(repo: CachedRepo, protection: Protection) -> Iterator[Leftover]:
    pointed_at = {file.blob for each in repo.snapshots for file in each.files}
    for name, status in sorted(repo.blobs.items()):
        path = repo.folder / "blobs" / name
        if name.endswith(".incomplete"):
            yield from _part(path, status, repo.repo_id)
        elif name in pointed_at or _real_inode(path) in repo.shown or protection.is_pinned_blob(repo.repo_id, name):
            continue
        elif holder := protection.holder(status):
            yield Leftover(path, f"in use by {holder}", repo.repo_id, None, status.st_size, kept=True)
        else:
            size = _own_bytes(status)
            yield Leftover(path, "no commit shows it", repo.repo_id, None, size, size, blob=name)


def _part(path: Path, status: os.stat_result, repo_id: str | None) -> Iterator[Leftover]:
    if partial.is_old(status) and not leases.holders({status.st_ino}):
        size = _own_bytes(status)
        yield Leftover(path, "part of a download that was not continued for a day", repo_id, None, size, size)


def _of_repo(repo: CachedRepo) -> Iterator[Leftover]:
    """Names that lead nowhere: for a file, a ref, a listing and a mark of what the commit does not have."""
    for snapshot in repo.snapshots:
        for file in snapshot.files:
            if file.status is None and file.where.is_symlink():
                gone = _lacks(file.where)
                yield Leftover(file.where, "link to a blob that is gone", *snapshot.key, blob=file.blob, still=gone)
    for name, commit in sorted(repo.refs.items()):
        # A ref that names no commit at all leads nowhere either.
        folder = repo.folder / "snapshots" / (commit if layout.is_commit(commit) else "no commit")
        if not folder.is_dir():
            ref = repo.folder / "refs" / name
            yield Leftover(ref, "ref to a commit that is not here", repo.repo_id, still=_lacks(folder))
    for kind, suffix in (("trees", ".json"), (".no_exist", "")):
        for name in sorted(scan.names(repo.folder / kind)):
            commit = name.removesuffix(suffix)
            folder = repo.folder / "snapshots" / commit
            if layout.is_commit(commit) and not folder.is_dir():
                path = repo.folder / kind / name
                yield Leftover(path, "of a commit that is not here", repo.repo_id, commit, still=_lacks(folder))


def _scratch(store: Store) -> Iterator[Leftover]:
    own = store.own_folder
    for path in [*scan.walk(own / Own.SCRATCH), *scan.walk(own / Own.HUB)]:
        status = scan.lstat(path)
        scratch = path.is_relative_to(own / Own.SCRATCH) or "blobs" in path.parts[len(own.parts) :]
        if status is not None and stat.S_ISREG(status.st_mode) and scratch:
            yield from _part(path, status, None)
    for name in sorted(scan.names(own / Own.TRASH)):
        yield Leftover(own / Own.TRASH / name, "left by a collection that was ended")


def _remembered(store: Store) -> Iterator[Leftover]:
    """Our own notes on repos, commits and blobs that are gone. That a repo is closed is never forgotten."""
    for note in links.stale_notes(store):
        yield Leftover(note, "note on a blob that is gone")
    for kind in _REMEMBERED:
        for folder in sorted(scan.names(store.own_folder / kind)):
            path, repo_id = store.own_folder / kind / folder, layout.repo_of(folder)
            if repo_id is None or (kind == Own.ACCESS and _word(path) != b"public"):
                continue
            snapshots = store.root / folder / "snapshots"
            if kind == Own.ACCESS:
                if not snapshots.is_dir():
                    yield Leftover(path, "note on a repo that is gone", repo_id, still=_lacks(snapshots))
                continue
            for name in sorted(scan.names(path)):
                unused = kind != Own.LEASES or not leases.holder_of(store, repo_id, name)
                if layout.is_commit(name) and not (snapshots / name).is_dir() and unused:
                    gone = _lacks(snapshots / name)
                    yield Leftover(path / name, "note on a commit that is gone", repo_id, name, still=gone)


def _lacks(path: Path) -> Callable[[], bool]:
    return lambda: not path.exists()


def _own_bytes(status: os.stat_result) -> int:
    return status.st_size if stat.S_ISREG(status.st_mode) and status.st_nlink == 1 else 0


def _real_inode(path: Path) -> scan.Inode | None:
    try:
        return scan.inode(os.stat(path))
    except OSError:
        return None


def _word(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
