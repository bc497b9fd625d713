"""Hash again what the store has, and say which files are not what the Hub says they are; fetch those again.

Each file that can be loaded is compared with the listing of its commit (`trees/`), or with what the lock file says. The
listing of a cache below the store counts where the store has none, as it does for a load.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..config.settings import Settings
from ..errors import StoreError
from ..hf_cache.other_caches import OtherCaches
from ..store import layout, scan
from ..store.scan import File, Inode, Repo, Snapshot
from ..store.store import Store
from ..store.tree import Entry, Tree
from ..store.verify import CHUNK
from . import inventory
from .eviction import pinned

Progress = Callable[[str, int], object]
LISTING = "a listing"  # what an unreadable file in trees/ should be
Found = tuple[int, str]  # size and hash


def verify_store(
    store: Store,
    settings: Settings,
    repo_ids: Iterable[str] = (),
    repair: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Hash every visible file of these repos (all, if none is named): `{ok, files, bad}`.

    A repo is named as `org/name`, or as `org/name@revision` for the files of one commit.
    `bad` is `[{repo, commit, path, expected, actual}]`, hashes for a file: sha256 in LFS, else the git blob id. A link
    that leads nowhere has the actual `missing`; a file whose commit has no listing is not good either and has the
    expected `unknown`; a listing that cannot be read and a blob that is not what its name says are named by their path
    in the repo's folder, the blob without a commit. `also` is the same bad file in a cache below, if it is one.
    With `repair` what is bad is removed and fetched anew, never from a cache of this machine; `repaired` says whether
    that worked, `error` why not. `progress` is called with (path, bytes) for each piece that was read. Raises
    StoreError for a repo of which the store has nothing, LockFileError.
    """
    audit = _Audit(store, settings, pinned(settings), progress)
    repos = scan.scan(store.root)
    wanted = {name: layout.split_revision(name) for name in repo_ids}
    for name, (repo_id, revision) in wanted.items():
        found = [repo for repo in repos if repo.repo_id == repo_id]
        if not found or (revision and not any(snapshot.is_at(revision) for snapshot in found[0].snapshots)):
            raise StoreError(f"the store {store.root} has nothing of {name}", "'ls' shows what is here")
    for repo in repos:
        revisions = {revision for repo_id, revision in wanted.values() if repo_id == repo.repo_id}
        if not wanted or None in revisions:
            audit.look_at(repo.snapshots)
            audit.look_at_blobs(repo)
        else:
            audit.look_at([each for each in repo.snapshots if any(each.is_at(revision) for revision in revisions)])
    if repair:
        from .repair import repair_all

        repair_all(store, settings, audit.bad)
    return {"ok": all(row.get("repaired") for row in audit.bad), "files": audit.files, "bad": audit.bad}


class _Audit:
    """What was looked at so far, and what was bad."""

    def __init__(
        self, store: Store, settings: Settings, pins: dict[tuple[str, str], Tree], progress: Progress | None
    ) -> None:
        self.store, self.lower, self.pins = store, OtherCaches(settings.lower), pins
        self.progress = progress
        self.files = 0
        self.bad: list[dict[str, Any]] = []
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
        tree = self.store.read_tree(*snapshot.key)
        path = layout.tree_path(*snapshot.key)
        if tree is None and os.path.lexists(self.store.path(path)):
            self._report(snapshot.key, path.partition("/")[2], LISTING, "cannot be read")
        elif tree is None:
            tree = self.lower.known_tree(*snapshot.key)
        for each in (tree, self.pins.get(snapshot.key)):  # the lock file's word beats the other
            known.update(each.files if each else {})
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
            self._report(snapshot.key, file.path, expected, actual)
        elif not right:
            self._report(snapshot.key, file.path, expected, found[1], self._same_file_below(snapshot, file))
        elif entry is not None and file.blob not in (None, entry.etag):
            self._report(snapshot.key, file.path, expected, f"right, but in a blob named {file.blob}")

    def look_at_blobs(self, repo: Repo) -> None:
        """Check the blobs that no commit shows: the next load that wants them would take them by their name."""
        for name, status in sorted(repo.blobs.items()):
            if not (layout.is_commit(name) or layout.is_sha256(name)) or scan.points_to(repo, name):
                continue
            found = self._hash(repo.folder / "blobs" / name, status, name, name)
            if found is None or name != found[1]:
                actual = "cannot be read" if found is None else found[1]
                self._report((repo.repo_id, ""), f"blobs/{name}", name, actual)

    def _same_file_below(self, snapshot: Snapshot, file: File) -> str | None:
        """The same bad file in a cache below the store, to which ours is a hard link."""
        for cache in self.lower.caches:
            if inventory.is_same(cache, self.store.root):
                continue
            below = cache / layout.repo_folder(snapshot.repo_id) / "blobs" / str(file.blob)
            with contextlib.suppress(OSError):
                if file.status is not None and scan.inode(os.stat(below)) == file.inode:
                    return os.path.realpath(below)
        return None

    def _report(self, key: tuple[str, str], path: str, expected: str, actual: str, also: str | None = None) -> None:
        row = {"repo": key[0], "commit": key[1], "path": path, "expected": expected, "actual": actual}
        self.bad.append(row | ({"also": also} if also else {}))

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


def hash_file(path: Path, like: str = "", note: Callable[[int], object] | None = None) -> Found | None:
    """Size and hash of a file, or None if it cannot be read: its git blob id if `like` is one, else its sha256.

    `note` is told of every so many bytes. Looking at a file this way is no use of it: its time of access stays.
    """
    try:
        with open(path, "rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            head = b"blob %d\0" % status.st_size
            hashed = hashlib.sha1(head, usedforsecurity=False) if layout.is_commit(like) else hashlib.sha256()
            size = 0
            while data := file.read(CHUNK):
                size += len(data)
                hashed.update(data)
                if note is not None:
                    note(len(data))
    except OSError:
        return None
    with contextlib.suppress(OSError):
        now = os.stat(path)
        if now.st_atime_ns != status.st_atime_ns:
            os.utime(path, ns=(status.st_atime_ns, now.st_mtime_ns))
    return size, hashed.hexdigest()
