"""Size and hash of a file on disk, read in a way that does not count as its use."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from ..store import layout
from ..store.verify import CHUNK

Found = tuple[int, str]  # size in bytes, and hash


def hash_file(path: Path, like: str = "", note: Callable[[int], object] | None = None) -> Found | None:
    """Size and hash of a file, or None if it cannot be read: its git blob id if `like` is one, else its sha256.

    `note` is called with the size of every chunk. This does not count as a use of the file: its time of access stays.
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
