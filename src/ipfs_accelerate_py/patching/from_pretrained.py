"""What serves `from_pretrained`: the first that is called of a load, and so the one that decides on its commit."""

from __future__ import annotations

from typing import Any

from ..errors import VerificationError
from . import arguments, calls, fallback, refusals


def load(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`from_pretrained` with rewritten kwargs; the original with the caller's own when we cannot help."""
    asked = calls.plan(args, kwargs)
    if asked is None or calls.is_settled(asked):
        return wrapped(*args, **kwargs)  # not ours, or settled by a proxy further out
    try:
        storage = calls.open_storage(asked)
        resolution = calls.resolve(storage, asked, kwargs.get("_commit_hash"))
        refusals.raise_standing(storage, resolution, (), asked.token)  # of a library that has passed over it
        rewritten = arguments.rewrite(kwargs, asked, storage.get_cache_dir(), resolution.commit)
    except VerificationError:
        raise
    except Exception as error:
        with fallback.stand_aside(error):
            return wrapped(*args, **kwargs)
    calls.say_unreachable(resolution, asked)
    under_way = calls.Load(asked, storage, resolution)
    failed = None
    try:
        with calls.under_way(under_way):
            loaded = wrapped(*args, **rewritten)
    except Exception as error:
        if not under_way.refused:
            raise
        failed = error
    if under_way.refused:  # the library went on without a file, maybe one that it can do without; the user must know
        refusal = under_way.refused[0]
        calls.remember_refusal(refusal, asked.repo_id)  # one further out may pass over it, too
        raise refusal from (None if failed is refusal else failed)
    return loaded
