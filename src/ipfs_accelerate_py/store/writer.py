"""Takes the bytes of one file from a source: hashed on the way, synced, renamed; invisible until then."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from ..beside import Beside
from ..errors import SourceError
from . import partial
from .fs import is_unchanged, reflink, start_writing_out, sync_folder, umask
from .tree import Entry
from .verify import CHUNK, Mismatch, Verifier, verify_file

_WORTH_A_THREAD = 16 << 20  # bytes of a file that is hashed beside its reading and writing
_WRITE_OUT = 32 << 20  # bytes after which the disk is let to begin
_TOUCH = 5.0  # seconds; waiting processes, and other machines, see by its time that a part is being written


class NotWritten(OSError):
    """Our own disk did not take the bytes: no fault of the source."""


class Writer:
    """Where a source puts the bytes of one file: `write` them in order, or `adopt` a file that holds them.

    A source that gives its bytes from `size` on continues what another source began; `start()` begins anew. `givers`
    are the sources of the bytes in it. Both ways hash every byte; Mismatch ends it. So does `stopped` once it is set.
    """

    def __init__(self, folder: Path, entry: Entry, stopped: threading.Event | None = None) -> None:
        self.entry = entry
        self.moved = 0  # bytes written or hashed so far: while this grows, there is progress
        self._folder = folder
        self._stopped = stopped
        self._path: Path | None = None
        self._file: int | None = None
        self.cancelled = self.keep_part = False
        is_large = entry.size >= _WORTH_A_THREAD
        self._hashing = Beside() if is_large else None
        self._disk = Beside() if is_large else None
        self.start()

    def start(self) -> None:
        """Forget what was written so far."""
        self._remove()
        self._verifier = Verifier(self.entry, self._hashing)
        self._written_out = 0
        self._verified = False
        self._read = 0
        self.givers: list[str] = []

    def begin(self, giver: str) -> int:
        """Note the source of the bytes from here on; returns the offset at which they should start."""
        if giver not in self.givers:
            self.givers.append(giver)
        return self.size

    def _go_on(self) -> None:
        if self.cancelled:
            raise SourceError("another source was quicker")
        if self._stopped is not None and self._stopped.is_set():
            raise SourceError("stopped")

    def _open(self) -> int:
        self._go_on()
        if self._file is None:
            self._file, name = tempfile.mkstemp(partial.SUFFIX, partial.prefix(self.entry.etag), self._folder)
            os.chmod(self._file, 0o666 & ~umask())
            self._path = Path(name)
            partial.active().add(self._path)
            partial.lock(self._file)
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
        """Take the next bytes, which the caller must not change any more."""
        self._go_on()
        self._verifier.update(data)
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._open(), view) :]
        except OSError as error:  # a full disk: what was hashed is not what is in the file
            self.start()
            raise NotWritten(error.errno, error.strerror) from error
        self.moved += len(data)
        if self._disk is not None and self.size - self._written_out >= _WRITE_OUT:
            begun = self._open(), self._written_out, self.size - self._written_out
            self._disk.put(lambda: start_writing_out(*begun), 0)
            self._written_out = self.size

    def adopt(self, path: Path, *, move: bool = False, known: bool | None = False) -> None:
        """Take a whole existing file: moved, else by hard link, reflink or copy; it is read and hashed.

        `known`: these very bytes were hashed before, and are not read again where they are only linked.
        """
        self.start()
        self._go_on()
        target = self._new_path()
        try:
            (os.replace if move else os.link)(path, target)
        except OSError:
            self._copy(path)
            return
        self._path = target
        partial.active().add(target)
        if not known:
            verify_file(target, self.entry, self._note)
        self._verified = True

    def _new_path(self) -> Path:
        return self._folder / f"{partial.prefix(self.entry.etag)}{os.urandom(4).hex()}{partial.SUFFIX}"

    def _note(self, size: int) -> None:
        self.moved += size
        self._read += size
        self._go_on()

    def _copy(self, path: Path) -> None:
        with open(path, "rb", buffering=0) as source:
            if reflink(source.fileno(), self._open()):
                assert self._path is not None
                verify_file(self._path, self.entry, self._note)
                self._verified = True
                return
            while data := source.read(CHUNK):
                self.write(data)

    def continue_part(self, path: Path, giver: str) -> None:
        """Begin with the bytes of an earlier part: copied, since its writer may still hold it open."""
        self.start()
        self.begin(giver)
        try:
            with open(path, "rb", buffering=0) as source:
                left = self.entry.size
                while left and (data := source.read(min(CHUNK, left))):
                    self.write(data)
                    left -= len(data)
        except BaseException:  # half of a copy is of no use
            self._remove()
            raise

    def continue_first(self, paths: Iterable[Path]) -> bool:
        """Begin with the first of these parts that can be read, which then is gone; else anew, and False."""
        for path in paths:
            with contextlib.suppress(OSError, Mismatch):
                if not self._take_over(path):
                    before = path.stat()
                    self.continue_part(path, "an earlier part")
                    if is_unchanged(path, before):  # it is not being written to, as far as can be seen
                        path.unlink(missing_ok=True)
                return True
        self.start()
        return False

    def _take_over(self, path: Path) -> bool:
        """Go on in the part of a dead process itself: half a model is not written twice. False: it is to be copied."""
        self.start()
        own = self._new_path()
        if (file := partial.take_over(path, own)) is None:
            return False
        self._file, self._path = file, own
        self.begin("an earlier part")
        try:
            touched = 0.0
            while data := os.read(file, min(CHUNK, self.entry.size - self.size)):
                self._go_on()
                if time.monotonic() - touched > _TOUCH:
                    touched = time.monotonic()
                    with contextlib.suppress(OSError):
                        os.utime(own)
                self._verifier.update(data)
                self.moved += len(data)
            os.ftruncate(file, self.size)
        except OSError:
            self._remove()
            raise
        except BaseException:  # Ctrl-C: it stays for the next process
            self._let_go()
            raise
        return True

    def continue_other(self, other: Writer) -> None:
        """Begin with what another writer of the same file has at this moment."""
        path, givers = other._path, list(other.givers)
        if path is not None and other.size >= partial.WORTH_KEEPING and not other._verified:
            with contextlib.suppress(OSError):
                self.continue_part(path, "")
                self.givers = givers

    def check(self) -> None:
        """Check the whole; Mismatch if it is not the promised file."""
        if not self._verified:
            self._open()
            self._verifier.finish()
            self._verified = True

    def digest(self, start: int, end: int) -> str:
        """The sha256 of the bytes from `start` to `end`, which were written."""
        assert self._path is not None
        found = hashlib.sha256()
        with open(self._path, "rb", buffering=0) as file:
            file.seek(start)
            while start < end and (data := file.read(min(CHUNK, end - start))):
                found.update(data)
                start += len(data)
        return found.hexdigest()

    def finish(self, target: Path) -> None:
        """Check the whole, sync it to disk and rename it to its name; Mismatch if it is not the promised file."""
        self.check()
        assert self._path is not None
        if self._file is not None:
            os.fsync(self._file)
            if self._disk is not None:
                self._disk.drain()
            os.close(self._file)
            self._file = None
        os.replace(self._path, target)
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()  # rename(2) does nothing if both names are links to one file already
        partial.active().discard(self._path)
        self._path = None
        sync_folder(target.parent)

    def cancel(self, *, keep_part: bool = False) -> None:
        """Let the source stop at its next byte; what it wrote goes, or stays to be continued. For another thread."""
        self.keep_part, self.cancelled = keep_part, True
        if self._path is not None and not keep_part:
            with contextlib.suppress(OSError):
                self._path.unlink()

    def discard(self, *, keep_part: bool = False) -> None:
        """Remove what was written; nothing was visible. `keep_part`: leave a part that is worth continuing."""
        if keep_part and self._file is not None and partial.WORTH_KEEPING <= self.size < self.entry.size:
            self._let_go()
        self._remove()

    def _let_go(self) -> None:
        if self._disk is not None:
            self._disk.drain()  # it uses the open file
        if self._file is not None:
            os.close(self._file)
        if self._path is not None:
            partial.active().discard(self._path)
        self._file = self._path = None

    def _remove(self) -> None:
        path = self._path
        self._let_go()
        if path is not None:
            with contextlib.suppress(OSError):
                path.unlink()
