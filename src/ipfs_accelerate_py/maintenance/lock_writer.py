"""Write a lock file: what every file of named repos must be, according to the Hub and to the bytes themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..config.settings import Settings
from ..errors import LockFileError, PublishRefused, StoreError, Unresolved, VerificationError
from ..fetch.retrieval import Retrieval
from ..files import replace_file
from ..ipfs.cid import CIDHash
from ..net import timeouts
from ..publish import eligibility
from ..publish.outbox import withdraw_closed
from ..repo import read_name
from ..resolve import lockfile, resolver
from ..store import layout
from ..store.store import Store
from ..store.verify import CHUNK
from ..store.visibility import known_access


@dataclass(frozen=True)
class LockedRepo:
    """What was written of one repo: its commit, the number of its files and their sum in bytes."""

    repo: str
    commit: str
    files: int
    bytes: int


@dataclass(frozen=True)
class Lock:
    """The lock file that was written, the repos in it now, and the repos that are not known to be public."""

    lock: Path
    repos: tuple[LockedRepo, ...]
    left_out: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For `--json`; `left_out` only where a repo was."""
        more = {"left_out": list(self.left_out)} if self.left_out else {}
        return {"lock": str(self.lock), "repos": [asdict(each) for each in self.repos], **more}


def lock_repos(
    store: Store,
    settings: Settings,
    repo_ids: Sequence[str],
    revision: str | None = None,
    path: Path | None = None,
    closed: bool = False,
) -> Lock:
    """Write what every file of these repos must be into a lock file.

    A repo is named as `org/name`, or as `org/name@revision`. The file's rows of other repos stay. Without repos:
    all that the store has a branch or tag of, closed ones left out. Files that are not in LFS are fetched, since their
    sha256 is known from their bytes alone. A closed repo is named only with `closed`: PublishRefused.
    """
    path = _absolute(Path(path or settings.lock or lockfile.DEFAULT_NAME))
    known = _read(path) if path.exists() and repo_ids else {}
    unlocked = replace(settings, lock=None)  # the new lock file must not be made from the old file
    named = [read_name(name) for name in repo_ids]
    wanted = [(repo_id, own or revision) for repo_id, own in named] or _repos_in(store)
    done: list[LockedRepo] = []
    left_out: list[str] = []
    for repo_id, name in wanted:
        public = closed or _is_public(store, repo_id)
        if not public:
            if repo_ids and public is None:
                raise PublishRefused(
                    f"the Hub does not answer whether {repo_id} is public, and a lock file is made to be passed on",
                    "try again when the Hub answers, or add --closed to name it all the same",
                )
            if repo_ids:
                raise PublishRefused(
                    f"{repo_id} is not known to be public, and a lock file is made to be passed on",
                    "add --closed to name it all the same",
                )
            left_out.append(repo_id)
            continue
        locked = _lock_commit(store, unlocked, repo_id, name)
        for key, other in list(known.items()):  # a branch is locked to one commit
            if other.repo_id == repo_id and (moved := set(other.revisions) & set(locked.revisions)):
                known[key] = replace(other, revisions=tuple(set(other.revisions) - moved))
                if not known[key].revisions:
                    del known[key]
        known[repo_id, locked.tree.commit] = locked
        size = sum(entry.size for entry in locked.tree.files.values())
        done.append(LockedRepo(repo_id, locked.tree.commit, len(locked.tree.files), size))
    if not done:  # an empty file would take the place of a good one
        none = "no model that is known to be public" if left_out else "no model"
        hint = "name models, as org/name" + (", or add --closed" if left_out else "")
        raise StoreError(f"there is nothing to lock: the store {store.root} has {none}", hint)
    _write(path, lockfile.LockFile(known).to_json())
    return Lock(path, tuple(done), tuple(left_out))


def _repos_in(store: Store) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    for refs in sorted(store.root.glob("*--*/refs")):
        repo_id = layout.repo_of(refs.parent.name)
        if repo_id is not None:
            found += [
                (repo_id, each.relative_to(refs).as_posix()) for each in sorted(refs.rglob("*")) if each.is_file()
            ]
    return found


def _absolute(path: Path) -> Path:
    try:
        return path.absolute()
    except OSError:
        raise StoreError("the current folder is gone", "go to another one, or give --output a whole path") from None


def _read(path: Path) -> dict[tuple[str, str], lockfile.LockedCommit]:
    """The repos in the file that will be written over."""
    try:
        return dict(lockfile.read_lock_file(path).repos)
    except LockFileError as error:
        reason = error.__cause__ if path.is_file() else "it is no file"
        raise StoreError(
            f"{path} is there already, and is no lock file: {reason}",
            "move it away and try again, or name another file with --output",
        ) from error


def _is_public(store: Store, repo_id: str) -> bool | None:
    """None if the Hub does not answer now."""
    return known_access(store, repo_id) or eligibility.prove_public(store, repo_id, timeouts.IDLE)


def _lock_commit(store: Store, settings: Settings, repo_id: str, revision: str | None) -> lockfile.LockedCommit:
    resolution = resolver.resolve(
        store,
        settings,
        repo_id,
        revision,
        on_closed=withdraw_closed(store, settings),
        local_only=settings.force_local,
    )
    tree = resolution.tree
    if not tree.complete:
        raise Unresolved(f"not all files of {repo_id}@{tree.commit[:12]} are known", "try again when the Hub answers")
    Retrieval(store, settings, resolution).make_present([path for path, each in tree.files.items() if not each.sha256])
    files, cids = {}, {}
    for path, entry in tree.files.items():
        found = store.find(repo_id, tree.commit, path, entry)
        files[path] = entry
        if found is not None:
            sha256, cids[path] = _read_hashes(found)
            if entry.sha256 not in (None, sha256):
                raise VerificationError(
                    f"{found} is not the file that commit {tree.commit} has: expected {entry.sha256}, got {sha256}",
                    f"run 'python -m ipfs_accelerate_py.hook verify {repo_id} --repair'",
                )
            if entry.sha256 is None:
                files[path] = replace(entry, content=sha256)
    asked = revision or layout.DEFAULT_REVISION
    revisions = {*store.revisions_at(repo_id, tree.commit), *(() if layout.is_commit(asked) else (asked,))}
    return lockfile.LockedCommit(repo_id, tuple(sorted(revisions)), replace(tree, files=files), cids)


def _read_hashes(path: Path) -> tuple[str, str]:
    """The sha256 and the CID of a file."""
    sha256, cid = hashlib.sha256(), CIDHash()
    with open(path, "rb", buffering=0) as file:
        while data := file.read(CHUNK):
            sha256.update(data)
            cid.update(data)
    return sha256.hexdigest(), cid.text()


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror or error}", "name another file with --output"
        ) from error
