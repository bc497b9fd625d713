"""Takes the bytes of one file from a source: hashed on the way, synced, renamed; invisible until then."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from .tree import Entry
from .verify import CHUNK, Verifier, verify_file


class Receiver:
    """Where a source puts the bytes of one file: `write` them in order, or `adopt` a file that holds them.

    `start()` begins anew after a source that failed half-way. Both ways hash every byte; Mismatch ends it.
    """

    def __init__(self, folder: Path, entry: Entry) -> None:
        self.entry = entry
        self._folder = folder
        self._path: Path | None = None
        self._file: int | None = None
        self.start()

    def start(self) -> None:
        """Forget what was written so far."""
        self.discard()
        self._verifier = Verifier(self.entry)
        self._verified = False

    def _open(self) -> int:
        if self._file is None:
            self._file, name = tempfile.mkstemp(".incomplete", self.entry.etag[:16] + ".", self._folder)
            os.chmod(self._file, 0o666 & ~_umask())
            self._path = Path(name)
        return self._file

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._verifier.size

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self._verifier.update(data)
        view = memoryview(data)
        while view:
            view = view[os.write(self._open(), view) :]

    def adopt(self, path: Path, *, move: bool = False) -> None:
        """Take a whole existing file: moved, else by hard link, reflink or copy; in each case it is read and hashed."""
        self.start()
        target = self._folder / f"{self.entry.etag[:16]}.{os.getpid()}-{os.urandom(4).hex()}.incomplete"
        try:
            (os.replace if move else os.link)(path, target)
        except OSError:
            self._copy(path)
            return
        self._path = target
        verify_file(target, self.entry)
        self._verified = True

    def _copy(self, path: Path) -> None:
        with open(path, "rb", buffering=0) as source:
            if _reflink(source.fileno(), self._open()):
                assert self._path is not None
                verify_file(self._path, self.entry)
                self._verified = True
                return
            while data := source.read(CHUNK):
                self.write(data)

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
        self._path = None
        _sync_folder(target.parent)

    def discard(self) -> None:
        """Remove what was written; nothing was visible."""
        if self._file is not None:
            os.close(self._file)
        if self._path is not None:
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
