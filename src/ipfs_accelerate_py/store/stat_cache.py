"""Stat cache: which files that other programs may write to were verified, by inode, size and time of change.

They are not read again. A hard link to a local cache can be changed there, also after its other name is gone; a file in
the user's own cache folder may be changed by any program. A file of ours has one name, and only we write to it.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ..files import make_folder
from ..session import Recent, session

_MOST = 64  # files with the same content that are remembered: the tokenizer that many models share


class StatCache:
    """One small file per etag below `folder`, with the marks of the files that hash to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def is_noted(self, etag: str) -> bool:
        """Return whether any file is remembered for this etag. One look at the disk."""
        return os.path.exists(f"{self._folder}/{etag}")

    def is_known(self, etag: str, status: os.stat_result) -> bool | None:
        """Return whether this very file, unchanged since, was found to hash to `etag`; None if it was not read."""
        mark = _mark(status)
        known = session.part(Found).get((etag, mark))
        if known is None and mark in self._marks(etag):
            known = session.part(Found)[etag, mark] = True
        return known

    def refuse(self, etag: str, status: os.stat_result) -> None:
        """Remember in this process that this file does not hash to `etag`."""
        session.part(Found)[etag, _mark(status)] = False

    def remember(self, etag: str, status: os.stat_result) -> bool:
        """Remember that this file hashes to `etag`; False if that is not on disk, and in this process only."""
        mark = _mark(status)
        session.part(Found)[etag, mark] = True
        with contextlib.suppress(OSError):
            make_folder(self._folder)
            marks = [mark, *(other for other in self._marks(etag) if other != mark)][:_MOST]
            temporary = self._folder / f"{etag[:16]}.{os.getpid()}-{os.urandom(4).hex()}.incomplete"
            temporary.write_text("\n".join(marks), "ascii")
            os.replace(temporary, self._folder / etag)
            return True
        return False

    def _marks(self, etag: str) -> list[str]:
        try:
            return (self._folder / etag).read_text("ascii").split("\n")
        except (OSError, ValueError):
            return []


class Found(Recent[tuple[str, str], bool]):
    """What was verified in this process, and whether it was right."""

    def __init__(self) -> None:
        super().__init__(100_000)


def _mark(status: os.stat_result) -> str:
    return f"{status.st_dev} {status.st_ino} {status.st_size} {status.st_mtime_ns}"
