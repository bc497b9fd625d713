"""Which files with several names were found right, by inode, size and time of change: they are not read again.

A file of our own has one name, and nobody else writes to it. A hard link to a lower tier can be changed there.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from .folders import make_folder

_MOST = 8  # files with the same content that are remembered


class VerifiedFiles:
    """One small file per etag below `folder`, with the marks of the files that hash to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def is_known(self, etag: str, status: os.stat_result) -> bool:
        """Was this very file, unchanged since, found to hash to `etag`?"""
        mark = _mark(status)
        return (etag, mark) in _in_this_process or mark in self._marks(etag)

    def remember(self, etag: str, status: os.stat_result) -> None:
        """Keep that this file hashes to `etag`; where nothing can be written, only this process knows it."""
        mark = _mark(status)
        _in_this_process.add((etag, mark))
        with contextlib.suppress(OSError):
            make_folder(self._folder)
            marks = [mark, *(each for each in self._marks(etag) if each != mark)][:_MOST]
            temporary = self._folder / f"{etag[:16]}.{os.getpid()}-{os.urandom(4).hex()}.incomplete"
            temporary.write_text("\n".join(marks), "ascii")
            os.replace(temporary, self._folder / etag)

    def forget(self, etag: str) -> None:
        """The blob is gone."""
        with contextlib.suppress(OSError):
            (self._folder / etag).unlink()

    def _marks(self, etag: str) -> list[str]:
        try:
            return (self._folder / etag).read_text("ascii").split("\n")
        except (OSError, ValueError):
            return []


_in_this_process: set[tuple[str, str]] = set()


def _mark(status: os.stat_result) -> str:
    return f"{status.st_dev} {status.st_ino} {status.st_size} {status.st_mtime_ns}"
