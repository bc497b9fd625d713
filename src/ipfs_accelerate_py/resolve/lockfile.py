"""The lock file: for named commits what every file must be; it takes precedence over the Hub.

    {"lock_version": 1,
     "repos": {"org/name@<commit>": {
         "revisions": ["main"],
         "files": {"config.json": {"size": 612, "blob_id": "...", "sha256": "...", "cid": "bafk..."},
                   "model.safetensors": {..., "lfs_sha256": "...", "lfs_size": ...}},
         "info": {"pipeline_tag": "..."}}},
     "datasets": {"org/name@<commit>": {...}},
     "spaces": {"org/name@<commit>": {...}}}

`repos` are models. The other tables stand only where they hold something; 0.1.0 passes over them. The rows are those of
`trees/<commit>.json` (see `tree`), with the sha256 of a file's content and its CID where they are known. A lock file is
checked whole before anything of it is used.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import LockFileError, UnsafeName
from ..repo import Kind, Repo, is_repo_id
from ..session import session
from ..store import layout
from ..store.tree import INFO_KEYS, MAX_BYTES, Tree, tree_from_table

VERSION = 1
DEFAULT_NAME = "ipfs_accelerate.lock"
_TABLES: dict[Kind, str] = {"model": "repos", "dataset": "datasets", "space": "spaces"}
_CID = re.compile(r"[A-Za-z0-9]{46,120}")


@dataclass(frozen=True)
class LockedCommit:
    """One commit of one repo: the `revisions` that meant it, its files, and the CIDs of those that have one."""

    repo_id: str
    revisions: tuple[str, ...]
    tree: Tree
    cids: Mapping[str, str] = field(default_factory=dict)

    def to_table(self) -> dict[str, Any]:
        """As it stands in the file."""
        files: dict[str, dict[str, Any]] = {}
        for path, entry in sorted(self.tree.files.items()):
            row: dict[str, Any] = {"size": entry.size, "blob_id": entry.blob_id}
            if entry.sha256:
                row |= {"lfs_sha256": entry.sha256, "lfs_size": entry.size}
            row |= {"sha256": entry.sha256 or entry.content, "cid": self.cids.get(path)}
            files[path] = {key: value for key, value in row.items() if value is not None}
        info = {key: value for key, value in self.tree.info.items() if key in INFO_KEYS}
        return {"revisions": sorted(self.revisions), "files": files, "info": info}


class LockFile:
    """The content of a lock file. `repos`: (repo id, commit) -> LockedCommit."""

    def __init__(self, repos: Mapping[tuple[str, str], LockedCommit]) -> None:
        self.repos = dict(repos)

    def find(self, repo_id: str, revision: str) -> LockedCommit | None:
        """The commit that a revision (branch, tag or commit) of a repo is locked to, or None."""
        if layout.is_commit(revision):
            return self.repos.get((repo_id, revision))
        return next(
            (each for each in self.repos.values() if each.repo_id == repo_id and revision in each.revisions), None
        )

    def to_json(self) -> bytes:
        """The file's bytes; the same content gives the same bytes."""
        tables: dict[str, dict[str, Any]] = {"repos": {}}
        for (repo_id, commit), each in sorted(self.repos.items()):
            repo = Repo.parse(repo_id)
            tables.setdefault(_TABLES[repo.kind], {})[f"{repo.id}@{commit}"] = each.to_table()
        return json.dumps({"lock_version": VERSION, **tables}, indent=1, ensure_ascii=False).encode() + b"\n"


def parse_lock_file(raw: bytes) -> LockFile:
    """Parse the bytes of a lock file; ValueError or UnsafeName on anything unexpected."""
    if len(raw) > MAX_BYTES:
        raise ValueError(f"{len(raw)} bytes are too many for a lock file")
    try:
        data = json.loads(raw, object_pairs_hook=_without_doubles)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(data, dict) or data.get("lock_version") != VERSION:
        raise ValueError(f"it is not of lock_version {VERSION}")
    if not isinstance(data.get("repos"), dict):
        raise ValueError("it has no table of repos")
    repos: dict[tuple[str, str], LockedCommit] = {}
    for kind, name in _TABLES.items():
        if not isinstance(tables := data.get(name, {}), dict):
            raise ValueError(f"its {name} are no table")
        repos |= {(locked.repo_id, locked.tree.commit): locked for locked in _parse_repos(kind, tables)}
    return LockFile(repos)


def _parse_repos(kind: Kind, tables: Mapping[str, Any]) -> Iterator[LockedCommit]:
    taken: set[tuple[str, str]] = set()
    for key, table in tables.items():
        name, _, commit = key.rpartition("@")
        if not (is_repo_id(name) and layout.is_commit(commit) and isinstance(table, dict)):
            raise ValueError(f"{key!r} is not a repo and a commit, as in 'org/name@<40 hex digits>', with a table")
        repo_id = Repo(kind, name).key
        locked = _parse_commit(repo_id, commit, table)
        for revision in locked.revisions:
            if (repo_id, revision) in taken:
                raise ValueError(f"{repo_id} has {revision!r} twice, at different commits")
            taken.add((repo_id, revision))
        yield locked


def _parse_commit(repo_id: str, commit: str, table: dict[str, Any]) -> LockedCommit:
    revisions = table.get("revisions", [])
    if not isinstance(revisions, list) or not all(isinstance(each, str) for each in revisions):
        raise ValueError(f"the revisions of {repo_id} are no list of names")
    tree = tree_from_table(commit, table)
    cids = {}
    for path, row in table["files"].items():
        cid = row.get("cid")
        if cid is not None and not (isinstance(cid, str) and _CID.fullmatch(cid)):
            raise ValueError(f"{cid!r} is no CID")
        if cid is not None:
            cids[path] = cid
    return LockedCommit(repo_id, tuple(layout.check_path(each, "revision") for each in revisions), tree, cids)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one table")
    return found


class LastRead:
    """The lock file that was read last, with its inode, size and time of change (nanoseconds)."""

    last: tuple[Path, tuple[int, int, int], LockFile] | None = None


def read_lock_file(path: Path) -> LockFile:
    """Read a lock file; LockFileError if it is missing or broken. One that has not changed is not read again."""
    memory = session.part(LastRead)
    try:
        status = os.stat(path)
        mark = (status.st_ino, status.st_size, status.st_mtime_ns)
        if memory.last is not None and memory.last[:2] == (path, mark):
            return memory.last[2]
        with open(path, "rb") as file:
            found = parse_lock_file(file.read(MAX_BYTES + 1))
    except (OSError, ValueError, UnsafeName) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        raise LockFileError(
            f"the lock file {path} cannot be used: {reason}; nothing is loaded without it",
            f"make a new one with 'python -m ipfs_accelerate_py.hook lock --output {path} REPO', "
            "or unset IPFS_ACCELERATE_LOCK",
        ) from error
    memory.last = (path, mark, found)
    return found
