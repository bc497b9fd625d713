"""What the bytes of a commit must be: every file's size, git blob id and LFS sha256, as the Hub lists them.

The file format is that of `huggingface_hub` 2.x (`trees/<commit>.json`, `format_version` 1), so that its client
reads ours and we read its. One key is added, which it ignores: `info`, the facts about the repo that transformers
asks for besides files (`tags`, `pipeline_tag`, `library_name`), and whether the commit has more files (`left_out`).
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import UnsafeName
from ..log import get_logger
from .entry import Entry as Entry
from .entry import make_entry as make_entry
from .layout import check_path, is_commit, is_sha256
from .rows import Columns, Rows, check_rows

FORMAT_VERSION = 1
MAX_BYTES = 64 << 20  # a listing larger than this is refused before it is parsed
_quote = json.encoder.encode_basestring_ascii
INFO_KEYS = ("tags", "pipeline_tag", "library_name")
LEFT_OUT = "left_out"  # in `info`: the Hub lists files whose names the store does not take
# No longer list of the Hub's is taken for the whole by huggingface_hub (VERY_LARGE_REPO_THRESHOLD).
LISTED_WHOLE = 50_000


@dataclass(frozen=True)
class Tree:
    """The files of one commit. `complete` is False where some may not be known: those of a cache, or of a mirror that
    lists no sizes and hashes, a very large repo, and one with names that the store does not take. Only a complete tree
    tells which files the commit lacks.
    """

    commit: str
    files: Mapping[str, Entry]
    info: Mapping[str, Any] = field(default_factory=dict)
    complete: bool = True

    def __post_init__(self) -> None:
        if self._is_all_that_can_be_kept:
            object.__setattr__(self, "complete", False)

    @property
    def _is_all_that_can_be_kept(self) -> bool:
        """Return whether it is the Hub's whole listing, and yet the commit has more files."""
        return len(self.files) > LISTED_WHOLE or LEFT_OUT in self.info

    @property
    def is_listing(self) -> bool:
        """Return whether it may be kept as the listing of the commit: not if it lacks the facts of some files."""
        return bool(self.files) and (self.complete or self._is_all_that_can_be_kept)

    def __contains__(self, path: str) -> bool:
        return path in self.files

    def to_json(self) -> bytes:
        """The bytes of `trees/<commit>.json`, a file a line."""
        files = self.format_rows("{", ", ", "}")
        info = json.dumps(dict(self.info))
        return f'{{"format_version": {FORMAT_VERSION}, "files": {{\n{files}\n}}, "info": {info}}}'.encode()

    def format_rows(self, begin: str, between: str, end: str, indent: str = "") -> str:
        """The rows of the files as JSON, with `begin`, `between` and `end` around their fields."""
        rows: Iterable[tuple[str, tuple[int, str | None, str | None]]] = (
            self.files.rows.items()
            if isinstance(self.files, Rows)
            else ((path, (entry.size, entry.blob_id, entry.sha256)) for path, entry in self.files.items())
        )
        lines = []
        for path, (size, blob_id, sha256) in sorted(rows):  # by hand: a repo may have tens of thousands
            quoted = "null" if blob_id is None else f'"{blob_id}"'
            lfs = f'{between}"lfs_sha256": "{sha256}"{between}"lfs_size": {size}' if sha256 else ""
            lines.append(f'{indent}{_quote(path)}: {begin}"size": {size}{between}"blob_id": {quoted}{lfs}{end}')
        return ",\n".join(lines)


class EmptyListing(ValueError):
    """A listing without a file: 0.1.0 kept such of mirrors that list neither sizes nor hashes."""


def tree_from_hub(commit: str, siblings: Iterable[Any], info: Mapping[str, Any]) -> Tree:
    """The Hub's answer as a Tree. Hostile or unusable names are left out with a warning; the rest loads, and the tree
    is not complete.

    `siblings` are as `hub.listing` or huggingface_hub gives them, with sizes and hashes. A mirror that ignores that
    part of the request gives names alone: those files are left out, and the tree is not complete.
    """
    if not is_commit(commit):
        raise ValueError(f"the Hub named {commit!r} as a commit")
    kept_info = {key: info[key] for key in INFO_KEYS if info.get(key) is not None}
    if isinstance(siblings, Columns) and (rows := siblings.check()) is not None:
        return Tree(commit, rows, kept_info)
    files: dict[str, Entry] = {}
    complete = True
    siblings = list(siblings)
    for sibling in siblings:
        lfs = sibling.lfs
        if sibling.size is None or sibling.blob_id is None:
            complete = False
            continue
        sha256 = None if lfs is None else getattr(lfs, "sha256", None) or lfs["sha256"]
        try:
            files[check_path(sibling.rfilename)] = make_entry(sibling.size, sibling.blob_id, sha256)
        except (UnsafeName, ValueError) as error:
            get_logger().warning("commit %s: one file of the Hub's listing is left out: %s", commit[:12], error)
    kept = _without_collisions(files)
    if len(kept) < len(files):
        left_out = ", ".join(repr(path) for path in files.keys() - kept.keys())
        get_logger().warning("commit %s: left out, since other names mean the same files: %s", commit[:12], left_out)
    if complete and len(kept) < len(siblings):
        kept_info[LEFT_OUT] = True
    # No commit is without a file: an empty listing is not complete
    return Tree(commit, kept, kept_info, complete and bool(kept))


