"""What a call of the client asks for, where it is one that we may serve. Every other call is the original's.

A wrong type, a keyword that we do not know, another Hub, a dry run: what plain does then is for plain to say.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...errors import UnsafeName
from ...hub.client import asks_files_by_branch, cache_folder, endpoint
from ...patching import arguments
from ...patching.arguments import LoadRequest
from ...repo import KINDS, Repo, is_repo_id
from ...storage_wrapper import StorageWrapper
from ...store import layout

_TEXT, _FLAG, _PATTERNS = (str,), (bool,), (str, list, tuple)
_TYPES: dict[str, tuple[type, ...]] = {
    "filename": _TEXT,
    "subfolder": _TEXT,
    "revision": _TEXT,
    "library_name": _TEXT,
    "library_version": _TEXT,
    "cache_dir": (str, os.PathLike),
    "local_dir": (str, os.PathLike),
    "user_agent": (str, dict),
    "force_download": _FLAG,
    "etag_timeout": (int, float),
    "token": (bool, str),
    "local_files_only": _FLAG,
    "allow_patterns": _PATTERNS,
    "ignore_patterns": _PATTERNS,
    "max_workers": (int,),
    "tqdm_class": (type,),
    "timeout": (int, float),
    "files_metadata": _FLAG,
    "path_in_repo": _TEXT,
    "recursive": _FLAG,
    "paths": (str, list),
    # 0.x, warned of there
    "resume_download": _FLAG,
    "local_dir_use_symlinks": (bool, str),
}
_KNOWN = {"repo_id", "repo_type", "endpoint", *_TYPES}
_FIRST = ("repo_id", "filename")  # the parameters that all the functions begin with
# Parameters of 0.x, which later lines drop in a decorator of theirs
_DROPPED = ("proxies", "resume_download", "local_dir_use_symlinks", "force_filename")
_FOR_THE_ORIGINAL = ("dry_run", "headers", "proxies", "force_filename", "expand", "securityStatus")


@dataclass(frozen=True)
class Call:
    """A call that we may serve: of which original, with what arguments by name, and with which store."""

    wrapped: Callable[..., Any]
    named: dict[str, Any]
    asked: LoadRequest
    storage: StorageWrapper

    @property
    def repo(self) -> Repo:
        """The repo that is asked for."""
        return Repo.parse(self.asked.repo_id)

    @property
    def here(self) -> Call:
        """The same as a call that asks this machine alone."""
        return replace(self, asked=replace(self.asked, local_only=True))

    @property
    def cache(self) -> Path:
        """The cache folder that is meant; without a `cache_dir` the client's own, which a program may change."""
        return Path(self.asked.cache_dir or cache_folder()).expanduser()

    @property
    def local_dir(self) -> Path | None:
        """The folder in which copies are wanted."""
        folder = self.named.get("local_dir")
        return None if folder is None else Path(os.fspath(folder)).expanduser().resolve()


@functools.lru_cache(maxsize=64)
def _signature(function: Any) -> inspect.Signature:
    return inspect.signature(function)


@dataclass(frozen=True)
class _Shape:
    """The parameters of a function, as a call of it needs them: `bind` of a signature takes ten times as long."""

    positional: tuple[str, ...]
    names: frozenset[str]
    required: frozenset[str]


@functools.lru_cache(maxsize=64)
def _shape(function: Any) -> _Shape | None:
    """None for a function that takes more than it names."""
    parameters = _signature(function).parameters.values()
    if any(each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD, each.POSITIONAL_ONLY) for each in parameters):
        return None
    return _Shape(
        tuple(each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD),
        frozenset(each.name for each in parameters),
        frozenset(each.name for each in parameters if each.default is each.empty),
    )


def name_arguments(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any] | None:
    """The arguments by the names of the parameters; None where they do not fit, which is for Python to say."""
    function = getattr(wrapped, "__func__", None)
    dropped = {name: kwargs[name] for name in _DROPPED if name in kwargs}
    if dropped and not dropped.keys() & _signature(function or wrapped).parameters.keys():
        named = name_arguments(wrapped, args, {name: kwargs[name] for name in kwargs if name not in dropped})
        return None if named is None else {**named, **dropped}
    shape, given = _shape(function or wrapped), args if function is None else (wrapped.__self__, *args)
    if shape is None:
        named = _bind(function or wrapped, given, kwargs)
    else:
        by_position = dict(zip(shape.positional, given, strict=False))
        named = {**by_position, **kwargs}
        too_many = len(given) > len(shape.positional) or len(named) < len(by_position) + len(kwargs)
        if too_many or not shape.required <= named.keys() <= shape.names:
            return None
    if named is not None and function is not None:
        named.pop(next(iter(named)))  # self
    return named


def _bind(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any] | None:
    if "args" in _signature(function).parameters:  # of another's making, which stands before the client's own
        return {**dict(zip(_FIRST, args, strict=False)), **kwargs} if len(args) <= len(_FIRST) else None
    try:
        return dict(_signature(function).bind(*args, **kwargs).arguments)
    except TypeError:
        return None


def read_call(named: dict[str, Any], kind: str | None = None) -> LoadRequest | None:
    """What a call asks for, or None if it is not ours to serve. `kind`: of the repo, where no argument says it."""
    kind = kind or named.get("repo_type") or "model"
    if kind not in KINDS or not is_repo_id(named.get("repo_id")):
        return None
    for name, value in named.items():
        if (value is None and name not in _FIRST) or (name in _FOR_THE_ORIGINAL and not value):
            continue
        if value == "" and name not in ("subfolder", "path_in_repo"):
            return None
        if name not in _KNOWN or (name in _TYPES and not isinstance(value, _TYPES[name])):
            return None
    if named.get("endpoint") not in (None, endpoint()):
        return None
    repo = Repo(kind, named["repo_id"])
    revision, cache_dir = named.get("revision"), named.get("cache_dir")
    if revision is not None and not _is_plain_name(str(revision)):
        return None
    commit = _resolved_commit(revision, repo)
    if commit is None and hasattr(revision, "_repo_id"):  # the client's own, resolved for another repo
        return None
    return LoadRequest(
        repo.key,
        arguments.plain_revision(revision),
        None if cache_dir is None else _without_detours(os.fspath(cache_dir)),
        named.get("token"),
        bool(named.get("local_files_only")),
        commit=commit,
        fresh=bool(named.get("force_download")),
    )


def _without_detours(folder: str) -> str:
    """The folder as lines of the client from 1.0 on take it: what `a/..` passes through need not be there."""
    path = Path(folder)
    return folder if ".." not in path.parts or asks_files_by_branch() else str(path.expanduser().resolve())


def _is_plain_name(revision: str) -> bool:
    """Return whether the store would take this for the name of a revision."""
    try:
        return revision.isprintable() and bool(layout.check_path(revision, "revision"))
    except UnsafeName:
        return False


def _resolved_commit(revision: object, repo: Repo) -> str | None:
    """The commit in a revision that was resolved, if it was so for this repo."""
    if getattr(revision, "_repo_type", None) not in (None, repo.kind):
        return None
    return arguments.pinned_commit(revision, repo.id)


def path_in_repo(named: dict[str, Any]) -> str | None:
    """The name of a file as the repo has it: `./x` is `x`; None for what only the original should read."""
    name, subfolder = named["filename"], named.get("subfolder")
    parts = (f"{subfolder}/{name}" if subfolder else name).split("/")
    if any(part in ("", "..") or "\\" in part or len(part) > 200 or not part.isprintable() for part in parts):
        return None
    return "/".join(part for part in parts if part != ".") or None
