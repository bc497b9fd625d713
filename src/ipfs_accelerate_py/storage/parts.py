"""Parts of files that were not finished: whose they are, which can be continued, which are old.

A part is named `<etag's first 16 digits>.<host>.<pid>-<random>.incomplete`. It is never trusted: who continues one
copies and hashes it, and only the hash of the whole counts.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

SUFFIX = ".incomplete"
OLD = 24 * 3600.0  # seconds after which a part that nobody has continued is removed
WORTH_KEEPING = 1 << 20  # bytes; a smaller part is sooner fetched anew than continued
_FRESH = 60.0  # seconds since the last byte, within which an unknown writer may still be at work
_NAME = re.compile(r"[0-9a-f]{16}\.(?P<host>[^.]*)\.(?P<pid>[0-9]+)-\w+\.incomplete")
active: set[Path] = set()  # the parts that this process is writing
_cleaned: set[Path] = set()


def prefix(etag: str) -> str:
    """How the name of a part of this process begins."""
    return f"{etag[:16]}.{_host()}.{os.getpid()}-"


def find_parts(folder: Path, etag: str) -> Iterator[Path]:
    """What dead writers have left of a blob, the largest first; only what is worth continuing."""
    found = []
    for path in folder.glob(f"{etag[:16]}*{SUFFIX}"):
        with contextlib.suppress(OSError):
            size = path.lstat().st_size
            if size >= WORTH_KEEPING and path.is_file() and not path.is_symlink() and not _is_being_written(path):
                found.append((size, path))
    yield from (path for _, path in sorted(found, reverse=True))


def remove_old(folder: Path, pattern: str = f"*{SUFFIX}") -> None:
    """Remove the parts in a folder that nobody has written to for a day."""
    with contextlib.suppress(OSError):
        for path in folder.glob(pattern):
            with contextlib.suppress(OSError):
                if time.time() - path.lstat().st_mtime > OLD and not _is_being_written(path):
                    path.unlink()


def clean_scratch(own_folder: Path) -> None:
    """Remove what dead processes left in our own folders a day ago. Once per process; never raises."""
    if own_folder in _cleaned:
        return
    _cleaned.add(own_folder)
    remove_old(own_folder / "tmp")
    remove_old(own_folder / "verified")
    # of a repo; of its files in xet; of an earlier version of ours
    for pattern in ("hub/*/*/blobs", "hub/*/blobs/??", "hub/*/blobs"):
        for blobs in own_folder.glob(pattern):
            remove_old(blobs, "*")  # a whole one that nobody took over is as useless


def _is_being_written(path: Path) -> bool:
    match = _NAME.fullmatch(path.name)
    if match is None or match["host"] != _host() or os.name != "posix":
        # huggingface_hub's own, or another machine's: a writer has touched it a moment ago
        return time.time() - path.lstat().st_mtime < _FRESH
    pid = int(match["pid"])
    if pid == os.getpid():
        return path in active
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass
    return True


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:40]
