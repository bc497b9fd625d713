"""One process at a time fetches a blob; the others wait for it, as long as it gets on.

This saves traffic and is not needed for safety: every writer has a file of its own. So every wait has a deadline, and
where a file system has no locks the work goes on without a lock.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..files import make_folder
from ..log import get_logger
from . import layout, partial
from .layout import Own
from .sidecar import blobs_folder
from .store import Store

STALE = 15.0  # seconds without a new byte after which the holder of a lock is not waited for any longer
_SLICE = 0.5  # seconds between two looks at the progress of the holder


def lock_path(store: Store, repo_id: str, etag: str) -> Path:
    """The file whose lock is held while a blob is fetched or removed."""
    return store.root / ".locks" / layout.repo_folder(repo_id) / f"{etag}.lock"


@contextlib.contextmanager
def hold(store: Store, repo_id: str, etag: str, stopped: threading.Event | None = None) -> Iterator[bool]:
    """Wait for the lock of a blob; False if it had to go on without. StoreError if the store cannot be written."""
    path = lock_path(store, repo_id, etag)
    with store.writing():
        make_folder(path.parent)
    with contextlib.ExitStack() as stack:
        yield _wait(stack, lambda: _take(path, _SLICE), lambda: _work_so_far(store, repo_id, etag), etag[:16], stopped)


@contextlib.contextmanager
def hold_for_listed(
    store: Store, repo_id: str, path: str, cache: Path | None, stopped: threading.Event | None = None
) -> Iterator[None]:
    """Before the lock of a blob: wait for the Hub's client that fetches the file to `cache`, and is told only its name.

    StoreError.
    """
    listed, clients = _name_locks(store, repo_id, path)
    folder = layout.repo_folder(repo_id)
    roots = [store.root, *([] if cache is None else [cache])]

    def moved() -> tuple[int, float]:
        return _bytes_in((root / folder / "blobs" for root in roots), "")

    with try_lock(listed, 0):  # another that holds it does as we do
        with contextlib.ExitStack() as stack:
            _wait(stack, lambda: _take(clients, _SLICE), moved, path, stopped)
        yield


@contextlib.contextmanager
def hold_for_client(store: Store, repo_id: str, path: str) -> Iterator[bool]:
    """While the Hub's client fetches a file that is known by its name alone; False where it is being fetched otherwise.

    Several clients wait for each other by a lock of their own. StoreError.
    """
    listed, clients = _name_locks(store, repo_id, path)
    with try_lock(clients, 0):
        with try_lock(listed, 0) as free:
            pass
        yield free


def _name_locks(store: Store, repo_id: str, path: str) -> tuple[Path, Path]:
    name = hashlib.sha256(path.encode()).hexdigest()[:40]
    folder = lock_path(store, repo_id, name).parent
    with store.writing():
        make_folder(folder)
    return folder / f"listed-{name}.lock", folder / f"client-{name}.lock"


@contextlib.contextmanager
def try_lock(path: Path, seconds: float) -> Iterator[bool]:
    """Hold a lock, if it is free within so many seconds; yields whether it is held, True where there are no locks."""
    from filelock import Timeout

    with contextlib.ExitStack() as stack:
        held = True
        try:
            stack.enter_context(_take(path, seconds))
        except Timeout:
            held = False
        except OSError as error:  # no locks on this file system: a fetch goes on without as well
            get_logger().debug("no lock %s: %s", path.name, error)
        yield held


@contextlib.contextmanager
def _take(path: Path, seconds: float) -> Iterator[None]:
    """The same lock as huggingface_hub's `WeakFileLock`: by its mode the users of a group share it. Raises Timeout."""
    from filelock import FileLock, SoftFileLock

    lock = FileLock(path, mode=0o664)
    try:
        lock.acquire(timeout=seconds)
    except NotImplementedError:  # a file system without flock
        lock = SoftFileLock(path)
        lock.acquire(timeout=seconds)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            lock.release()


def _wait(stack, lock, work_so_far, what, stopped) -> bool:  # type: ignore[no-untyped-def]
    from filelock import Timeout

    seen, since = (-1, 0.0), time.monotonic()
    while stopped is None or not stopped.is_set():
        try:
            stack.enter_context(lock())
            return True
        except Timeout:
            moved = work_so_far()
            if moved != seen:
                seen, since = moved, time.monotonic()
            elif time.monotonic() - since > STALE:
                get_logger().info("the process that fetches %s makes no progress: fetching it here too", what)
                return False
        except OSError as error:  # no locks on this file system, or none left
            get_logger().debug("no lock for %s: %s", what, error)
            return False
    return False


def _work_so_far(store: Store, repo_id: str, etag: str) -> tuple[int, float]:
    """Bytes that the holder has written, and when: a process that reads a partial download touches it.

    The scratch folder of the Hub's client counts too.
    """
    own, scratch = store.path(layout.blob_path(repo_id, etag)).parent, blobs_folder(store.own_folder / Own.HUB, repo_id)
    return _bytes_in((own, scratch), etag[:16])


def _bytes_in(folders: Iterable[Path], begin: str) -> tuple[int, float]:
    total, latest = 0, 0.0
    for folder in folders:
        for path in folder.glob(f"{begin}*{partial.SUFFIX}"):
            with contextlib.suppress(OSError):
                status = path.stat()
                total, latest = total + status.st_size, max(latest, status.st_mtime)
    return total, latest
