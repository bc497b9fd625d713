"""A function of ours in the place of a library's own, where a program's modules bind it by name.

A plain function, without wrapt: it is put there by an import, and most programs that import it never call it. It has
the original's name, signature and documentation, is pickled by name as it was, and `__wrapped__` is the original.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import MethodType
from typing import Any

from .late import Wrapping


def replace_function(original: Callable[..., Any], wrapper: Wrapping) -> Callable[..., Any]:
    """A function that calls `wrapper(original, None, args, kwargs)`."""

    @functools.wraps(original)
    def replacement(*args: Any, **kwargs: Any) -> Any:
        return wrapper(original, None, args, kwargs)

    return replacement


def replace_method(original: Callable[..., Any], wrapper: Wrapping) -> Callable[..., Any]:
    """The same for a function that is a method: `wrapper(bound original, instance, args, kwargs)`."""

    @functools.wraps(original)
    def replacement(*args: Any, **kwargs: Any) -> Any:
        if not args:
            return original(**kwargs)  # for Python to say what is missing
        instance, *rest = args
        return wrapper(MethodType(original, instance), instance, tuple(rest), kwargs)

    return replacement
