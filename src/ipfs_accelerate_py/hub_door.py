"""The door at which transformers asks for exact file names: what it wants is made present before it looks.

Each function has wrapt's form `(wrapped, instance, args, kwargs)`. Whatever of ours fails falls through to the original
with the caller's own arguments; only bytes that failed their check do not.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from . import rewriting, state
from .errors import IPFSAccelerateError, Unavailable, Unresolved, VerificationError
from .libraries import transformers as library
from .log import get_logger
from .rewriting import Asked
from .storage import layout
from .storage.filling import fill, mark_missing
from .storage.resolver import Resolution, hub_is_resting
from .storage.store import Store
from .storage.verify import Mismatch, verify_file
from .storage_wrapper import StorageWrapper, get_storage_wrapper

# Set while an original runs because we could not help: what it asks on its way is then none of our business.
_standing_aside: ContextVar[bool] = ContextVar("ipfs_accelerate_standing_aside", default=False)


@dataclass(frozen=True)
class Load:
    """A load under way, whose commit is settled: what it asks for on its way is answered without deciding anew.

    `refused` holds the errors of wrong bytes: transformers passes over an OSError for some files that it can do without.
    """

    asked: Asked
    storage: StorageWrapper
    resolution: Resolution
    refused: list[VerificationError] = field(default_factory=list)


_under_way: ContextVar[Load | None] = ContextVar("ipfs_accelerate_under_way", default=None)
_said: set[str] = set()


def plan(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Asked | None:
    """What a call asks for if we are to serve it, else None."""
    if not _is_ours_to_serve():
        return None
    return _of_load(rewriting.read_call(args, kwargs))


def _is_ours_to_serve() -> bool:
    # A load under way has been decided on: what it asks on its way is not decided anew.
    return not _standing_aside.get() and (_under_way.get() is not None or state.is_enabled())


def _of_load(asked: Asked | None) -> Asked | None:
    """What is asked of the repo of the load under way, without a revision, is asked as that load was."""
    load = _under_way.get()
    if asked is None or load is None or asked.revision is not None or asked.repo_id != load.asked.repo_id:
        return asked
    token = load.asked.token if asked.token is None else asked.token
    local_only = asked.local_only or load.asked.local_only
    return replace(asked, commit=load.resolution.commit, token=token, local_only=local_only)


def _storage_for(asked: Asked) -> StorageWrapper:
    load = _under_way.get()
    return load.storage if load is not None and load.asked.repo_id == asked.repo_id else get_storage_wrapper()


@contextmanager
def stand_aside(error: BaseException | None = None) -> Iterator[None]:
    """While an original runs without us; says why, if that is worth a line."""
    if error is not None:
        _explain(error)
    token = _standing_aside.set(True)
    try:
        yield
    finally:
        _standing_aside.reset(token)


@contextmanager
def under_way(load: Load) -> Iterator[None]:
    """While a load runs whose commit is settled."""
    token = _under_way.set(load)
    try:
        yield
    finally:
        _under_way.reset(token)


def _remember_refusal(error: VerificationError) -> None:
    load = _under_way.get()
    if load is not None:
        load.refused.append(error)


def _explain(error: BaseException) -> None:
    known = isinstance(error, IPFSAccelerateError)
    text = str(error) if known else f"{type(error).__name__}: {error}"
    hint = getattr(error, "hint", None)
    line = f"going on as plain transformers would: {text}" + (f" ({hint})" if hint else "")
    # The original's own error will tell the user of an unknown repo or a silent Hub: no second line for that.
    if isinstance(error, Unresolved | Unavailable):
        get_logger().info(line)
    elif line not in _said:
        _said.add(line)
        get_logger().warning(line, exc_info=None if known else error)


def resolve(storage: StorageWrapper, asked: Asked, commit: str | None = None) -> Resolution:
    """The resolution of a call; `commit` if a caller further out has settled it already."""
    from .storage.sources.hub import is_offline

    commit = commit or asked.commit or rewriting.pinned_commit(asked.revision, asked.repo_id)
    load = _under_way.get()
    if load is not None and load.asked.repo_id == asked.repo_id and load.resolution.commit == commit:
        return load.resolution
    revision = commit or rewriting.plain_revision(asked.revision)
    local_only = asked.local_only or is_offline()
    return storage.resolve(asked.repo_id, revision, token=asked.token, local_only=local_only)


def _is_store(storage: StorageWrapper, cache_dir: str | None) -> bool:
    return cache_dir is None or cache_dir == str(storage.get_cache_dir()) or Path(cache_dir) == storage.get_cache_dir()


def _callers_kwargs(storage: StorageWrapper | None, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The kwargs without what a proxy further out has put in."""
    plain = dict(kwargs)
    if plain.get("cache_dir") is not None and storage is not None and _is_store(storage, plain["cache_dir"]):
        plain["cache_dir"] = None
    revision = plain.get("revision")
    # 5 pins the revision itself, and its errors name the commit; one that a silent Hub has not confirmed is ours alone.
    if revision is not None and (isinstance(revision, rewriting.PinnedRevision) or hub_is_resting()):
        plain["revision"] = rewriting.plain_revision(revision)
    return plain


