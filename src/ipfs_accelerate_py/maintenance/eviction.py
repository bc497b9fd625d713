"""Which commits go by age and by size, and what protects a commit."""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..config.settings import Settings
from ..hf_cache import links
from ..store import leases, scan
from ..store.scan import CachedRepo, Inode, Snapshot
from ..store.store import Store
from ..store.tree import Tree
from . import inventory
from .filestore import FilestoreReferences

Reasoned = list[tuple[Snapshot, str]]


@dataclass(frozen=True)
class Verdict:
    """What goes or stays, and why: a commit, or (with a `path`) something that was left behind. `size` in bytes."""

    repo: str | None
    commit: str | None
    size: int
    reason: str
    path: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """For `--json`; `path` only for what was left behind."""
        found = {"repo": self.repo, "commit": self.commit, "size": self.size, "reason": self.reason}
        return found if self.path is None else {**found, "path": str(self.path)}


def pinned(settings: Settings) -> dict[tuple[str, str], Tree]:
    """The commits that the lock file names, with their files; LockFileError if it cannot be read."""
    if settings.lock is None:
        return {}
    from ..resolve.lockfile import read_lock_file

    return {key: locked.tree for key, locked in read_lock_file(settings.lock).repos.items()}


class Protection:
    """What may not go: what a lock file pins, what processes use, what a node would go on referring to."""

    def __init__(
        self, store: Store, pins: dict[tuple[str, str], Tree], references: FilestoreReferences, repos: list[CachedRepo]
    ) -> None:
        self.store, self.references = store, references
        self._pins = pins.keys()
        self._pinned_blobs = {
            (repo_id, entry.etag) for (repo_id, _), tree in pins.items() for entry in tree.files.values()
        }
        inodes = {key for repo in repos for key in repo.shown}
        inodes |= {scan.inode(status) for repo in repos for status in repo.blobs.values()}
        self._numbers = {number for _, number in inodes}
        self._looked = float("-inf")
        self._look()

    def _look(self) -> None:
        if time.monotonic() - self._looked > 1.0:
            self._held = leases.holders(self._numbers)
            self._looked = time.monotonic()

    def why_kept(self, snapshot: Snapshot) -> str | None:
        """Why this commit must stay, or None."""
        if snapshot.key in self._pins:
            return "pinned by the lock file"
        return self.used_now(snapshot) or self.references.why_kept(*snapshot.key)

    def used_now(self, snapshot: Snapshot) -> str | None:
        """The process that has it open or mapped, or is about to read it; or None."""
        self._look()
        reader = next((self._held[number] for _, number in snapshot.inodes if number in self._held), None)
        reader = reader or leases.holder_of(self.store, *snapshot.key)
        return f"in use by {reader}" if reader else None

    def holder(self, status: os.stat_result) -> str | None:
        """The process that has this file open or mapped, or None."""
        return self._held.get(status.st_ino)

    def is_pinned_blob(self, repo_id: str, name: str) -> bool:
        """Return whether the lock file names a file with this etag."""
        return (repo_id, name) in self._pinned_blobs


def select(
    repos: list[CachedRepo], protection: Protection, older_than: float | None, max_size: int | None
) -> tuple[Reasoned, Reasoned]:
    """The commits that go and those that stay, with the reasons."""
    snapshots = sorted((snapshot for repo in repos for snapshot in repo.snapshots), key=inventory.use_order)
    why_kept = {snapshot.key: protection.why_kept(snapshot) for snapshot in snapshots}
    doomed: dict[tuple[str, str], str] = {}
    if older_than is not None:
        for snapshot in snapshots:
            if why_kept[snapshot.key] is None and time.time() - snapshot.last_used >= older_than:
                doomed[snapshot.key] = f"not used since {_day(snapshot)}"
    if max_size is not None:
        sole = scan.sole_inodes(repos, links.count_names(protection.store, repos))
        left = [snapshot for snapshot in snapshots if snapshot.key not in doomed]
        sizes = {key: status.st_size for snapshot in left for key, status in snapshot.inodes.items() if key in sole}
        users: Counter[Inode] = Counter(key for snapshot in left for key in snapshot.inodes)
        total = sum(sizes.values())
        for snapshot in left:
            if total <= max_size:
                break
            # What another cache has a hard link to takes no room here: nothing is won by removing that.
            if why_kept[snapshot.key] is None and sizes.keys() & snapshot.inodes.keys():
                doomed[snapshot.key] = f"least recently used ({_day(snapshot)})"
                users.subtract(snapshot.inodes.keys())
                total -= sum(sizes[key] for key in snapshot.inodes if key in sizes and users[key] == 0)
    goes = [(snapshot, doomed[snapshot.key]) for snapshot in snapshots if snapshot.key in doomed]
    stays = [
        (snapshot, why_kept[snapshot.key] or f"last used {_day(snapshot)}")
        for snapshot in snapshots
        if snapshot.key not in doomed and snapshot.present
    ]
    return goes, stays


def _day(snapshot: Snapshot) -> str:
    return datetime.fromtimestamp(snapshot.last_used, timezone.utc).date().isoformat()
