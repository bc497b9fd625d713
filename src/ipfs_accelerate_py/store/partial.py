"""Partial downloads (parts): which process writes them, which can be continued, which are old.

A part is named `<etag's first 16 digits>.<host>.<pid>-<random>.incomplete`, and the process that writes it holds a lock
on it. It is never trusted: it is hashed when it is continued, and only the hash of the whole counts.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from ..session import Recent, session
from .layout import Own

SUFFIX = ".incomplete"
AHEAD = "range_"  # begins the random part of the name of a range that is fetched ahead: see `segment`
OLD = 24 * 3600.0  # seconds after which a part that was not continued is removed
WORTH_KEEPING = 1 << 20  # bytes; a smaller part is sooner fetched anew than continued
_FRESH = 60.0  # seconds since the last byte, within which an unknown writer may still be at work
_MOMENT = 0.02
_NAME = re.compile(r"[0-9a-f]{16}\.(?P<host>[^.]*)\.(?P<pid>[0-9]+)-\w+\.incomplete")


class Parts:
    """Which parts this process is writing, and which folders it has tidied up."""

    def __init__(self) -> None:
        self.active: set[Path] = set()  # without those that are ended
        self.cleaned: Recent[Path, bool] = Recent()


def active() -> set[Path]:
    """The parts that this process is writing."""
    return session.part(Parts).active


def prefix(etag: str) -> str:
    """How the name of a part of this process begins."""
    return f"{etag[:16]}.{_host()}.{os.getpid()}-"


def find_parts(folder: Path, etag: str) -> Iterator[Path]:
    """What dead writers have left of a blob, the largest first; only what is worth continuing."""
    found = []
    for path in folder.glob(f"{etag[:16]}*{SUFFIX}"):
        with contextlib.suppress(OSError):
            size = path.lstat().st_size
            if size >= WORTH_KEEPING and path.is_file() and not path.is_symlink() and not is_being_written(path):
                found.append((size, path))
    yield from (path for _, path in sorted(found, reverse=True))


def take_over(path: Path, own: Path) -> int | None:
    """Rename the part of a dead process of this machine to `own` and open it, locked; None if it is to be copied.

    The first process to rename it has it: OSError in the others, and where its writer is alive after all.
    """
    match = _NAME.fullmatch(path.name)
    if match is None or match["host"] != _host() or os.name != "posix":
        return None
    file = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1 or status.st_uid != os.geteuid():
            os.close(file)  # it may be in another cache too: it is not to be written to
            return None
        locked = lock(file)
        if locked is False:  # an agent that looks whether it is being written holds it for a moment
            time.sleep(_MOMENT)
            locked = lock(file)
        if locked is None:  # a writer elsewhere would not be noticed
            os.close(file)
            return None
        if not locked:
            raise BlockingIOError(f"{path} is being written")
        active().add(own)
        os.rename(path, own)
        return file
    except OSError:
        active().discard(own)
        with contextlib.suppress(OSError):
            os.close(file)
        raise


def lock(file: int) -> bool | None:
    """Lock an open file for as long as it is open; False if another has locked it, None where there are no locks."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        return None
    return True


def exists(folder: Path, etag: str) -> bool:
    """Return whether there is a part of a blob, whoever has written it."""
    return any(True for _ in folder.glob(f"{etag[:16]}.*{SUFFIX}"))


def open_growing(folder: Path, etag: str) -> int | None:
    """Open, for reading, the part of a blob that a process writes at this moment, the largest; None if there is none.

    Its bytes come in order, so that its size is what has arrived.
    """
    found: tuple[int, int] | None = None
    for path in folder.glob(f"{etag[:16]}.*{SUFFIX}"):
        if _NAME.fullmatch(path.name) is None:
            continue
        try:
            file = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        except OSError:
            continue
        status = os.fstat(file)
        if stat.S_ISREG(status.st_mode) and (found is None or status.st_size > found[0]) and is_growing(file, path):
            if found is not None:
                os.close(found[1])
            found = status.st_size, file
        else:
            os.close(file)
    return None if found is None else found[1]


def list_growing(folder: Path) -> Iterator[tuple[str, int, float]]:
    """The parts in a folder that are being written: 16 digits of the etag, size, seconds since the last byte.

    For people to see: no lock is tried, which might be in a writer's way, so that it may be one that has just ended.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _NAME.fullmatch(entry.name) is None or f"-{AHEAD}" in entry.name:
                continue
            with contextlib.suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                age = max(0.0, time.time() - status.st_mtime)
                if stat.S_ISREG(status.st_mode) and age < _FRESH and is_being_written(Path(entry.path)):
                    yield entry.name[:16], status.st_size, age


def is_growing(file: int, path: Path | None = None) -> bool:
    """Return whether another process holds the lock of an open part; where it has no bytes, it may be about to.

    A writer locks a part before its first byte comes. An empty part is not probed, which would be in its way then.
    """
    status = os.fstat(file)
    if status.st_nlink == 0:
        return False
    if status.st_size == 0:
        return path is None or (not is_old(status) and is_being_written(path))
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(file, fcntl.LOCK_UN)
    except BlockingIOError:
        return True
    except (ImportError, OSError):  # no locks here: a writer has touched it a moment ago
        return -OLD <= time.time() - status.st_mtime < _FRESH
    return False


def remove_old(folder: Path, pattern: str = f"*{SUFFIX}") -> None:
    """Remove the parts in a folder that were not written to for a day."""
    with contextlib.suppress(OSError):
        for path in folder.glob(pattern):
            with contextlib.suppress(OSError):
                if is_old(path.lstat()) and not is_being_written(path):
                    path.unlink()


def clean_scratch(own_folder: Path) -> None:
    """Remove what dead processes left in our own folders a day ago. Once per process; never raises."""
    cleaned = session.part(Parts).cleaned
    if own_folder in cleaned:
        return
    cleaned[own_folder] = True
    remove_old(own_folder / Own.SCRATCH)
    remove_old(own_folder / Own.VERIFIED)
    # of a repo; of its files in xet; of an earlier version of ours
    for pattern in ("hub/*/*/blobs", "hub/*/blobs/??", "hub/*/blobs"):
        for blobs in own_folder.glob(pattern):
            remove_old(blobs, "*")  # a whole file that was not taken over is as useless


def is_old(status: os.stat_result) -> bool:
    """Return whether a part was not written to for a day, or is dated more than a day ahead, by a wrong clock."""
    return abs(time.time() - status.st_mtime) > OLD


def is_being_written(path: Path) -> bool:
    """Return whether the writer of a part is alive, or may be. OSError."""
    match = _NAME.fullmatch(path.name)
    if match is None or match["host"] != _host() or os.name != "posix":
        if match is None and _is_unlocked(_clients_lock(path)):
            return False
        # huggingface_hub's own, or another machine's: a writer has touched it a moment ago, by a clock that may differ
        return -OLD <= time.time() - path.lstat().st_mtime < _FRESH
    pid = int(match["pid"])
    if pid == os.getpid():
        return path in active()
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass
    # After a day it is another process that has this number, unless it holds the lock.
    return not is_old(path.lstat()) or not _is_unlocked(path)


def _clients_lock(path: Path) -> Path:
    """What huggingface_hub locks while it writes `models--*/blobs/<etag>[.<random>].incomplete`."""
    repo = path.parent.parent
    return repo.parent / ".locks" / repo.name / f"{path.name.partition('.')[0]}.lock"


def _is_unlocked(path: Path) -> bool:
    """Return whether there is such a file, whose lock is free. Also False where there are no locks."""
    try:
        file = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return lock(file) is True
    finally:
        os.close(file)


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:40]