@functools.lru_cache(maxsize=64)
def _parameters(function: Any) -> tuple[str, ...]:
    """The names of a function's parameters in order, without `*` and `**`."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    names = [p.name for p in inspect.signature(function).parameters.values() if p.kind in kinds]
    return tuple(names[1:] if names[:1] in (["self"], ["cls"]) else names)


def _parameters_of(wrapped: Any) -> tuple[str, ...]:
    return _parameters(getattr(wrapped, "__func__", wrapped))  # of a bound method the function: it lives longer


def _named(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call by name, in the order of the parameters; none if too many: that is for Python to say."""
    names = _parameters_of(wrapped)
    if len(args) > len(names):
        return {}
    named = {**dict(zip(names, args, strict=False)), **kwargs}
    first = names[0] if names else ""
    return {first: named[first], **named} if first in named else named


def _door(serve: Callable[..., Any]) -> Callable[..., Any]:
    """Turn `serve(storage, asked, wrapped, named)` into a wrapper that falls through when it cannot serve."""

    @functools.wraps(serve)
    def door(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not _is_ours_to_serve():
            return wrapped(*args, **kwargs)
        storage = None
        named = None
        try:
            named = _named(wrapped, args, kwargs)
            asked = _of_load(rewriting.read_call((next(iter(named.values()), None),), named))
            if asked is not None:
                storage = _storage_for(asked)
                ready = serve(storage, asked, wrapped, named)
        except VerificationError as error:
            _remember_refusal(error)
            raise
        except Exception as error:
            kept = _callers_kwargs(storage, kwargs if named is None else named)
            with stand_aside(error):
                return wrapped(*args, **kwargs) if named is None else wrapped(**kept)
        # Outside of the try: an error of the original is the caller's, and not ours to catch.
        return wrapped(*args, **kwargs) if asked is None else ready()

    return door


# -- files ----------------------------------------------------------------------------------------------------------


@_door
def cached_files(storage: StorageWrapper, asked: Asked, wrapped: Any, named: dict[str, Any]) -> Callable[[], Any]:
    """Make each wanted file present, then let the original find them all in the cache."""
    from .storage.sources.hub import is_offline

    resolution = resolve(storage, asked, named.get("_commit_hash"))
    subfolder = named.get("subfolder") or ""
    paths = [os.path.join(subfolder, name).replace(os.sep, "/") for name in named["filenames"]]
    local_only = asked.local_only or is_offline()
    force = bool(named.get("force_download")) and not local_only
    try:
        present = storage.make_present(resolution, paths, token=asked.token, local_only=local_only, force=force)
    except Unavailable as error:
        return functools.partial(_run_aside, storage, resolution, error, wrapped, named)
    missing = [path for path in paths if path not in present]
    cache_dir = storage.get_cache_dir()
    if not _is_store(storage, asked.cache_dir):
        cache_dir = Path(str(asked.cache_dir)).expanduser()
        named_by = rewriting.plain_revision(asked.revision) or layout.DEFAULT_REVISION
        fill(Store(cache_dir), storage.store, resolution, present, named_by)
    if resolution.tree.complete:
        mark_missing(Store(cache_dir), resolution, missing)
    pinned = rewriting.pin(rewriting.plain_revision(asked.revision), resolution.commit, asked.repo_id)
    served = {**named, "cache_dir": str(cache_dir), "revision": pinned, "force_download": False}
    # Everything that the commit has is there: nobody is to be asked for what it has not.
    served["local_files_only"] = True
    if "_commit_hash" in _parameters_of(wrapped):  # 4.57; 5 reads the commit from the revision
        served["_commit_hash"] = resolution.commit
        if missing and resolution.tree.complete and named.get("_raise_exceptions_for_missing_entries", True):
            return lambda: library.say_missing(asked.repo_id, str(pinned), subfolder, missing)
    return lambda: wrapped(**served)


def _run_aside(
    storage: StorageWrapper, resolution: Resolution, error: Unavailable, wrapped: Any, named: dict[str, Any]
) -> Any:
    """No source had the bytes: the original tries. What it then brings of the commit that we know is checked as well."""
    with stand_aside(error):
        files = wrapped(**_callers_kwargs(storage, named))
    for file in files or ():
        folder, _, path = Path(file).as_posix().rpartition(f"/snapshots/{resolution.commit}/")
        entry = resolution.tree.files.get(path) if folder else None
        if entry is not None:
            try:
                verify_file(Path(file), entry)
            except Mismatch as mismatch:
                refusal = VerificationError(
                    f"{resolution.repo_id}: {path} was not loaded: commit {resolution.commit} has {mismatch.expected}, "
                    f"and {file} is {mismatch.actual}",
                    "remove that file and load again",
                )
                _remember_refusal(refusal)
                raise refusal from None
    return files


# -- words ----------------------------------------------------------------------------------------------------------


@_door
def has_file(storage: StorageWrapper, asked: Asked, wrapped: Any, named: dict[str, Any]) -> Callable[[], Any]:
    """Has the commit such a file? Its tree knows."""
    resolution = resolve(storage, asked)
    if not resolution.tree.complete and named["filename"] not in resolution.tree:
        return _from_cache(storage, resolution, wrapped, named)
    return lambda: named["filename"] in resolution.tree


@_door
def list_repo_templates(
    storage: StorageWrapper, asked: Asked, wrapped: Any, named: dict[str, Any]
) -> Callable[[], Any]:
    """The chat templates besides the main one."""
    resolution = resolve(storage, asked)
    if not resolution.tree.complete:
        return _from_cache(storage, resolution, wrapped, named)
    folder = "additional_chat_templates/"
    found = [path.removeprefix(folder) for path in resolution.tree.files if path.startswith(folder)]
    return lambda: [path for path in found if path.endswith(".jinja") and "/" not in path]


def _from_cache(
    storage: StorageWrapper, resolution: Resolution, wrapped: Any, named: dict[str, Any]
) -> Callable[[], Any]:
    """Let the original look in the store alone: the tree is not known well enough to answer for it."""
    pinned = rewriting.pin(None, resolution.commit, resolution.repo_id)
    local = {"cache_dir": str(storage.get_cache_dir()), "revision": pinned, "local_files_only": True}
    return lambda: wrapped(**{**named, **local})


@_door
def resolve_revision(storage: StorageWrapper, asked: Asked, wrapped: Any, named: dict[str, Any]) -> Callable[[], Any]:
    """transformers 5 asks this once per load; the answer is a str equal to what was asked."""
    resolution = resolve(storage, asked)
    return lambda: rewriting.pin(rewriting.plain_revision(asked.revision), resolution.commit, asked.repo_id)


@_door
def list_repo_files(storage: StorageWrapper, asked: Asked, wrapped: Any, named: dict[str, Any]) -> Callable[[], Any]:
    """The names of all files of a commit."""
    resolution = resolve(storage, asked)
    return lambda: list(resolution.tree.files)


@_door
def list_repo_tree(storage: StorageWrapper, asked: Asked, wrapped: Any, named: dict[str, Any]) -> Callable[[], Any]:
    """The files below a folder of the repo, as huggingface_hub's own objects."""
    from huggingface_hub.hf_api import RepoFile

    if named.get("expand"):
        return lambda: wrapped(**named)
    resolution = resolve(storage, asked)
    folder = (named.get("path_in_repo") or "").strip("/")
    prefix = f"{folder}/" if folder else ""
    rows = []
    for path, entry in resolution.tree.files.items():
        if path.startswith(prefix) and (named.get("recursive") or "/" not in path[len(prefix) :]):
            lfs = {"oid": entry.sha256, "size": entry.size, "pointerSize": 0} if entry.sha256 else None
            rows.append(RepoFile(path=path, size=entry.size, oid=entry.blob_id or "", lfs=lfs))
    return lambda: iter(rows)


@_door
def model_info(storage: StorageWrapper, asked: Asked, wrapped: Any, named: dict[str, Any]) -> Callable[[], Any]:
    """The few words about a repo that loading needs: commit, tags, task, library."""
    from huggingface_hub.hf_api import ModelInfo

    if set(named) - {"repo_id", "revision", "token", "timeout"}:
        return lambda: wrapped(**named)
    resolution = resolve(storage, asked)
    info = resolution.tree.info
    if "tags" not in info and not hub_is_resting():
        return lambda: wrapped(**named)
    siblings = [{"rfilename": path} for path in resolution.tree.files]
    known = {"tags": [], **info}
    return lambda: ModelInfo(
        id=asked.repo_id, sha=resolution.commit, private=False, downloads=0, likes=0, siblings=siblings, **known
    )


def patch_mistral_regex(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """4.57 asks the Hub for the tags of a repo here, and fails if it is silent; the tree's copy of them is enough.

    Returns the tokenizer as it is unless it descends from Mistral's, as the original does.
    """
    named = _named(wrapped, args, kwargs)
    if not named.get("_is_local") and (asked := plan((named.get("pretrained_model_name_or_path"),), named)):
        try:
            tags = resolve(get_storage_wrapper(), asked, named.get("_commit_hash")).tree.info.get("tags")
        except Exception:
            tags = None
        if tags is not None and not any(tag.startswith("base_model:") and "mistralai" in tag for tag in tags):
            return named["tokenizer"]
    return wrapped(*args, **kwargs)
