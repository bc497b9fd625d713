"""Which files that somebody else may write to were found right, by inode, size and time of change.

They are not read again. A hard link to a lower tier can be changed there, also after its other name is gone; and a file
in a cache folder of the user's own is anybody's. A file of our own has one name, and nobody else writes to it.
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
        """Is any file remembered for this etag? One look at the disk."""
        return os.path.exists(f"{self._folder}/{etag}")

    def is_known(self, etag: str, status: os.stat_result) -> bool | None:
        """Was this very file, unchanged since, found to hash to `etag`? None: it was not read."""
        mark = _mark(status)
        known = session.part(Found).get((etag, mark))
        if known is None and mark in self._marks(etag):
            known = session.part(Found)[etag, mark] = True
        return known

    def refuse(self, etag: str, status: os.stat_result) -> None:
        """Let this process know that this file does not hash to `etag`."""
        session.part(Found)[etag, _mark(status)] = False

    def remember(self, etag: str, status: os.stat_result) -> bool:
        """Keep that this file hashes to `etag`; False where nothing can be written, and only this process knows it."""
        mark = _mark(status)
        session.part(Found)[etag, mark] = True
        with contextlib.suppress(OSError):
            make_folder(self._folder)
            marks = [mark, *(each for each in self._marks(etag) if each != mark)][:_MOST]
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
    """What was found right in this process, or not."""

    def __init__(self) -> None:
        super().__init__(100_000)


def _mark(status: os.stat_result) -> str:
    return f"{status.st_dev} {status.st_ino} {status.st_size} {status.st_mtime_ns}"
