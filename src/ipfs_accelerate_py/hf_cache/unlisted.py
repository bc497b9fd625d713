"""Files that no listing names: in a Hugging Face cache the name of the blob is what its bytes should hash to.

The Hub's client names a blob by the ETag. The Hub's own are sha256 (LFS) and git blob ids; a mirror may send a checksum
of its own (md5, sha1 of the content), a weak tag, or anything: then nothing follows from the name.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from ..store import layout
from ..store.store import Store
from ..store.tree import Entry
from ..store.verify import CHUNK, Mismatch, verify_file

_OTHER = ".other"  # ends the note of a file whose name is another checksum of its bytes


@dataclass(frozen=True)
class Place:
    """Where a file in a Hugging Face cache belongs."""

    repo_id: str
    commit: str
    path: str


def find_place(file: Path) -> Place | None:
    """The repo, commit and path of a file in a snapshot; None for what is no such file."""
    before, found, after = file.as_posix().rpartition("/snapshots/")
    commit, _, path = after.partition("/")
    repo_id = layout.repo_of(before.rpartition("/")[2])
    return Place(repo_id, commit, path) if found and path and repo_id and layout.is_commit(commit) else None


def entry_by_name(file: Path) -> Entry | None:
    """What the blob behind a visible file should be by its name; None where that is no hash of the Hub's. OSError."""
    try:
        etag = os.path.basename(os.readlink(file))
    except OSError:  # a copy, or a hard link: it has no other name
        return None
    size = os.stat(file).st_size
    if layout.is_sha256(etag):
        return Entry(size, None, etag, hint=True)
    return Entry(size, etag, hint=True) if layout.is_commit(etag) else None


def check_by_name(store: Store, file: Path) -> bool | None:
    """Return whether the bytes of a visible file hash to the name of its blob; None if that is no such hash. OSError.

    What was read once is remembered by inode, size and time of change.
    """
    entry = entry_by_name(file)
    if entry is None:
        return None
    status, other = os.stat(file), f"{entry.etag}{_OTHER}"
    if (known := store.stat_cache.is_known(entry.etag, status)) is not None:
        return known
    if not entry.sha256 and store.stat_cache.is_known(other, status):
        return None
    try:
        verify_file(file, entry)
    except Mismatch:
        if not entry.sha256 and _sha1(file) == entry.etag:
            store.stat_cache.remember(other, status)
            return None
        store.stat_cache.refuse(entry.etag, status)
        return False
    store.stat_cache.remember(entry.etag, status)
    return True


def _sha1(file: Path) -> str:
    sha1 = hashlib.sha1(usedforsecurity=False)
    with open(file, "rb", buffering=0) as stream:
        while data := stream.read(CHUNK):
            sha1.update(data)
    return sha1.hexdigest()
