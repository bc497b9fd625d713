"""How a call of the client is served, and how it falls through to the original.

Whatever of ours fails falls through with the caller's own arguments; only bytes that failed their check do not.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ... import state
from ...errors import IPFSAccelerateError, Unavailable, Unresolved, VerificationError
from ...hub.client import etag_timeout_after
from ...hub.unwell import is_not_cached
from ...log import get_logger
from ...patching import calls
from ...patching.fallback import check_brought, explain, stand_aside
from ...store.resolution import Resolution
from .requests import Call, name_arguments, read_call

Serve = Callable[[Call], Callable[[], Any] | None]


def read(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any], kind: str | None = None) -> Call | None:
    """The call, if it is one that we may serve here and now."""
    if state.own_call.get() or not calls.is_ours_to_serve():
        return None
    named = name_arguments(wrapped, args, kwargs)
    asked = None if named is None else read_call(named, kind)
    if named is None or asked is None:
        return None
    asked = calls.of_load(asked)
    assert asked is not None
    storage = calls.storage_for(asked)
    if asked.cache_dir is not None and calls.is_part_of_a_load(asked) and calls.is_store(storage, asked.cache_dir):
        return None  # a door further out has made it present there
    return Call(wrapped, named, asked, storage)


def door(serve: Serve) -> Callable[..., Any]:
    """Turn `serve(call)` into a wrapper. `serve` gives what is to be called in the end, or None for the original."""

    @functools.wraps(serve)
    def wrapper(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if state.own_call.get():
            return wrapped(*args, **kwargs)

        def prepare() -> Callable[[], Any] | None:
            call = read(wrapped, args, kwargs)
            return None if call is None else serve(call)

        return attempt(prepare, wrapped, args, kwargs)

    return wrapper


def attempt(
    prepare: Callable[[], Callable[[], Any] | None], wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Call in the end what `prepare` gives; the original where that is None, or where anything of ours fails."""
    ready, why = None, None
    try:
        ready = prepare()
    except VerificationError as error:
        calls.remember_refusal(error)
        raise
    except Exception as error:
        why = error
    # Outside of the try: an error of the original is the caller's, not ours to catch, nor made by ours.
    if why is not None:
        return _run_original(wrapped, args, kwargs, why)
    return wrapped(*args, **kwargs) if ready is None else ready()


def run_checked(
    call: Call, resolution: Resolution, error: Unavailable | None, files_of: Callable[[str], list[str]]
) -> str:
    """No authority knows, or no source has the bytes: the original tries, and what it brings is checked.

    `files_of`: the files behind what it returns. Those in a `local_dir` carry no name that says what they must be.
    """
    failed = None if error is None else error.hub_error
    if failed is not None and not is_not_cached(failed):  # the user's own cache may have it
        raise failed  # the client has just tried as often as it does
    brought = ""

    def run(**again: Any) -> list[str]:
        nonlocal brought
        with stand_aside(error):
            brought = str(call.wrapped(**{**call.named, **again}))
        return [] if call.local_dir is not None else files_of(brought)

    check_brought(run(), functools.partial(run, force_download=True), call.storage, resolution)
    return brought


def _run_original(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception) -> Any:
    """The original, since we could not help. It waits for a Hub that we have just waited for no longer than is left."""
    if not isinstance(error, IPFSAccelerateError):
        return _run_after_fault(wrapped, args, kwargs, error)
    if isinstance(error, Unresolved) and error.waited and "etag_timeout" in calls.parameters_of(wrapped):
        kwargs = {**kwargs, "etag_timeout": etag_timeout_after(error.waited, kwargs.get("etag_timeout"))}
    with stand_aside(error):
        return wrapped(*args, **kwargs)


def _run_after_fault(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception) -> Any:
    """The original, after an error that is none of ours. It is worth a line where the original does not fail, too."""
    try:
        with stand_aside():
            result = wrapped(*args, **kwargs)
    except Exception:
        get_logger().debug("before the original failed: %s: %s", type(error).__name__, error)
        raise
    explain(error)
    return result


def resolve(call: Call) -> Resolution:
    """The resolution of a call."""
    return calls.resolve(call.storage, call.asked)
