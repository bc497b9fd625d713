"""How a call is served: whether it is ours at all, what was settled further out, and how it falls through.

Whatever of ours fails falls through to the original with the caller's own arguments; only bytes that failed their check
do not.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .. import state
from ..errors import VerificationError
from ..hub.breaker import is_hub_breaker_open, why_hub_breaker_opened
from ..hub.client import is_offline
from ..storage_wrapper import StorageWrapper, get_storage_wrapper
from ..store import layout
from ..store.resolution import Authority, Resolution
from . import arguments, fallback
from .arguments import LoadRequest
from .fallback import stand_aside


@dataclass
class Load:
    """A load under way, whose commit is settled: what it asks for on its way is answered without deciding anew.

    `refused` holds the errors of wrong bytes: transformers passes over an OSError of files that it can do without.
    """

    asked: LoadRequest
    storage: StorageWrapper
    resolution: Resolution
    refused: list[VerificationError] = field(default_factory=list)


_under_way: ContextVar[Load | None] = ContextVar("ipfs_accelerate_under_way", default=None)


def plan(args: tuple[Any, ...], kwargs: dict[str, Any]) -> LoadRequest | None:
    """What a call asks for if we are to serve it, else None."""
    if not is_ours_to_serve():
        return None
    return _read(args, kwargs)


def is_ours_to_serve() -> bool:
    """Return whether a call here and now goes through us."""
    # A load under way has been decided on: what it asks on its way is not decided anew.
    return fallback.current() is None and (_under_way.get() is not None or state.is_enabled())


def _read(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> LoadRequest | None:
    load = _under_way.get()
    return of_load(arguments.read_call(args, kwargs, None if load is None else load.asked.repo_id))


def of_load(asked: LoadRequest | None) -> LoadRequest | None:
    """What is asked of the repo of the load under way, of its revision or of none, is asked as that load was."""
    load = _under_way.get()
    if asked is None or load is None or asked.repo_id != load.asked.repo_id:
        return asked
    if asked.revision is not None and _branch(asked) != _branch(load.asked):
        return asked
    token = load.asked.token if asked.token is None else asked.token
    local_only = asked.local_only or load.asked.local_only
    # written out: `replace` takes three times as long, and every door of a load comes here
    return LoadRequest(
        asked.repo_id, asked.revision, asked.cache_dir, token, local_only, load.resolution.commit, asked.fresh
    )


def is_part_of_a_load(asked: LoadRequest) -> bool:
    """Return whether a load is under way of the commit that is asked for: it has been decided on already."""
    load = _under_way.get()
    return load is not None and load.asked.repo_id == asked.repo_id and load.resolution.commit == asked.commit


def is_settled(asked: LoadRequest) -> bool:
    """Return whether a load of the same repo, further out, has put in its commit as revision, and the store as cache.

    A pipeline of 5 puts in a commit as well, but no store.
    """
    load = _under_way.get()
    pinned = arguments.pinned_commit(asked.revision, asked.repo_id)
    return pinned is not None and load is not None and load.asked.repo_id == asked.repo_id


def settled_revision(name: object, revision: object) -> str | None:
    """The revision, with its commit, where it is that of the load under way, which has been decided on; else None."""
    load = _under_way.get()
    if load is None or fallback.current() is not None or name != load.asked.repo_id:
        return None
    plain = arguments.plain_revision(revision)
    if revision is not None and not (
        isinstance(revision, str) and (plain or layout.DEFAULT_REVISION) == _branch(load.asked)
    ):
        return None
    return arguments.pin(plain, load.resolution.commit, load.asked.repo_id)


def revision_of(asked: LoadRequest, commit: str | None) -> str:
    """The name by which a commit was asked for: by the call, or by the load that it is a part of.

    A call outside of any load that gives a `commit` and no revision has no other name for it.
    """
    load = _under_way.get()
    if asked.revision is None and load is not None and load.asked.repo_id == asked.repo_id:
        return _branch(load.asked)
    return arguments.plain_revision(asked.revision) or commit or layout.DEFAULT_REVISION


def _branch(asked: LoadRequest) -> str:
    return arguments.plain_revision(asked.revision) or layout.DEFAULT_REVISION


def storage_for(asked: LoadRequest) -> StorageWrapper:
    """The store of the load that the call is a part of, else that of the settings."""
    load = _under_way.get()
    return load.storage if load is not None and load.asked.repo_id == asked.repo_id else open_storage(asked)


def open_storage(asked: LoadRequest) -> StorageWrapper:
    """The store of the settings. A cache folder of the caller's own is read as well, after the other local caches."""
    storage = get_storage_wrapper()
    if is_store(storage, asked.cache_dir):
        return storage
    folder, lower = Path(str(asked.cache_dir)).expanduser(), storage.settings.lower
    if folder in lower or not folder.is_dir():
        return storage
    return StorageWrapper(replace(storage.settings, lower=(*lower, folder)))


