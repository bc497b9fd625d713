"""What may go from the store, why, and how it goes: unused commits, and what was left behind.

Nothing goes that a lock file pins, that a process is using or about to read, or whose references a node would keep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config.settings import Settings
from ..errors import SourceError, StoreError
from ..files import make_folder
from ..hf_cache import links
from ..log import get_logger
from ..publish import outbox
from ..store import scan
from ..store.layout import Own
from ..store.scan import CachedRepo, Inode, Snapshot
from ..store.store import Store
from ..store.tree import Tree
from . import deletion
from .eviction import Protection, Verdict, pinned, select
from .filestore import FilestoreReferences
from .orphans import Leftover, find_leftovers

Progress = Callable[[str, int], object]
_WAIT = 600.0  # seconds for another collection, or a publication, to end


@dataclass(frozen=True)
class Collection:
    """What was removed (with `dry_run`: what would be), what stays, and the bytes that are free now."""

    removed: tuple[Verdict, ...]
    kept: tuple[Verdict, ...]
    freed: int
    dry_run: bool

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "removed": [verdict.to_dict() for verdict in self.removed],
            "kept": [verdict.to_dict() for verdict in self.kept],
            "freed": self.freed,
            "dry_run": self.dry_run,
        }


def collect_garbage(
    store: Store,
    settings: Settings,
    dry_run: bool = False,
    older_than: float | None = None,
    max_size: int | None = None,
    progress: Progress | None = None,
) -> Collection:
    """Remove what is of no more use, and report what goes and what stays.

    Commits go that were not used for `older_than` seconds, then the least recently used until the store holds at most
    `max_size` bytes of its own; without either only what is certainly unused: blobs that no commit shows, broken
    links, parts of downloads older than a day, notes on repos that are gone. `dry_run` changes nothing. `progress` is
    called with (name, bytes) for everything removed. A broken lock file stops all of it (LockFileError); StoreError.
    """
    pins = pinned(settings)  # before anything else: without it nothing is safe to remove
    references = FilestoreReferences(store, settings)
    if dry_run or not store.root.is_dir():
        return _Collector(store, pins, references, older_than, max_size).predict(dry_run)
    with _alone(store):
        return _Collector(store, pins, references, older_than, max_size).carry_out(progress)


class _Collector:
    """A scan of the store, what is to go by it, and its removal."""

    def __init__(
        self,
        store: Store,
        pins: dict[tuple[str, str], Tree],
        references: FilestoreReferences,
        older_than: float | None,
        max_size: int | None,
    ) -> None:
        self.store, self.references = store, references
        self.repos = scan.scan(store.root)
        self.protection = Protection(store, pins, references, self.repos)
        self.doomed, self.spared = select(self.repos, self.protection, older_than, max_size)
        self.leftovers = list(find_leftovers(store, self.repos, self.protection))

    def _going(self, repo: CachedRepo) -> dict[Inode, int]:
        """What no commit shows once the doomed are gone, with its size."""
        gone = {snapshot.key for snapshot, _ in self.doomed}
        going = {key: status.st_size for each in repo.snapshots for key, status in each.inodes.items()}
        for each in repo.snapshots:
            for key in each.inodes if each.key not in gone else ():
                going.pop(key, None)
        for name, status in repo.blobs.items():
            if self.protection.is_pinned_blob(repo.repo_id, name):
                going.pop(scan.inode(status), None)
        return going

    def _going_blobs(self) -> list[Path]:
        blobs = [each.path for each in self.leftovers if each.blob and not each.commit and not each.kept]
        for repo in self.repos:
            going = self._going(repo)
            blobs += [repo.folder / "blobs" / name for name, each in repo.blobs.items() if scan.inode(each) in going]
        return blobs

    def predict(self, dry_run: bool) -> Collection:
        sole = scan.sole_inodes(self.repos, links.count_names(self.store, self.repos))
        going = [leftover for leftover in self.leftovers if not leftover.kept]
        removed = [leftover.verdict() for leftover in going if leftover.published]
        removed += [_verdict(snapshot, reason) for snapshot, reason in self.doomed]
        removed += [leftover.verdict() for leftover in going if not leftover.published]
        freed = sum(size for repo in self.repos for key, size in self._going(repo).items() if key in sole)
        freed += sum(leftover.own_bytes for leftover in going)
        return self._answer(removed, [], freed, dry_run)

    def carry_out(self, progress: Progress | None) -> Collection:
        removed: list[Verdict] = []
        kept: list[Verdict] = []
        freed = 0

        def note(verdict: Verdict) -> None:
            removed.append(verdict)
            if progress is not None:
                progress(verdict.repo or str(verdict.path or ""), verdict.size)

        def remove(leftovers: list[Leftover]) -> int:
            freed = 0
            for leftover in leftovers:
                more, why_not = leftover.remove(self.store, self.references)
                freed += more
                if why_not is None:
                    note(leftover.verdict())
                else:
                    kept.append(leftover.verdict(why_not))
            return freed

        going = [leftover for leftover in self.leftovers if not leftover.kept]
        # The node first: it must not refer to files that are gone, not even if we are ended half-way.
        remove([leftover for leftover in going if leftover.published])
        failed = self._withdraw()
        self._settle(self._going_blobs())
        for snapshot, reason in self.doomed:
            more = 0
            # A process may have opened it since the first look.
            why_not = failed.get(snapshot.key) or self.protection.used_now(snapshot)
            if why_not is None:
                more, why_not = deletion.remove_snapshot(self.store, snapshot)
            if why_not is not None:
                kept.append(_verdict(snapshot, why_not))
                continue
            links.take_back(self.store, snapshot)
            freed += more + self._remove_blobs(snapshot)
            note(_verdict(snapshot, reason))
        freed += remove([leftover for leftover in going if not leftover.published])
        for repo in self.repos:
            deletion.remove_empty_repo(self.store, repo.folder.name)
        self._settle()
        return self._answer(removed, kept, freed, dry_run=False)

    def _withdraw(self) -> dict[tuple[str, str], str]:
        """Take what goes out of the fleet tree; why that failed, for those where it did."""
        failed = {}
        for snapshot, _ in self.doomed:
            try:
                self.references.withdraw(*snapshot.key)
            except SourceError as error:
                failed[snapshot.key] = f"published, and the node did not let it go: {error}"
        return failed

    def _settle(self, going: Iterable[Path] = ()) -> None:
        try:
            self.references.settle(going)
        except SourceError as error:
            get_logger().warning("the node may still refer to files that are gone; run gc again: %s", error)

    def _remove_blobs(self, snapshot: Snapshot) -> int:
        folder, freed = snapshot.folder.parent.parent.name, 0
        repo = scan.read_repo(self.store.root, folder)
        if repo is None:
            return 0
        names = {file.blob for file in snapshot.files if file.blob} | {
            name for name, status in repo.blobs.items() if scan.inode(status) in snapshot.inodes
        }
        for name in sorted(names & repo.blobs.keys()):
            if not self.protection.is_pinned_blob(snapshot.repo_id, name) and not scan.points_to(repo, name):
                freed += deletion.remove_blob(self.store, folder, name)[0]
        return freed

    def _answer(self, removed: list[Verdict], kept: list[Verdict], freed: int, dry_run: bool) -> Collection:
        spared = [_verdict(snapshot, reason) for snapshot, reason in self.spared]
        spared += [leftover.verdict() for leftover in self.leftovers if leftover.kept]
        return Collection(tuple(removed), (*kept, *spared), freed, dry_run)


def _verdict(snapshot: Snapshot, reason: str) -> Verdict:
    return Verdict(snapshot.repo_id, snapshot.commit, snapshot.size, reason)


@contextmanager
def _alone(store: Store) -> Iterator[None]:
    """One collection at a time, and none during a publication, which adds references to files."""
    from filelock import FileLock, Timeout

    try:
        with store.writing():
            make_folder(store.own_folder)
            lock = FileLock(store.own_folder / Own.COLLECTION_LOCK)
            lock.acquire(timeout=_WAIT)
        try:
            with outbox.publishing(store):
                yield
        finally:
            lock.release()
    except Timeout:
        raise StoreError(
            f"another process has been collecting or publishing in {store.root} for {_WAIT:.0f} s",
            "wait for it to end, then run gc again",
        ) from None
