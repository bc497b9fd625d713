"""Wrappers that are imported with their first call, so that importing a library brings in none of what serves it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..hook.loader import report

Wrapping = Callable[[Any, Any, tuple[Any, ...], dict[str, Any]], Any]


def late(reference: str) -> Wrapping:
    """The wrapper `module:function`. Where it cannot be imported, the original is called as it was meant to be."""
    function: Wrapping | None = None

    def wrapper(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        nonlocal function
        if function is None:
            function = _find(reference, wrapped)
            if function is None:
                return wrapped(*args, **kwargs)
        return function(wrapped, instance, args, kwargs)

    return wrapper


def _find(reference: str, wrapped: Any) -> Wrapping | None:
    module, _, name = reference.partition(":")
    try:
        found: Wrapping = getattr(__import__(module, fromlist=(name,)), name)  # as in `libraries`
        return found
    except Exception as error:  # the next call tries again
        report(getattr(wrapped, "__qualname__", name), error)
        return None
