"""What the bytes of one file must be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .layout import is_commit, is_sha256

MAX_SIZE = 1 << 50  # bytes


@dataclass(frozen=True)
class Entry:
    """A file: `size` in bytes, `blob_id` the git blob id, `sha256` of the content if the Hub keeps it in LFS.

    `content`: the sha256 of a file that is not in LFS, where a lock file gives it. `hint`: the hash is the name that
    a cache gives to the bytes, which is the Hub's ETag unless a mirror has sent a checksum of its own.
    """

    size: int
    blob_id: str | None
    sha256: str | None = None
    content: str | None = field(default=None, compare=False)
    hint: bool = field(default=False, compare=False)

    @property
    def etag(self) -> str:
        """The name of the blob: what the bytes hash to."""
        return self.sha256 or self.blob_id or ""


def make_entry(size: Any, blob_id: Any, sha256: Any = None) -> Entry:
    """An Entry from values of outside; ValueError if they are not of that form."""
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size < MAX_SIZE:
        raise ValueError(f"{size!r} is no size in bytes")
    if not is_commit(blob_id):
        raise ValueError(f"{blob_id!r} is no git blob id")
    if sha256 is not None and not is_sha256(sha256):
        raise ValueError(f"{sha256!r} is no sha256")
    return Entry(size, blob_id, sha256)
