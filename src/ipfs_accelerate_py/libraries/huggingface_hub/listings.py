"""Which files a repo has: `list_repo_tree` (and so `list_repo_files`), `get_paths_info`, `file_exists`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any
from urllib.parse import quote

from ...hub.client import endpoint
from ...store.resolution import Resolution
from ...store.tree import Entry
from . import freshness
from .absence import raise_for
from .requests import Call, path_in_repo

Page = tuple[list[Any], bool]


def list_repo_tree(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterable[Any]:
    """Serves `HfApi.list_repo_tree`, which asks when it is iterated over."""
    call = freshness.read(wrapped, instance, args, kwargs)
    if call is None:
        return wrapped(*args, **kwargs)  # type: ignore[no-any-return]
    return _entries(call)


def _entries(call: Call) -> Iterator[Any]:
    rows = freshness.ask(call, lambda: _begin(call.wrapped(**call.named)), lambda known: iter(_list(call, known)))
    known = freshness.known_here(call)
    for row in rows:
        known = _compare(call, known, [row])
        yield row


def iter_repo_tree_pages(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterable[Page]:
    """Serves `HfApi._iter_repo_tree_pages`, by which the file system of 2.4 lists."""
    call = freshness.read(wrapped, instance, args, kwargs)
    if call is None:
        return wrapped(*args, **kwargs)  # type: ignore[no-any-return]
    return _pages(call)


def _pages(call: Call) -> Iterator[Page]:
    one = freshness.ask(
        call, lambda: _begin(call.wrapped(**call.named)), lambda known: iter([(_list(call, known), True)])
    )
    known = freshness.known_here(call)
    for page in one:
        known = _compare(call, known, page[0])
        yield page


def _begin(rows: Iterable[Any]) -> Iterator[Any]:
    """The rows, once the first has come: so long the Hub may be silent, and a long listing takes its time."""
    rows = iter(rows)
    return chain(list(islice(rows, 1)), rows)


def get_paths_info(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Serves `HfApi.get_paths_info`: of those paths that the repo has."""
    call = freshness.read(wrapped, instance, args, kwargs)
    if call is None:
        return wrapped(*args, **kwargs)

    def from_tree(known: Resolution) -> list[Any]:
        paths = call.named["paths"]
        return [row for path in ([paths] if isinstance(paths, str) else paths) for row in _describe_path(known, path)]

    rows = freshness.ask(call, lambda: wrapped(**call.named), from_tree)
    _compare(call, freshness.known_here(call), rows)
    return rows


def _compare(call: Call, known: Resolution | None, rows: Iterable[Any]) -> Resolution | None:
    """What is known, or None once the Hub has shown another file of a name: then the commit is asked for anew."""
    if known is None:
        return None
    for row in rows:
        entry, blob_id = known.tree.files.get(row.path), getattr(row, "blob_id", None)
        if blob_id and (entry is None or entry.blob_id not in (None, blob_id)):
            call.storage.forget_resolution(call.asked.repo_id)
            return None
    return known


def file_exists(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Serves `HfApi.file_exists`."""
    call = freshness.read(wrapped, instance, args, kwargs)
    path = None if call is None else path_in_repo(call.named)
    if call is None or path is None:
        return wrapped(*args, **kwargs)

    def from_tree(known: Resolution) -> bool:
        return path in known.tree

    known = freshness.known_here(call)
    if known is not None and known.public and known.commit == call.asked.revision:
        return from_tree(known)  # a commit does not change
    answer = freshness.ask(call, lambda: wrapped(**call.named), from_tree)
    known = freshness.known_here(call)
    if answer and known is not None and path not in known.tree:  # somebody has just added it
        call.storage.forget_resolution(call.asked.repo_id)
    return answer


# -- out of the listing -----------------------------------------------------------------------------------------------


def _list(call: Call, known: Resolution) -> list[Any]:
    """The files and folders below a folder; the client's error of a missing entry where there is no such folder."""
    folder = call.named.get("path_in_repo") or ""
    prefix = f"{folder}/" if folder else ""
    below = {path: entry for path, entry in known.tree.files.items() if path.startswith(prefix)}
    if folder and not below:
        revision = quote(call.named.get("revision") or "main", safe="")
        where = f"{endpoint()}/{call.repo.api_path}/tree/{revision}/{quote(folder, safe='')}"
        raise_for("GET", where, known.commit)
    deep = bool(call.named.get("recursive"))
    names: dict[str, Entry | None] = {}
    for path, entry in below.items():
        parts = path[len(prefix) :].split("/")
        for depth in range(1, len(parts) if deep else min(len(parts), 2)):
            names.setdefault(prefix + "/".join(parts[:depth]), None)
        if deep or len(parts) == 1:
            names[path] = entry
    return [_row(path, names[path]) for path in sorted(names)]


def _describe_path(known: Resolution, path: str) -> list[Any]:
    if (entry := known.tree.files.get(path)) is not None:
        return [_row(path, entry)]
    is_folder = any(each.startswith(f"{path}/") for each in known.tree.files)
    return [_row(path, None)] if is_folder else []


def _row(path: str, entry: Entry | None) -> Any:
    """The client's own object of a file, or of a folder, whose git id is not known here."""
    from huggingface_hub.hf_api import RepoFile, RepoFolder

    if entry is None:
        return RepoFolder(path=path, oid="")
    return RepoFile(path=path, size=entry.size, oid=entry.blob_id or "", lfs=describe_lfs(entry))


def describe_lfs(entry: Entry) -> dict[str, Any] | None:
    """What the Hub says of a file that git holds a pointer of."""
    if not entry.sha256:
        return None
    return {"oid": entry.sha256, "sha256": entry.sha256, "size": entry.size, "pointerSize": 0}