class under_way:  # noqa: N801 - used as a function; a generator takes three times as long
    """While a load runs whose commit is settled."""

    def __init__(self, load: Load) -> None:
        self._load = load

    def __enter__(self) -> None:
        self._token = _under_way.set(self._load)

    def __exit__(self, *error: object) -> None:
        _under_way.reset(self._token)


def remember_refusal(error: VerificationError, of: str | None = None) -> None:
    """Keep it for the load under way, which must not end as if nothing had been. `of`: if it is of this repo."""
    load = _under_way.get()
    if load is not None and of in (None, load.asked.repo_id):
        load.refused.append(error)


def note_learnt(resolution: Resolution) -> None:
    """What was learnt on its way of the commit that a load is settled on counts for the rest of it."""
    load = _under_way.get()
    if load is not None and (load.asked.repo_id, load.resolution.commit) == (resolution.repo_id, resolution.commit):
        load.resolution = resolution


def resolve(storage: StorageWrapper, asked: LoadRequest, commit: str | None = None) -> Resolution:
    """The resolution of a call; `commit` if a caller further out has settled it already."""
    commit = commit or asked.commit or arguments.pinned_commit(asked.revision, asked.repo_id)
    load = _under_way.get()
    if load is not None and load.asked.repo_id == asked.repo_id and load.resolution.commit == commit:
        return load.resolution
    revision = commit or arguments.plain_revision(asked.revision)
    local_only = is_local_only(asked)
    return storage.resolve(asked.repo_id, revision, token=asked.token, local_only=local_only, fresh=asked.fresh)


def say_unreachable(resolution: Resolution, asked: LoadRequest) -> None:
    """What the client of transformers 5 says, once for each load, where it falls back to a commit that is cached."""
    load = _under_way.get()
    inner = load is not None and load.asked.repo_id == asked.repo_id
    if inner or not arguments.has_pins() or is_local_only(asked) or asked.revision == resolution.commit:
        return
    if (
        resolution.authority in (Authority.STORE, Authority.LOCAL_CACHES)
        and (why := why_hub_breaker_opened()) is not None
    ):
        words = f"Could not reach the Hub ({why}). Using cached commit hash for '{asked.repo_id}'."
        logging.getLogger("huggingface_hub.hf_api").warning(words)


def is_local_only(asked: LoadRequest) -> bool:
    """Return whether the user has said, for this call or for all, that only this machine is to be asked."""
    return asked.local_only or is_offline()


def is_store(storage: StorageWrapper, cache_dir: str | None) -> bool:
    """Return whether this `cache_dir` means our store, which it also does where none is given."""
    return cache_dir is None or cache_dir == str(storage.get_cache_dir()) or Path(cache_dir) == storage.get_cache_dir()


def callers_kwargs(storage: StorageWrapper | None, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The kwargs without what a proxy further out has put in."""
    plain = dict(kwargs)
    if plain.get("cache_dir") is not None and storage is not None and is_store(storage, plain["cache_dir"]):
        plain["cache_dir"] = None
    revision = plain.get("revision")
    # 5 pins the revision itself, and its errors name the commit; one that a silent Hub has not confirmed is ours alone.
    if revision is not None and (isinstance(revision, arguments.PinnedRevision) or is_hub_breaker_open()):
        plain["revision"] = arguments.plain_revision(revision)
    return plain


@functools.lru_cache(maxsize=64)
def _parameters(function: Any) -> tuple[str, ...]:
    """The names of a function's parameters in order, without `*` and `**`."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    names = [p.name for p in inspect.signature(function).parameters.values() if p.kind in kinds]
    return tuple(names[1:] if names[:1] in (["self"], ["cls"]) else names)


def parameters_of(wrapped: Any) -> tuple[str, ...]:
    """The names of the parameters of a function or bound method."""
    return _parameters(getattr(wrapped, "__func__", wrapped))  # of a bound method the function: it lives longer


def name_arguments(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call by name, in the order of the parameters; none if too many: that is for Python to say."""
    names = parameters_of(wrapped)
    if len(args) > len(names):
        return {}
    named = {**dict(zip(names, args, strict=False)), **kwargs}
    first = names[0] if names else ""
    return {first: named[first], **named} if first in named and next(iter(named)) != first else named


def door(serve: Callable[..., Any]) -> Callable[..., Any]:
    """Turn `serve(storage, asked, wrapped, named)` into a wrapper that falls through when it cannot serve."""

    @functools.wraps(serve)
    def wrapper(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not is_ours_to_serve():
            return wrapped(*args, **kwargs)
        storage = None
        named = None
        try:
            named = name_arguments(wrapped, args, kwargs)
            asked = _read((next(iter(named.values()), None),), named)
            if asked is not None:
                storage = storage_for(asked)
                ready = serve(storage, asked, wrapped, named)
        except VerificationError as error:
            remember_refusal(error)
            raise
        except Exception as error:
            kept = callers_kwargs(storage, kwargs if named is None else named)
            with stand_aside(error):
                return wrapped(*args, **kwargs) if named is None else wrapped(**kept)
        # Outside of the try: an error of the original is the caller's, and not ours to catch.
        return wrapped(*args, **kwargs) if asked is None else ready()

    return wrapper
