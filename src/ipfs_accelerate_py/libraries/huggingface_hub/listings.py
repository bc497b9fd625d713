"""Which files a repo has: `list_repo_tree`, `list_repo_files`, `get_paths_info`, `file_exists`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any, TypeVar
from urllib.parse import quote

from ...hub.client import endpoint
from ...store.resolution import Resolution
from ...store.tree import Entry
from . import freshness
from .absence import raise_for
from .objects import make_row
from .requests import Call, path_in_repo

T = TypeVar("T")


@freshness.door
def list_repo_tree(call: Call) -> Iterator[Any]:
    """Serves `HfApi.list_repo_tree`, which asks when it is iterated over."""
    return _ask_lazily(call, lambda known: _list(call, known), lambda row: [row])


@freshness.door
def list_repo_files(call: Call) -> list[str]:
    """Serves `HfApi.list_repo_files`: names alone, which the listing of a commit has of every file."""
    known = freshness.known_here(call)
    if known is not None and _is_settled(call, known):
        return sorted(known.tree.files)
    return call.wrapped(**call.named)  # type: ignore[no-any-return]


@freshness.door
def iter_repo_tree_pages(call: Call) -> Iterator[tuple[list[Any], bool]]:
    """Serves `HfApi._iter_repo_tree_pages`, by which the file system of 2.4 lists."""
    return _ask_lazily(call, lambda known: [(_list(call, known), True)], lambda page: page[0])


def _ask_lazily(
    call: Call, from_tree: Callable[[Resolution], list[T]], rows_of: Callable[[T], list[Any]]
) -> Iterator[T]:
    known = freshness.known_here(call)
    if known is not None and _is_settled(call, known) and _are_told(_rows_below(call, known)):
        yield from from_tree(known)
        return
    for part in freshness.ask(
        call, known, lambda: _begin(call.wrapped(**call.named)), lambda known: iter(from_tree(known))
    ):
        known = _compare(call, known, rows_of(part))
        yield part


def _begin(rows: Iterable[Any]) -> Iterator[Any]:
    """The rows, once the first has come: so long the Hub may be silent, and a long listing takes its time."""
    rows = iter(rows)
    return chain(list(islice(rows, 1)), rows)


@freshness.door
def get_paths_info(call: Call) -> list[Any]:
    """Serves `HfApi.get_paths_info`: of those paths that the repo has."""
    paths, known = call.named["paths"], freshness.known_here(call)
    named = [paths] if isinstance(paths, str) else paths

    def from_tree(known: Resolution) -> list[Any]:
        return [row for path in named for row in _describe_path(known, path)]

    if known is not None and _is_settled(call, known) and _are_told(kept := from_tree(known)):
        return kept
    rows: list[Any] = freshness.ask(call, known, lambda: call.wrapped(**call.named), from_tree)
    _compare(call, known, rows)
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


@freshness.door
def file_exists(call: Call) -> bool:
    """Serves `HfApi.file_exists`."""
    path = path_in_repo(call.named)
    if path is None:
        return call.wrapped(**call.named)  # type: ignore[no-any-return]

    def from_tree(known: Resolution) -> bool:
        return path in known.tree

    known = freshness.known_here(call)
    if known is not None and _is_settled(call, known):
        return from_tree(known)
    answer = freshness.ask(call, known, lambda: call.wrapped(**call.named), from_tree)
    if answer and known is not None and path not in known.tree:  # it was added just now
        call.storage.forget_resolution(call.asked.repo_id)
    return bool(answer)


def _is_settled(call: Call, known: Resolution) -> bool:
    """Return whether it is asked about a commit, which does not change, of a repo that anybody may read.

    With a token of its own the call is refused where the Hub does not know that, which it alone can say.
    """
    return bool(known.public) and known.commit == call.asked.revision and not isinstance(call.asked.token, str)


def _are_told(rows: Iterable[Any]) -> bool:
    """Return whether the Hub says no more of these: it does of a folder (git's id) and of LFS (how Xet names it).

    Of nothing at all it has words of its own.
    """
    rows = list(rows)
    return bool(rows) and all(getattr(row, "blob_id", None) and row.lfs is None for row in rows)


# -- out of the listing -----------------------------------------------------------------------------------------------


def _list(call: Call, known: Resolution) -> list[Any]:
    """The files and folders below a folder; the client's error of a missing entry where there is no such folder."""
    rows, folder = _rows_below(call, known), call.named.get("path_in_repo") or ""
    if folder and not rows:
        revision = quote(call.named.get("revision") or "main", safe="")
        where = f"{endpoint()}/{call.repo.api_path}/tree/{revision}/{quote(folder, safe='')}"
        raise_for("GET", where, known.commit)
    return rows


def _rows_below(call: Call, known: Resolution) -> list[Any]:
    folder = (call.named.get("path_in_repo") or "").rstrip("/")
    prefix = f"{folder}/" if folder else ""
    below = {path: entry for path, entry in known.tree.files.items() if path.startswith(prefix)}
    deep = bool(call.named.get("recursive"))
    names: dict[str, Entry | None] = {}
    for path, entry in below.items():
        parts = path[len(prefix) :].split("/")
        for depth in range(1, len(parts) if deep else min(len(parts), 2)):
            names.setdefault(prefix + "/".join(parts[:depth]), None)
        if deep or len(parts) == 1:
            names[path] = entry
    return [make_row(path, names[path]) for path in sorted(names)]


def _describe_path(known: Resolution, path: str) -> list[Any]:
    path = path.rstrip("/")
    if (entry := known.tree.files.get(path)) is not None:
        return [make_row(path, entry)]
    is_folder = any(each.startswith(f"{path}/") for each in known.tree.files)
    return [make_row(path, None)] if is_folder else []
