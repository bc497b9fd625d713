"""Takes the bytes of one file from a source: hashed on the way, synced, renamed; invisible until then."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ..errors import SourceError
from . import parts
from .tree import Entry
from .verify import CHUNK, Mismatch, Verifier, verify_file


class NotWritten(OSError):
    """Our own disk did not take the bytes: no fault of the source."""


class Receiver:
    """Where a source puts the bytes of one file: `write` them in order, or `adopt` a file that holds them.

    A source that gives its bytes from `size` on continues what another one began; `start()` begins anew. `givers` are
    those whose bytes are in it. Both ways hash every byte; Mismatch ends it.
    """

    def __init__(self, folder: Path, entry: Entry) -> None:
        self.entry = entry
        self.moved = 0  # bytes written or hashed so far: while this grows, somebody is at work
        self._folder = folder
        self._path: Path | None = None
        self._file: int | None = None
        self.cancelled = self.keep_part = False
        self.start()

    def start(self) -> None:
        """Forget what was written so far."""
        self._remove()
        self._verifier = Verifier(self.entry)
        self._verified = False
        self._read = 0
        self.givers: list[str] = []

    def begin(self, giver: str) -> int:
        """Say who gives the bytes from here on; where those should start."""
        if giver not in self.givers:
            self.givers.append(giver)
        return self.size

    def _open(self) -> int:
        if self.cancelled:
            raise SourceError("another source was quicker")
        if self._file is None:
            self._file, name = tempfile.mkstemp(parts.SUFFIX, parts.prefix(self.entry.etag), self._folder)
            os.chmod(self._file, 0o666 & ~_umask())
            self._path = Path(name)
            parts.active.add(self._path)
        return self._file

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._verifier.size

    @property
    def checked(self) -> int:
        """Bytes hashed so far, whether they were written or are those of an adopted file."""
        return max(self.size, self._read)

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        if self.cancelled:
            raise SourceError("another source was quicker")
        self._verifier.update(data)
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._open(), view) :]
        except OSError as error:  # a full disk: what was hashed is not what is in the file
            self.start()
            raise NotWritten(error.errno, error.strerror) from error
        self.moved += len(data)

    def adopt(self, path: Path, *, move: bool = False, known: bool = False) -> None:
        """Take a whole existing file: moved, else by hard link, reflink or copy; it is read and hashed.

        `known`: these very bytes were hashed before, and are not read again where they are only linked.
        """
        self.start()
        if self.cancelled:
            raise SourceError("another source was quicker")
        target = self._folder / f"{parts.prefix(self.entry.etag)}{os.urandom(4).hex()}{parts.SUFFIX}"
        try:
            (os.replace if move else os.link)(path, target)
        except OSError:
            self._copy(path)
            return
        self._path = target
        parts.active.add(target)
        if not known:
            verify_file(target, self.entry, self._note)
        self._verified = True

    def _note(self, size: int) -> None:
        self.moved += size
        self._read += size
        if self.cancelled:
            raise SourceError("another source was quicker")

    def _copy(self, path: Path) -> None:
        with open(path, "rb", buffering=0) as source:
            if _reflink(source.fileno(), self._open()):
                assert self._path is not None
                verify_file(self._path, self.entry, self._note)
                self._verified = True
                return
            while data := source.read(CHUNK):
                self.write(data)

    def continue_part(self, path: Path, giver: str) -> None:
        """Begin with the bytes of a part that somebody left: copied, since its writer may still hold it open."""
        self.start()
        self.begin(giver)
        with open(path, "rb", buffering=0) as source:
            left = self.entry.size
            while left and (data := source.read(min(CHUNK, left))):
                self.write(data)
                left -= len(data)

    def continue_first(self, paths: Iterable[Path]) -> bool:
        """Begin with the first of these parts that can be read, and remove it; else anew, and False."""
        for path in paths:
            with contextlib.suppress(OSError, Mismatch):
                self.continue_part(path, "an earlier part")
                path.unlink(missing_ok=True)
                return True
        self.start()
        return False

    def continue_other(self, other: Receiver) -> None:
        """Begin with what another receiver of the same file has at this moment."""
        path, givers = other._path, list(other.givers)
        if path is not None and other.size >= parts.WORTH_KEEPING and not other._verified:
            with contextlib.suppress(OSError):
                self.continue_part(path, "")
                self.givers = givers

    def check(self) -> None:
        """Check the whole; Mismatch if it is not the promised file."""
        if not self._verified:
            self._open()
            self._verifier.finish()
            self._verified = True

    def finish(self, target: Path) -> None:
        """Check the whole, sync it to disk and rename it to its name; Mismatch if it is not the promised file."""
        self.check()
        assert self._path is not None
        if self._file is not None:
            os.fsync(self._file)
            os.close(self._file)
            self._file = None
        os.replace(self._path, target)
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()  # rename(2) does nothing if both names are links to one file already
        parts.active.discard(self._path)
        self._path = None
        _sync_folder(target.parent)

    def cancel(self, *, keep_part: bool = False) -> None:
        """Let whoever writes here stop at his next byte; what he wrote goes, or stays as a part. For another thread."""
        self.keep_part, self.cancelled = keep_part, True
        if self._path is not None and not keep_part:
            with contextlib.suppress(OSError):
                self._path.unlink()

    def discard(self, *, keep_part: bool = False) -> None:
        """Remove what was written; nothing was visible. `keep_part`: leave a part that is worth continuing."""
        if keep_part and self._file is not None and parts.WORTH_KEEPING <= self.size < self.entry.size:
            os.close(self._file)
            if self._path is not None:
                parts.active.discard(self._path)
            self._file = self._path = None
        self._remove()

    def _remove(self) -> None:
        if self._file is not None:
            os.close(self._file)
        if self._path is not None:
            parts.active.discard(self._path)
            with contextlib.suppress(OSError):
                self._path.unlink()
        self._file = self._path = None


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not every file system lets a folder be synced
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _umask() -> int:
    # The only portable way to read it is to set it; Linux tells without that, and threads may be about.
    try:
        with open("/proc/self/status", "rb") as status:
            for line in status:
                if line.startswith(b"Umask:"):
                    return int(line.split()[1], 8)
    except (OSError, ValueError):
        pass
    return 0o022


def _reflink(source: int, target: int) -> bool:
    """Share the blocks of a file (btrfs, XFS); False where that is not possible. FICLONE: ioctl_ficlone(2)."""
    try:
        import fcntl

        fcntl.ioctl(target, 0x40049409, source)
    except (ImportError, OSError):
        return False
    return True
