"""A large listing as its bytes hold it, a file a line in the order of their names: a load looks up a few of them.

To parse and check 60,000 files takes half a second. A listing that this store has written of rows that were checked
(see `rows`) it knows again by its hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cached_property

from .entry import Entry
from .rows import Row, Rows
from .tree import Tree, checked_info, tree_from_json

_LARGE = 100_000  # bytes above which this is worth it
_INFO = b'\n}, "info": '
_decode = json.JSONDecoder().raw_decode


class LazyRows(Rows):
    """The rows of a listing in the form of `Tree.to_json`, parsed when all of them are wanted."""

    def __init__(self, commit: str, raw: bytes) -> None:
        self._commit, self._raw = commit, raw
        self._begin, self._end = raw.index(b"\n") + 1, raw.rindex(_INFO)
        self._count = raw.count(b"\n", self._begin, self._end) + 1

    @cached_property
    def rows(self) -> dict[str, Row]:  # type: ignore[override]
        files = tree_from_json(self._commit, self._raw).files
        return {path: (entry.size, str(entry.blob_id), entry.sha256) for path, entry in files.items()}

    def __getitem__(self, path: str) -> Entry:
        if "rows" in self.__dict__:
            return super().__getitem__(path)
        row = self._find(path)
        if row is None:
            raise KeyError(path)
        return Entry(*row)

    def __contains__(self, path: object) -> bool:
        if "rows" in self.__dict__:
            return super().__contains__(path)
        return isinstance(path, str) and self._find(path) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return self._count

    def _find(self, path: str) -> Row | None:
        low, high = self._begin, self._end
        while low < high:
            start = max(self._raw.rfind(b"\n", low, (low + high) // 2) + 1, low)
            stop = self._raw.find(b"\n", start, high)
            stop = high if stop < 0 else stop
            line = self._raw[start:stop].decode("ascii")
            name, at = _decode(line)
            if name == path:
                row = _decode(line, at + len(": "))[0]
                return row["size"], row["blob_id"], row.get("lfs_sha256")
            low, high = (stop + 1, high) if name < path else (low, start)
        return None


def name_of(raw: bytes) -> str | None:
    """The name under which the stat cache knows a large listing; None for one that is parsed at once."""
    return f"{hashlib.sha256(raw).hexdigest()}.listing" if len(raw) > _LARGE else None


def tree_from_lines(commit: str, raw: bytes) -> Tree:
    """The same as `tree_from_json` of what `Tree.to_json` gave, without a look at every file."""
    info = json.loads(raw[raw.rindex(_INFO) + len(_INFO) : -1])
    return Tree(commit, LazyRows(commit, raw), checked_info(info))
