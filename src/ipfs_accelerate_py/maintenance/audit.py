"""Hash again what the store has, and report the files that do not match their listing. Changes nothing.

Every file that can be loaded is compared with the listing of its commit (`trees/`), or with its row in the lock file.
The listing of a local cache counts where the store has none, as it does for a load.
"""

from __future__ import annotations

import contextlib
import enum
import functools
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config.settings import Settings
from ..errors import StoreError
from ..hf_cache.other_caches import OtherCaches
from ..repo import read_name
from ..store import layout, scan
from ..store.scan import CachedRepo, File, Inode, Snapshot
from ..store.store import Store, read_tree
from ..store.tree import Entry, Tree
from . import inventory
from .eviction import pinned
from .hashing import Found, hash_file

Progress = Callable[[str, int], object]


class Kind(enum.Enum):
    """What is damaged: a file of a commit, the listing of a commit, or a blob that no commit shows."""

    FILE = "file"
    LISTING = "listing"
    BLOB = "blob"


@dataclass(frozen=True)
class Damage:
    """Something that is not what it must be. `expected` and `actual` are hashes of a file: sha256 in LFS, else the git
    blob id.

    A link that leads nowhere has the actual `missing`; a file whose commit has no listing is not good either and has
    the expected `unknown`. A listing that cannot be read and a blob that does not match its name are named by their
    path in the repo's folder, the blob with an empty commit. `also` is the path of the same bad file in a local
    cache. `repaired` is None where no repair was tried; `error` is why a repair failed.
    """

    repo: str
    commit: str
    path: str
    expected: str
    actual: str
    kind: Kind = Kind.FILE
    also: str | None = None
    repaired: bool | None = None
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """For `--json`; `also`, `repaired` and `error` only where they are not None."""
        more = {"also": self.also, "repaired": self.repaired, "error": self.error}
        return {
            "repo": self.repo,
            "commit": self.commit,
            "path": self.path,
            "expected": self.expected,
            "actual": self.actual,
            **{name: value for name, value in more.items() if value is not None},
        }


@dataclass(frozen=True)
class Audit:
    """How many files were hashed, and what was damaged."""

    files: int
    bad: tuple[Damage, ...]

    @property
    def left(self) -> tuple[Damage, ...]:
        """What was not repaired."""
        return tuple(damage for damage in self.bad if not damage.repaired)

    @property
    def ok(self) -> bool:
        """Return whether nothing is damaged now."""
        return not self.left

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {"ok": self.ok, "files": self.files, "bad": [damage.to_dict() for damage in self.bad]}


def audit_store(
    store: Store, settings: Settings, repo_ids: Iterable[str] = (), progress: Progress | None = None
) -> Audit:
    """Hash every visible file of these repos (all, if none is named), and every blob that no commit shows.

    A repo is named as `org/name`, or as `org/name@revision` for the files of one commit. `progress` is called with
    (path, bytes) for every piece that was read. Raises StoreError for a repo of which the store has nothing,
    LockFileError.
    """
    auditor = _Auditor(store, settings, pinned(settings), progress)
    repos = scan.scan(store.root)
    wanted = {name: read_name(name) for name in repo_ids}
    for name, (repo_id, revision) in wanted.items():
        found = [repo for repo in repos if repo.repo_id == repo_id]
        if not found or (revision and not any(snapshot.is_at(revision) for snapshot in found[0].snapshots)):
            raise StoreError(f"the store {store.root} has nothing of {name}", "'ls' shows what is here")
    for repo in repos:
        revisions = {revision for repo_id, revision in wanted.values() if repo_id == repo.repo_id}
        if not wanted or None in revisions:
            auditor.look_at(repo.snapshots)
            auditor.look_at_blobs(repo)
        else:
            auditor.look_at([found for found in repo.snapshots if any(found.is_at(revision) for revision in revisions)])
    return Audit(auditor.files, tuple(auditor.bad))


