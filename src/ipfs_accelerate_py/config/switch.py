"""The switch: whether the environment lets the hook work.

`hook run` asks in an interpreter that is there for nothing else, so this imports nothing that costs time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

_FALSE = frozenset({"", "0", "false", "no", "off"})


def is_true(value: str | None) -> bool:
    """Return whether a value is any but empty, 0, false, no, off."""
    return value is not None and value.strip().lower() not in _FALSE


def raw_values(variables: tuple[str, ...]) -> tuple[object, ...]:
    """What these variables hold, in some form: equal as long as none has changed.

    Called with every call of a library. `os.environ` itself raises and catches an error for a variable that is not set,
    which takes fifty times as long as the look-up below it.
    """
    below = getattr(os.environ, "_data", None)
    if below is None:  # a program has put a mapping of its own there
        return tuple(map(os.environ.get, variables))
    return tuple(map(below.get, _encoded(os.environ.encodekey, variables)))


def _encoded(encode: Callable[[str], object], variables: tuple[str, ...]) -> tuple[object, ...]:
    """The variables' names as `os.environ` keeps them, made once."""
    kept = _NAMES.get(variables)
    if kept is None or kept[0] is not encode:
        kept = _NAMES[variables] = (encode, tuple(map(encode, variables)))
    return kept[1]


_NAMES: dict[tuple[str, ...], tuple[Callable[[str], object], tuple[object, ...]]] = {}


class Switch:
    """Whether the environment lets the hook work: `variable` decided, and `reason` is text for people."""

    __slots__ = ("on", "reason", "scoped", "variable")

    def __init__(self, on: bool, scoped: bool, variable: str | None, reason: str) -> None:
        self.on = on
        self.scoped = scoped
        self.variable = variable
        self.reason = reason


def read_switch(environ: Mapping[str, str] | None = None) -> Switch:
    """Read the environment now; the first of the four variables that is set decides."""
    if environ is not None:
        return _read(environ)
    global _last
    found = raw_values(_VARIABLES)
    if found != _last[0]:
        _last = (found, _read(os.environ))
    return _last[1]


def _read(environ: Mapping[str, str]) -> Switch:
    own = environ.get("IPFS_ACCELERATE", "").strip().lower()
    if own == "scoped":
        return Switch(True, True, "IPFS_ACCELERATE", "on inside distributed_models() blocks only")
    if own:
        on = own not in _FALSE
        return Switch(on, False, "IPFS_ACCELERATE", f"IPFS_ACCELERATE={own}")
    for name in ("TRANSFORMERS_PATCH_DISABLE", "IPFS_KIT_DISABLE"):
        if is_true(environ.get(name)):
            return Switch(False, False, name, "disabled by an environment variable")
    if is_true(environ.get("CI")):
        return Switch(False, False, "CI", "continuous integration")
    return _DEFAULT


_VARIABLES = ("IPFS_ACCELERATE", "TRANSFORMERS_PATCH_DISABLE", "IPFS_KIT_DISABLE", "CI")
_DEFAULT = Switch(True, False, None, "on by default")
_last: tuple[tuple[object, ...], Switch] = ((), _DEFAULT)  # what the variables held, and what that means
