"""What the operating system is asked about files besides reading and writing."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from pathlib import Path

DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)  # our own disk's, no source's
_AHEAD = 60.0  # seconds that a file server's clock may be ahead of ours


def past(moment: float) -> float:
    """When something was written; a date to come is a wrong clock's, and counts as long ago."""
    return moment if moment < time.time() + _AHEAD else 0.0


def is_unchanged(path: Path, before: os.stat_result) -> bool:
    """Return whether it is the same file as before, of the same size and time."""
    now = path.stat()
    return (now.st_ino, now.st_size, now.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)


def sync_folder(folder: Path) -> None:
    """Let what was renamed in a folder outlast a power failure, where that can be asked for."""
    with contextlib.suppress(OSError):  # not every file system lets a folder be synced
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def start_writing_out(file: int, at: int, size: int) -> None:
    """Let the disk begin with what was written to an open file, so that a sync has less to wait for. A hint, for Linux.

    https://man7.org/linux/man-pages/man2/sync_file_range.2.html
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    with contextlib.suppress(AttributeError, OSError):  # a C library without it
        ctypes.CDLL(None).sync_file_range(file, ctypes.c_int64(at), ctypes.c_int64(size), 2)  # SYNC_FILE_RANGE_WRITE


def umask() -> int:
    """What new files of this process are kept from."""
    # The only portable way to read it is to set it, which other threads would see; Linux has another way.
    try:
        with open("/proc/self/status", "rb") as status:
            for line in status:
                if line.startswith(b"Umask:"):
                    return int(line.split()[1], 8)
    except (OSError, ValueError):
        pass
    return 0o022


def reflink(source: int, target: int) -> bool:
    """Share the blocks of a file (btrfs, XFS); False where that is not possible. FICLONE: ioctl_ficlone(2)."""
    try:
        import fcntl

        fcntl.ioctl(target, 0x40049409, source)
    except (ImportError, OSError):
        return False
    return True
