"""Hash bytes as they come, and compare with what an Entry promises."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from ..beside import Beside
from .tree import Entry

CHUNK = 1 << 20


class Mismatch(Exception):
    """These are not the promised bytes. `expected` and `actual` are hashes, or sizes as text."""

    def __init__(self, expected: str, actual: str) -> None:
        super().__init__(f"expected {expected}, got {actual}")
        self.expected, self.actual = expected, actual


class Verifier:
    """Takes the bytes of one file in order; `finish` raises Mismatch unless size and hash are the promised ones.

    Files in LFS are promised by sha256, all others by git blob id: sha1 over `blob <size>\\0<bytes>`
    (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects). `beside`: where the bytes are hashed, in place of here.
    """

    def __init__(self, entry: Entry, beside: Beside | None = None) -> None:
        self.entry = entry
        self.size = 0
        self._beside = beside
        if entry.sha256:
            self._hash = hashlib.sha256()
        else:
            self._hash = hashlib.sha1(b"blob %d\0" % entry.size, usedforsecurity=False)
        self._content = hashlib.sha256() if entry.content else None

    def update(self, data: bytes) -> None:
        """Take the next bytes; Mismatch at once when there are more than promised."""
        self.size += len(data)
        if self.size > self.entry.size:
            raise Mismatch(f"{self.entry.size} bytes", f"more than {self.entry.size} bytes")
        if self._beside is None:
            self._hash_next(data)
        else:
            self._beside.put(lambda: self._hash_next(data), len(data))

    def _hash_next(self, data: bytes) -> None:
        self._hash.update(data)
        if self._content is not None:
            self._content.update(data)

    def finish(self) -> None:
        """Check the whole; Mismatch if it is not the promised file."""
        if self.size != self.entry.size:
            raise Mismatch(f"{self.entry.size} bytes", f"{self.size} bytes")
        if self._beside is not None:
            self._beside.drain()
        actual = self._hash.hexdigest()
        if actual != self.entry.etag:
            raise Mismatch(self.entry.etag, actual)
        if self._content is not None and self._content.hexdigest() != self.entry.content:
            raise Mismatch(str(self.entry.content), self._content.hexdigest())


def verify_file(path: Path, entry: Entry, note: Callable[[int], None] | None = None) -> None:
    """Read a whole file and check it; Mismatch or OSError. `note` is called with the size of every chunk."""
    verifier = Verifier(entry)
    with open(path, "rb", buffering=0) as file:
        while data := file.read(CHUNK):
            verifier.update(data)
            if note is not None:
                note(len(data))
    verifier.finish()
