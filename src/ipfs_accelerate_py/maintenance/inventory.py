"""What is where: the commits in the store and in the other caches of this machine, what is published, what was used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..config.settings import Settings
from ..hf_cache import links
from ..publish import publisher
from ..store import scan
from ..store.scan import Snapshot
from ..store.store import Store, read_tree

STORE = "store"


@dataclass(frozen=True)
class StoredCommit:
    """A commit of which a file is here, in the store or in a local cache.

    `size` is the sum of the files in bytes and `disk` what only the store holds of them: what several commits share
    counts for the last used, what another cache has a hard link to counts for none; so their sum is the store's.
    `complete`: whether all files of the commit are there (None: it is not known which those are). `tier` is
    `store`, or the folder of the cache. `last_used` is as coarse as `Snapshot.last_used`.
    """

    repo: str
    commit: str
    refs: tuple[str, ...]
    size: int
    files: int
    complete: bool | None
    tier: str
    last_used: datetime
    published: bool
    disk: int

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "refs": list(self.refs), "last_used": self.last_used.isoformat(timespec="seconds")}


def list_commits(store: Store, settings: Settings) -> list[StoredCommit]:
    """Every commit of which a file is there: our store first, then the caches below it.

    Reads only; neither the Hub nor a node is asked.
    """
    repos = scan.scan(store.root)
    own = own_bytes(repos, links.count_names(store, repos))
    found = [
        _describe(store.root, snapshot, STORE, bool(publisher.published_paths(store, *snapshot.key)), own[snapshot.key])
        for repo in repos
        for snapshot in repo.snapshots
        if snapshot.present
    ]
    for cache in settings.lower:
        if is_same(cache, store.root):
            continue
        found += [
            _describe(cache, snapshot, str(cache), published=False, disk=0)
            for repo in scan.scan(cache)
            for snapshot in repo.snapshots
            if snapshot.present
        ]
    return found


def own_bytes(repos: list[scan.CachedRepo], elsewhere: Mapping[scan.Inode, int]) -> dict[tuple[str, str], int]:
    """Bytes that only these repos hold, by commit; what several share counts for the last used.

    `elsewhere`: names that count as theirs, as for `sole_inodes`.
    """
    sole = scan.sole_inodes(repos, elsewhere)
    own: dict[tuple[str, str], int] = {}
    for snapshot in sorted((each for repo in repos for each in repo.snapshots), key=use_order, reverse=True):
        mine = {key: status.st_size for key, status in snapshot.inodes.items() if key in sole}
        own[snapshot.key] = sum(mine.values())
        sole -= mine.keys()
    return own


def use_order(snapshot: Snapshot) -> tuple[float, str, str]:
    """Sorts by last use, and always the same way."""
    return snapshot.last_used, *snapshot.key


def _describe(root: Path, snapshot: Snapshot, tier: str, published: bool, disk: int) -> StoredCommit:
    return StoredCommit(
        repo=snapshot.repo_id,
        commit=snapshot.commit,
        refs=tuple(snapshot.refs),
        size=snapshot.size,
        files=len(snapshot.present),
        complete=_is_complete(root, snapshot),
        tier=tier,
        last_used=datetime.fromtimestamp(snapshot.last_used, timezone.utc),
        published=published,
        disk=disk,
    )


def _is_complete(root: Path, snapshot: Snapshot) -> bool | None:
    tree = read_tree(root, *snapshot.key)
    if tree is None:
        return None
    sizes = {file.path: file.status.st_size for file in snapshot.files if file.status is not None}
    return all(sizes.get(path) == entry.size for path, entry in tree.files.items())


def is_same(one: Path, other: Path) -> bool:
    """Return whether both names mean one folder."""
    try:
        return one.samefile(other)
    except OSError:
        return one == other
