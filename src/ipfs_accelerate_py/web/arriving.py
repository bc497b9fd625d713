"""What is arriving in the store of this machine at the moment, for people to see."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from ..session import Recent
from ..store import layout, partial
from ..store.store import Store, read_tree

_AT_MOST = 200  # files
_LISTINGS = 3  # of a repo, the newest, in which a file is looked for


@dataclass(frozen=True)
class Arriving:
    """A file that comes in. `path`, `size`: as a listing in the store has it, "" and None where none does;
    `age`: seconds since its last byte; `peer`: of the machine at which it arrives, "" for this one.
    """

    repo: str
    etag: str
    path: str
    arrived: int
    size: int | None
    age: float
    peer: str = ""


class Arrivals:
    """Finds them. Not for several threads at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # (folder, the etag's beginning) -> path and size; or when the listings were changed, among which it is not
        self._known: Recent[tuple[str, str], tuple[str, int] | int] = Recent()

    def list_now(self) -> list[Arriving]:
        """The files that other processes of this machine are writing to the store, by repo and path."""
        found = []
        with contextlib.suppress(OSError), os.scandir(self._store.root) as entries:
            for entry in entries:
                repo_id = layout.repo_of(entry.name)
                if repo_id is None or not _may_have_parts(Path(entry.path, "blobs")):
                    continue
                for etag, arrived, age in partial.list_growing(Path(entry.path, "blobs")):
                    path, size = self.describe(entry.name, etag)
                    found.append(Arriving(repo_id, etag, path, arrived, size, round(age, 1)))
        return sorted(found, key=lambda each: (each.repo, each.path, each.etag))[:_AT_MOST]

    def describe(self, folder: str, etag: str) -> tuple[str, int | None]:
        """The path and the size of the file whose etag begins so, as far as a listing here tells."""
        trees = self._store.root / folder / "trees"
        try:
            changed = trees.stat().st_mtime_ns
        except OSError:
            return "", None
        known = self._known.get((folder, etag))
        if known is None or (isinstance(known, int) and known != changed):
            known = self._known[folder, etag] = self._find(folder, trees, etag) or changed
        return known if isinstance(known, tuple) else ("", None)

    def _find(self, folder: str, trees: Path, etag: str) -> tuple[str, int] | None:
        repo_id = layout.repo_of(folder)
        listings = []
        with contextlib.suppress(OSError):
            listings = sorted(trees.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in listings[:_LISTINGS]:
            tree = read_tree(self._store.root, repo_id, path.stem) if repo_id and layout.is_commit(path.stem) else None
            for name, entry in tree.files.items() if tree is not None else ():
                if entry.etag.startswith(etag):
                    return name, entry.size
        return None


def _may_have_parts(blobs: Path) -> bool:
    """Return whether a name came or went here within a day: what does not end by then is no download any more."""
    try:
        return abs(time.time() - blobs.stat().st_mtime) < partial.OLD
    except OSError:
        return False