class _Auditor:
    """What was looked at so far, and what was bad."""

    def __init__(
        self, store: Store, settings: Settings, pins: dict[tuple[str, str], Tree], progress: Progress | None
    ) -> None:
        self.store, self.lower, self.pins = store, OtherCaches(settings.lower), pins
        self.progress = progress
        self.files = 0
        self.bad: list[Damage] = []
        self._hashed: dict[tuple[Inode, bool], Found] = {}  # of one repo: commits share what did not change

    def look_at(self, snapshots: Iterable[Snapshot]) -> None:
        """Check commits of one repo."""
        self._hashed.clear()
        for snapshot in snapshots:
            tree = self._tree(snapshot)
            for file in snapshot.files:
                self.files += 1
                self._check(snapshot, file, tree)

    def _tree(self, snapshot: Snapshot) -> dict[str, Entry]:
        known: dict[str, Entry] = {}
        tree = read_tree(self.store.root, *snapshot.key)  # every row of it
        path = layout.tree_path(*snapshot.key)
        if tree is None and os.path.lexists(self.store.path(path)):
            self._report(Kind.LISTING, snapshot.key, path.partition("/")[2], "a listing", "cannot be read")
        elif tree is None:
            tree = self.lower.known_tree(*snapshot.key)
        for listing in (tree, self.pins.get(snapshot.key)):  # the lock file takes precedence
            known.update(listing.files if listing else {})
        return known

    def _check(self, snapshot: Snapshot, file: File, tree: dict[str, Entry]) -> None:
        entry = tree.get(file.path)
        expected = entry.etag if entry else "unknown"
        found = self._hash(file.where, file.status, entry.etag if entry else file.blob or "", file.path)
        right = entry is not None and found == (entry.size, entry.etag)
        if entry is not None and entry.content and right:  # the lock file has a better hash than git's sha1
            expected, found = entry.content, self._hash(file.where, file.status, entry.content, file.path)
            right = found == (entry.size, entry.content)
        if found is None:
            actual = "missing" if file.status is None else "cannot be read"
            self._report(Kind.FILE, snapshot.key, file.path, expected, actual)
        elif not right:
            self._report(Kind.FILE, snapshot.key, file.path, expected, found[1], self._same_file_below(snapshot, file))
        elif entry is not None and file.blob not in (None, entry.etag):
            self._report(Kind.FILE, snapshot.key, file.path, expected, f"right, but in a blob named {file.blob}")

    def look_at_blobs(self, repo: CachedRepo) -> None:
        """Check the blobs that no commit shows: the next load that wants them would take them by their name."""
        for name, status in sorted(repo.blobs.items()):
            if not (layout.is_commit(name) or layout.is_sha256(name)) or scan.points_to(repo, name):
                continue
            found = self._hash(repo.folder / "blobs" / name, status, name, name)
            if found is None or name != found[1]:
                actual = "cannot be read" if found is None else found[1]
                self._report(Kind.BLOB, (repo.repo_id, ""), f"blobs/{name}", name, actual)

    def _same_file_below(self, snapshot: Snapshot, file: File) -> str | None:
        """The same bad file in a local cache, to which ours is a hard link."""
        for cache in self.lower.caches:
            if inventory.is_same(cache, self.store.root):
                continue
            below = cache / layout.repo_folder(snapshot.repo_id) / "blobs" / str(file.blob)
            with contextlib.suppress(OSError):
                if file.status is not None and scan.inode(os.stat(below)) == file.inode:
                    return os.path.realpath(below)
        return None

    def _report(
        self, kind: Kind, key: tuple[str, str], path: str, expected: str, actual: str, also: str | None = None
    ) -> None:
        self.bad.append(Damage(*key, path, expected, actual, kind, also))

    def _hash(self, path: Path, status: os.stat_result | None, like: str, shown: str) -> Found | None:
        if status is None:
            return None
        key = scan.inode(status), layout.is_commit(like)
        found = self._hashed.get(key)
        if found is None:
            found = hash_file(path, like, self.progress and functools.partial(self.progress, shown))
            if found is not None:
                self._hashed[key] = found
        return found
