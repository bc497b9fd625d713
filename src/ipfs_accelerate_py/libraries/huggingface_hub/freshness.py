"""Questions about a repo and its names: the Hub's fresh answer while it answers, the kept listing where it fails.

Programs poll with these questions, and push: an answer is never from memory where plain would ask. A Hub that is silent
or failing is given our time budget; what it refuses (401, 403, 404) is the caller's to know.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from ... import state
from ...errors import IPFSAccelerateError
from ...fleet import heed
from ...hub import limits
from ...hub.breaker import close_hub_breaker, is_hub_breaker_open, open_hub_breaker
from ...hub.client import endpoint, etag_timeout
from ...hub.unwell import is_unwell
from ...net import timeouts
from ...net.futures import has_ended, submit
from ...patching import calls
from ...store.resolution import Resolution
from . import serving
from .requests import Call

T = TypeVar("T")


def door(serve: Callable[[Call], Any], kind: str | None = None) -> Callable[..., Any]:
    """Turn `serve(call)` into a wrapper of a method of `HfApi`. `kind`: of the repo, where no argument says it."""

    def wrapper(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = _read(wrapped, instance, args, kwargs, kind)
        return wrapped(*args, **kwargs) if call is None else serve(call)

    return wrapper


def _read(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any], kind: str | None) -> Call | None:
    """The call, if it is one that we may serve here and now."""
    try:
        call = serving.read(wrapped, args, kwargs, kind)
        if call is None or calls.is_local_only(call.asked) or instance.endpoint != endpoint():
            return None
    except Exception:
        return None
    token = instance.token if call.asked.token is None else call.asked.token
    return replace(call, asked=replace(call.asked, token=token))


def ask(call: Call, known: Resolution | None, question: Callable[[], T], from_tree: Callable[[Resolution], T]) -> T:
    """The Hub's answer, or what the listing of the commit says where the Hub gives none. `known`: see `known_here`."""
    if known is None:
        return question()
    if calls.is_part_of_a_load(call.asked) or is_hub_breaker_open() or _is_limited(call):
        return from_tree(known)
    asking = submit(partial(_ask_original, question))
    if not has_ended(asking, call.storage.settings.timeout * timeouts.HUB_WARM):
        open_hub_breaker()
        return from_tree(known)
    try:
        answer = asking.result()
    except Exception as error:
        if not is_unwell(error):
            raise
        open_hub_breaker(str(error))
        return from_tree(known)
    close_hub_breaker()
    return answer


def fill_timeout(call: Call) -> dict[str, Any]:
    """The arguments of a question with a time limit, where the caller gave none: the client would wait for ever.

    A Hub that failed a moment ago gets no longer than our own budget.
    """
    if call.named.get("timeout") is not None:
        return call.named
    return {**call.named, "timeout": call.storage.settings.timeout if is_hub_breaker_open() else etag_timeout()}


def _is_limited(call: Call) -> bool:
    """Return whether another machine of the fleet has heard that the Hub is not to be asked now."""
    storage = call.storage
    root = None if storage.settings.fleet == "off" else storage.store.root
    return heed.left(root, limits.API, call.asked.token) > 0


def _ask_original(question: Callable[[], T]) -> T:
    limits.watch()
    with state.calling_originals():
        return question()


def known_here(call: Call) -> Resolution | None:
    """The whole listing of what is asked for, if this machine has it."""
    try:
        found = serving.resolve(call.here)
    except IPFSAccelerateError:
        return None
    return found if found.tree.complete else None
