"""What lies in a Hugging Face cache folder: repos with their refs, snapshots and blobs. Reads names and sizes only.

Other processes may write meanwhile: what vanishes while it is looked at is left out.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import layout

Inode = tuple[int, int]


@dataclass(frozen=True)
class File:
    """A name in a snapshot. `blob` is the name of the blob it points to; `status` is None where that is not there."""

    path: str
    where: Path
    blob: str | None
    status: os.stat_result | None

    @property
    def inode(self) -> Inode | None:
        return None if self.status is None else inode(self.status)


@dataclass
class Snapshot:
    """One commit of a repo, with the files of it that are there."""

    repo_id: str
    commit: str
    folder: Path
    files: list[File]
    refs: list[str] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str]:
        return self.repo_id, self.commit

    def is_at(self, revision: str | None) -> bool:
        """Return whether a branch, a tag or a commit means this commit."""
        return revision == self.commit or revision in self.refs

    @property
    def present(self) -> list[File]:
        """Its files, without links that lead nowhere."""
        return [file for file in self.files if file.status is not None]

    @property
    def size(self) -> int:
        """The sum of its files in bytes."""
        return sum(file.status.st_size for file in self.files if file.status is not None)

    @property
    def inodes(self) -> dict[Inode, os.stat_result]:
        """Its files by what holds their bytes: a symlink's target, a hard link, a copy."""
        return {inode(file.status): file.status for file in self.files if file.status is not None}

    @property
    def last_used(self) -> float:
        """When one of its files was last read or written, in seconds since the epoch; a folder's time if it has none.

        Reading moves the time of access once a day only on most machines (`relatime`, mount(8)), or never (`noatime`);
        a load through us moves it itself (`leases.note_use`).
        """
        times = [max(status.st_atime, status.st_mtime) for status in self.inodes.values()]
        return max(times) if times else _mtime(self.folder)


@dataclass
class CachedRepo:
    """One repo's folder. `blobs` are lstat results by name; `refs` are commits by name."""

    repo_id: str
    folder: Path
    snapshots: list[Snapshot]
    blobs: dict[str, os.stat_result]
    refs: dict[str, str]

    @property
    def shown(self) -> set[Inode]:
        """What its snapshots point to."""
        return {key for snapshot in self.snapshots for key in snapshot.inodes}


def scan(root: Path) -> list[CachedRepo]:
    """Every repo of a cache folder, in the order of their names; nothing if there is no such folder."""
    found = [read_repo(root, name) for name in sorted(names(root))]
    return [repo for repo in found if repo is not None]


def read_repo(root: Path, folder_name: str) -> CachedRepo | None:
    """One repo, or None if the folder is none of the layout."""
    repo_id = layout.repo_of(folder_name)
    folder = root / folder_name
    if repo_id is None or not folder.is_dir():
        return None
    refs = {ref.relative_to(folder / "refs").as_posix(): _commit_in(ref) for ref in walk(folder / "refs")}
    snapshots = []
    for commit in sorted(names(folder / "snapshots")):
        if layout.is_commit(commit):
            where = folder / "snapshots" / commit
            files = [_look_at(where, file) for file in walk(where)]
            at = sorted(name for name, points_to in refs.items() if points_to == commit)
            snapshots.append(Snapshot(repo_id, commit, where, files, at))
    blobs = {}
    for name in names(folder / "blobs"):
        status = lstat(folder / "blobs" / name)
        if status is not None and not stat.S_ISDIR(status.st_mode):
            blobs[name] = status
    return CachedRepo(repo_id, folder, snapshots, blobs, refs)


def _look_at(snapshot: Path, where: Path) -> File:
    blob = status = None
    try:
        if where.is_symlink():
            blob = os.path.basename(os.readlink(where))
        status = os.stat(where)
        if not stat.S_ISREG(status.st_mode):
            status = None
    except OSError:
        pass
    return File(where.relative_to(snapshot).as_posix(), where, blob, status)


def walk(folder: Path) -> Iterator[Path]:
    """Every file and link below a folder, in the order of their names."""
    for root, folders, found in os.walk(folder):
        folders.sort()
        links = [name for name in folders if os.path.islink(os.path.join(root, name))]
        for name in sorted([*found, *links]):
            yield Path(root, name)


def names(folder: Path) -> list[str]:
    """The names in a folder; none if it is not there."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def inode(status: os.stat_result) -> Inode:
    """What identifies a file, whatever its names."""
    return status.st_dev, status.st_ino


def lstat(path: Path) -> os.stat_result | None:
    """Of a link itself, or None."""
    try:
        return os.lstat(path)
    except OSError:
        return None


def _mtime(path: Path) -> float:
    status = lstat(path)
    return 0.0 if status is None else status.st_mtime


def _commit_in(ref: Path) -> str:
    try:
        return ref.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def sole_inodes(repos: list[CachedRepo], elsewhere: Mapping[Inode, int]) -> set[Inode]:
    """The files all of whose names lie in these repos, or are among those `elsewhere` (how many) that go with them.

    Removing those names frees their bytes.
    """
    links: dict[Inode, int] = {}
    held: dict[Inode, int] = dict(elsewhere)
    for repo in repos:
        found = list(repo.blobs.values())
        found += [status for snapshot in repo.snapshots for file in snapshot.files if (status := lstat(file.where))]
        for status in found:
            if stat.S_ISREG(status.st_mode):
                links[inode(status)] = status.st_nlink
                held[inode(status)] = held.get(inode(status), 0) + 1
    return {key for key, count in held.items() if count >= links[key]}


def points_to(repo: CachedRepo, name: str) -> bool:
    """Return whether a snapshot shows this blob, by a symlink or by a hard link."""
    try:
        shown = inode(os.stat(repo.folder / "blobs" / name)) in repo.shown
    except OSError:
        shown = False
    return shown or any(file.blob == name for snapshot in repo.snapshots for file in snapshot.files)
