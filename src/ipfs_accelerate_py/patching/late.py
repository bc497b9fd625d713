"""Wrappers that are imported with their first call, so that importing a library brings in none of what serves it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from ..session import Recent, session

Wrapping = Callable[[Any, Any, tuple[Any, ...], dict[str, Any]], Any]


class Reported(Recent[str, bool]):
    """The wrappers that could not be imported."""


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
        found: Wrapping = getattr(import_module(module), name)
        return found
    except Exception as error:
        import logging

        reported = session.part(Reported)
        if reference not in reported:  # the next call tries again
            reported[reference] = True
            cause = f"{type(error).__name__}: {error}"
            logging.getLogger("ipfs_accelerate_py").warning(
                "could not patch %s, so it works as without the hook (%s)",
                getattr(wrapped, "__qualname__", name),
                cause,
            )
        return None
