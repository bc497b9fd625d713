"""What other Hugging Face caches on this machine know of names: read only, and never more than a part."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..errors import UnsafeName
from ..store import layout
from ..store.fs import past
from ..store.store import Store, read_ref, read_tree
from ..store.tree import Entry, Tree


class OtherCaches:
    """What the caches say, asked in their order."""

    def __init__(self, caches: tuple[Path, ...]) -> None:
        self.caches = caches

    def known_commit(self, repo_id: str, revision: str) -> tuple[str, float] | None:
        """The commit that a cache last learnt for a revision, and when (seconds since the epoch)."""
        best: tuple[str, float] | None = None
        for cache in self.caches:
            commit = read_ref(cache, repo_id, revision)
            if commit and not Store(cache).is_unconfirmed(repo_id, f"refs/{revision}"):
                try:
                    learnt = past((cache / layout.ref_path(repo_id, revision)).stat().st_mtime)
                except OSError:
                    continue
                if best is None or learnt > best[1]:
                    best = (commit, learnt)
        return best

    def shown(self, repo_id: str, commit: str) -> set[str]:
        """The names of the files that the caches show in a commit."""
        found = set()
        for snapshot in (cache / layout.snapshot_path(repo_id, commit) for cache in self.caches):
            found |= {path.relative_to(snapshot).as_posix() for path in snapshot.rglob("*") if path.is_file()}
        return found

    def hold_all(self, repo_id: str, etags: Iterable[str]) -> bool:
        """Return whether each of these blobs is in one of the caches."""
        blobs = [layout.blob_path(repo_id, etag) for etag in etags]
        return all(any((cache / blob).exists() for cache in self.caches) for blob in blobs)

    def known_tree(self, repo_id: str, commit: str) -> Tree | None:
        """What a cache knows of a commit: its listing, else what the names of the blobs of a snapshot say.

        The latter is the Hub's word too, given when the file was downloaded, unless it came through a mirror with
        checksums of its own; and it is not a complete listing.
        """
        files: dict[str, Entry] = {}
        for cache in self.caches:
            if Store(cache).is_unconfirmed(repo_id, commit):  # it is a store of ours, and had this from a publisher
                continue
            if tree := read_tree(cache, repo_id, commit):
                return tree
            files = {**_entries(cache / layout.snapshot_path(repo_id, commit)), **files}
        return Tree(commit, files, complete=False) if files else None


def _entries(snapshot: Path) -> Mapping[str, Entry]:
    entries: dict[str, Entry] = {}
    for folder, _, names in os.walk(snapshot):
        for name in names:
            visible = Path(folder, name)
            try:
                path = layout.check_path(visible.relative_to(snapshot).as_posix())
                etag = os.path.basename(os.readlink(visible))
                size = visible.stat().st_size
            except (OSError, UnsafeName):  # a copy instead of a link tells no hash: not ours to vouch for
                continue
            if layout.is_sha256(etag):
                entries[path] = Entry(size, None, etag, hint=True)
            elif layout.is_commit(etag):
                entries[path] = Entry(size, etag, hint=True)
    return entries
