"""The rows of a listing, checked all at once, and an Entry made when one is asked for.

A repo may have tens of thousands of files, of which a load wants five. What is checked here is what `make_entry`,
`check_path` and the search for collisions check name by name: where this check fails, they decide, and give the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .entry import MAX_SIZE, Entry

Row = tuple[int, str, str | None]  # size, git blob id, sha256
_HEX = b"0123456789abcdef"
_LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789_-./\n"
# Names stand between line breaks. An empty part, and a part that ends with a dot: '.' and '..' among them.
_UNSAFE = ("\n\n", "\n/", "//", "/\n", "./", ".\n")
_RESERVED = re.compile(r"[/\n](?:con|prn|aux|nul|com[0-9]|lpt[0-9])[./\n]")  # see layout


class Rows(Mapping[str, Entry]):
    """The files of a listing: a mapping of paths to their Entry."""

    def __init__(self, rows: dict[str, Row]) -> None:
        self.rows = rows

    def __getitem__(self, path: str) -> Entry:
        return Entry(*self.rows[path])

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, path: object) -> bool:
        return path in self.rows

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Rows):
            return self is other or self.rows == other.rows
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]  # as of any mapping


class Sibling(NamedTuple):
    """One file of the Hub's answer; `lfs` is a table with its `sha256`, or None."""

    rfilename: Any
    size: Any
    blob_id: Any
    lfs: Any


class Columns:
    """The files of the Hub's answer, column by column: the client's own `RepoSibling`s take ten times as long."""

    def __init__(self, listed: Iterable[Any]) -> None:
        rows = list(listed)
        self.paths = [row["rfilename"] for row in rows]
        self.sizes = [row.get("size") for row in rows]
        self.blob_ids = [row.get("blobId") for row in rows]
        self.lfs = [row.get("lfs") or None for row in rows]

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[Sibling]:
        return map(Sibling, self.paths, self.sizes, self.blob_ids, self.lfs)

    def check(self) -> Rows | None:
        """See `check_rows`."""
        try:
            sha256s = [None if lfs is None else lfs["sha256"] for lfs in self.lfs]
        except (KeyError, TypeError):
            return None
        return check_rows(self.paths, self.sizes, self.blob_ids, sha256s)


def check_rows(
    paths: Sequence[Any], sizes: Sequence[Any], blob_ids: Sequence[Any], sha256s: Sequence[Any]
) -> Rows | None:
    """The rows, if every name, size and hash is an ordinary one and no two names mean one file; else None."""
    if not (_are_paths(paths) and _are_sizes(sizes) and _are_hex(blob_ids, 40)):
        return None
    if not _are_hex([sha256 for sha256 in sha256s if sha256 is not None], 64):
        return None
    return Rows(dict(zip(paths, zip(sizes, blob_ids, sha256s, strict=True), strict=True)))


def _are_sizes(sizes: Sequence[Any]) -> bool:
    return set(map(type, sizes)) == {int} and min(sizes) >= 0 and max(sizes) < MAX_SIZE


def _are_hex(digests: Sequence[Any], length: int) -> bool:
    if not digests:
        return True
    if set(map(type, digests)) != {str} or set(map(len, digests)) != {length}:
        return False
    text = "".join(digests)
    return text.isascii() and not text.encode().translate(None, _HEX)


def _are_paths(paths: Sequence[Any]) -> bool:
    """Return whether all paths are safe by the strictest rule, and no two collide, by case or as file and folder."""
    if set(map(type, paths)) != {str} or max(map(len, paths)) > 255:  # the most that a part may have
        return False
    lines = "\n".join(paths).lower()
    text = f"\n{lines}\n"
    if not text.isascii() or text.encode().translate(None, _LETTERS) or text.count("\n") != len(paths) + 1:
        return False
    if any(name in text for name in _UNSAFE) or _RESERVED.search(text):
        return False
    names = set(lines.split("\n"))
    folders = {name.rpartition("/")[0] for name in names}
    while folders := folders - {""}:
        if not names.isdisjoint(folders):
            return False
        folders = {folder.rpartition("/")[0] for folder in folders}
    return len(names) == len(paths)
