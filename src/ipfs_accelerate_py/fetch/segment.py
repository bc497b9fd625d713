"""A range of a file that is not here yet, fetched ahead for another machine: a part of its own, never trusted."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from ..errors import SourceError
from ..store import partial


def remove_dead(folder: Path) -> None:
    """Remove what killed processes have left: it is of no use to anybody. Never raises."""
    with contextlib.suppress(OSError):
        for path in folder.glob(f"*-{partial.AHEAD}*{partial.SUFFIX}"):
            with contextlib.suppress(OSError):
                if not partial.is_being_written(path):
                    path.unlink()


def name_of(etag: str, start: int) -> str:
    """What stands for the etag in the name of the part that has the bytes of a file from `start` on."""
    return hashlib.sha256(f"{etag} from {start}".encode()).hexdigest()


class Segment:
    """Takes the bytes of a file from `start` to `end`, in order; others read them as they come, until it is closed."""

    def __init__(self, folder: Path, etag: str, start: int, end: int) -> None:
        self.start, self.end, self.size = start, end, start  # offsets in the file
        self._is_ended = False
        self._file, name = tempfile.mkstemp(
            partial.SUFFIX, partial.prefix(name_of(etag, start)) + partial.AHEAD, folder
        )
        self._path = Path(name)
        partial.active().add(self._path)
        partial.lock(self._file)

    def write(self, data: bytes) -> None:
        """Take the next bytes; SourceError for more than there are to be, OSError where the disk is full."""
        if self._is_ended:
            raise SourceError("nobody waits for it any more")
        if self.size + len(data) > self.end:
            raise SourceError("it gave more than was asked for")
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        self.size += len(data)

    def end_early(self) -> None:
        """No more bytes are taken, and nothing is left on the disk. For another thread; never raises."""
        self._is_ended = True
        with contextlib.suppress(OSError):
            self._path.unlink()

    def close(self) -> None:
        """It is not needed any more. Never raises."""
        with contextlib.suppress(OSError):
            self._path.unlink()
        with contextlib.suppress(OSError):
            os.close(self._file)
        partial.active().discard(self._path)