def _without_collisions(files: dict[str, Entry]) -> dict[str, Entry]:
    """Drop files whose name is also a folder's, and those whose name some file systems take for an earlier file's.

    Those fold case (Windows, macOS) and write accents in one way of two (macOS).
    """
    folders: set[str] = set()
    for path in files:
        folder = path.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    folders = {_folded(folder) for folder in folders}
    taken: set[str] = set()
    kept = {}
    for path, entry in files.items():
        name = _folded(path)
        if name not in folders and name not in taken:
            taken.add(name)
            kept[path] = entry
    return kept


def _folded(path: str) -> str:
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def tree_from_json(commit: str, raw: bytes) -> Tree:
    """Parse `trees/<commit>.json`; ValueError (EmptyListing among them) or UnsafeName on anything unexpected."""
    if len(raw) > MAX_BYTES:
        raise ValueError(f"a listing of {len(raw)} bytes is too large")
    if not is_commit(commit):
        raise ValueError(f"{commit!r} is no commit")
    try:
        data = json.loads(raw)
    except RecursionError:
        raise ValueError("the listing is nested too deeply") from None
    if not isinstance(data, dict) or data.get("format_version") != FORMAT_VERSION:
        raise ValueError("not a listing of format_version 1")
    tree = tree_from_table(commit, data)
    if not tree.files:
        raise EmptyListing("the listing has no file")
    return tree


def tree_from_table(commit: str, data: Mapping[str, Any]) -> Tree:
    """The tree in a parsed listing's `files` and `info`; errors as of `tree_from_json`."""
    listed = data.get("files")
    if not isinstance(listed, dict):
        raise ValueError("the listing has no table of files")
    info = data.get("info")
    kept_info = checked_info(info if isinstance(info, dict) else {})
    if (rows := _check_table(listed)) is not None:
        return Tree(commit, rows, kept_info)
    files = {}
    for path, row in listed.items():
        if not isinstance(row, dict):
            raise ValueError(f"the row of {path!r} is no table")
        sha256 = row.get("lfs_sha256")
        size = row.get("lfs_size") if sha256 is not None and "lfs_size" in row else row.get("size")
        entry = make_entry(size, row.get("blob_id"), sha256)
        content = row.get("sha256")
        if content is not None and not is_sha256(content):
            raise ValueError(f"{content!r} is no sha256")
        if sha256 is not None and content not in (None, sha256):
            raise ValueError(f"the row of {path!r} has two different sha256")
        files[check_path(path)] = entry if sha256 or not content else replace(entry, content=content)
    if len(_without_collisions(files)) != len(files):
        raise ValueError("two names mean one file, or one is both a file and a folder")
    return Tree(commit, files, kept_info)


def _check_table(listed: dict[str, Any]) -> Rows | None:
    """The rows of a parsed listing, if they are ordinary ones: with no other sha256, as lock files have them."""
    rows = listed.values()
    if set(map(type, rows)) != {dict} or any("sha256" in row for row in rows):
        return None
    sha256s = [row.get("lfs_sha256") for row in rows]
    sizes = [row.get("size") if row.get("lfs_sha256") is None else row.get("lfs_size", row.get("size")) for row in rows]
    return check_rows(list(listed), sizes, [row.get("blob_id") for row in rows], sha256s)


def checked_info(info: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the words about a repo that are of the right form."""
    kept: dict[str, Any] = {k: info[k] for k in INFO_KEYS[1:] if isinstance(info.get(k), str)}
    tags = info.get("tags")
    if isinstance(tags, list):
        kept["tags"] = [tag for tag in tags if isinstance(tag, str)]
    if info.get(LEFT_OUT) is True:
        kept[LEFT_OUT] = True
    return kept
