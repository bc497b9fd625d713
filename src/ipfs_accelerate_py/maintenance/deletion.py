"""Remove what lies in a store in single steps: no process sees half a removal, whenever this ends.

A commit goes in one rename, after the refs that point to it and before its blobs, under the lock of the leases, and
only if no living process has a lease of it. A blob goes under the lock that a fetch of it holds, and only if no
snapshot points to it at that moment.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from ..files import make_folder, remove_empty_folders
from ..store import layout, leases, locks, scan
from ..store.layout import Own
from ..store.scan import Snapshot
from ..store.store import Store

_DEADLINE = 0.2  # seconds for a blob's lock: its holder is fetching the blob


def remove_snapshot(store: Store, snapshot: Snapshot) -> tuple[int, str | None]:
    """Remove a commit without its blobs: bytes freed, and None or why it was kept. Raises StoreError."""
    repo_id, commit = snapshot.key
    trash = _trash(store)
    with store.writing(), leases.hold_lock(store) as held:
        in_use = leases.holder_of(store, repo_id, commit)
        if in_use or not held:
            return 0, f"in use by {in_use or 'a process that is marking it'}"
        refs = _remove_refs(store, repo_id, commit)
        try:
            os.rename(snapshot.folder, trash)
        except FileNotFoundError:
            return 0, None
        except PermissionError:  # Windows does not move a folder in which a file is open
            _restore_refs(store, repo_id, refs, commit)
            return 0, "in use, or not ours to remove"
        forget_commit(store, repo_id, commit)
    return empty(trash), None


def forget_commit(store: Store, repo_id: str, commit: str) -> None:
    """Remove what is remembered of a commit that is not here: its listing, leases and notes."""
    folder = layout.repo_folder(repo_id)
    own = store.own_folder
    for file in (
        store.path(layout.tree_path(repo_id, commit)),
        own / Own.UNCONFIRMED / folder / commit,
        own / Own.OUTBOX / folder / commit,
        own / Own.VOUCHED / folder / commit,
    ):
        with contextlib.suppress(OSError):
            file.unlink()
    for left in (store.path(folder) / ".no_exist" / commit, leases.folder(store, repo_id, commit)):
        shutil.rmtree(left, ignore_errors=True)


def remove_blob(store: Store, folder: str, name: str) -> tuple[int, str | None]:
    """Remove `<folder>/blobs/<name>` if no snapshot points to it: bytes freed, and None or why it was kept."""
    blob = store.root / folder / "blobs" / name
    with fetch_lock(store, folder, name) as held:
        if not held:
            return 0, "being fetched"
        repo = scan.read_repo(store.root, folder)
        if repo is not None and scan.points_to(repo, name):
            return 0, "a commit shows it again"
        with contextlib.suppress(OSError):
            (store.own_folder / Own.SHARED / folder / name).unlink()  # the note that a cache has it: `hf_cache.links`
        return clear(blob)


@contextlib.contextmanager
def fetch_lock(store: Store, folder: str, name: str) -> Iterator[bool]:
    """Hold the lock that a fetch of a blob holds; yields whether it is held."""
    lock = locks.lock_path(store, str(layout.repo_of(folder)), name)
    with store.writing():
        make_folder(lock.parent)
    with locks.try_lock(lock, _DEADLINE) as held:
        yield held


def remove_empty_repo(store: Store, folder: str) -> bool:
    """Remove a repo's folder in which no file is left; return whether it was. A scan calls such a folder broken."""
    where, repo_id = store.root / folder, layout.repo_of(folder)
    if repo_id is None or any(True for _ in scan.walk(where)):
        return False
    with store.writing(), leases.hold_lock(store) as held:
        return held and leases.holder_of(store, repo_id) is None and _remove_empty_repo(store, folder)


def _remove_empty_repo(store: Store, folder: str) -> bool:
    where = store.root / folder
    for name in ("blobs", "refs", "trees", ".no_exist", "snapshots"):
        remove_empty_folders(where / name, keep=name == "snapshots")
    if scan.names(where) != ["snapshots"] or scan.names(where / "snapshots"):
        return False
    trash = _trash(store)
    with contextlib.suppress(OSError):
        os.rename(where, trash)
        if any(True for _ in scan.walk(trash)):  # another process has begun to fill it
            os.rename(trash, where)
            return False
        empty(trash)
        forget_repo(store, folder)
        return True
    return False


def forget_repo(store: Store, folder: str) -> None:
    """Remove our notes on a repo that is gone, except that it is closed."""
    access = store.own_folder / Own.ACCESS / folder
    with contextlib.suppress(OSError):
        if access.read_bytes() == b"public":
            access.unlink()
    for kind in (Own.UNCONFIRMED, Own.LEASES, Own.OUTBOX, Own.SHARED):
        remove_empty_folders(store.own_folder / kind / folder)


def clear(path: Path) -> tuple[int, str | None]:
    """Remove a file, or a folder with all in it: bytes freed, and None or why it is still there."""
    freed = empty(path)
    return freed, "it could not be removed" if os.path.lexists(path) else None


def empty(trash: Path) -> int:
    """Remove a file, or a folder with all in it; the bytes that this freed."""
    freed = 0
    for path in scan.walk(trash) if trash.is_dir() and not trash.is_symlink() else [trash]:
        status = scan.lstat(path)
        if status is not None:
            with contextlib.suppress(OSError):
                path.unlink()
                freed += status.st_size if stat.S_ISREG(status.st_mode) and status.st_nlink == 1 else 0
    shutil.rmtree(trash, ignore_errors=True)
    return freed


def _trash(store: Store) -> Path:
    folder = store.own_folder / Own.TRASH
    with store.writing():
        make_folder(folder)
    return folder / f"{os.getpid()}-{os.urandom(6).hex()}"


def _remove_refs(store: Store, repo_id: str, commit: str) -> dict[str, bool]:
    """Remove the refs that point to a commit; their names, and whether they were unconfirmed."""
    removed = {}
    folder = layout.repo_folder(repo_id)
    for name in store.revisions_at(repo_id, commit):
        ref = store.root / folder / "refs" / name
        removed[name] = store.is_unconfirmed(repo_id, f"refs/{name}")
        for file in (ref, store.own_folder / Own.UNCONFIRMED / folder / "refs" / name):
            file.unlink(missing_ok=True)
        remove_empty_folders(ref.parent, keep=ref.parent.name == "refs")
    return removed


def _restore_refs(store: Store, repo_id: str, refs: dict[str, bool], commit: str) -> None:
    for name, unconfirmed in refs.items():
        if store.read_ref(repo_id, name) is None:
            store.write_ref(repo_id, name, commit, unconfirmed=unconfirmed)
