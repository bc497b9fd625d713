"""What this process remembers: one `Session`, in which a room keeps its part in a class of its own."""

from __future__ import annotations

import _thread
import os
import time
from typing import Any, TypeVar

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
_OURS = (__package__, "huggingface_hub")


class Session:
    """The memory of one process. A part is made when it is first asked for."""

    def __init__(self) -> None:
        self._parts: dict[type, Any] = {}

    def part(self, kind: type[T]) -> T:
        """The object of this class; there is one per session."""
        found: T | None = self._parts.get(kind)
        return found if found is not None else self._parts.setdefault(kind, kind())

    def reset(self) -> None:
        """Forget everything, as a new process would."""
        self._parts.clear()

    def after_fork(self) -> None:
        """In a child: parts that hold a lock, or wait for a thread, which the child does not have, let go of it."""
        for part in list(self._parts.values()):
            if hasattr(part, "after_fork"):
                part.after_fork()


class Recent(dict[K, V]):
    """A table that does not grow without bound: above `most` entries the oldest goes."""

    def __init__(self, most: int = 1000) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        while len(self) > self._most:
            try:
                self.pop(next(iter(self)), None)
            except (RuntimeError, StopIteration):  # another thread was at it: the next entry tries again
                break

    def setdefault(self, key: K, default: V = None) -> V:  # type: ignore[assignment]
        """The value of a key, which is `default` if it had none."""
        if key not in self:
            self[key] = default
        return self[key]


def wait_for_imports(seconds: float = 1.0) -> None:
    """Before a fork: let other threads end what they import for us. In the child that import would never end.

    A module is imported under a lock of its own, whose owner a forked child does not have. A program without us has
    imported its client whole by then; we import what serves a call with the first call.
    """
    import _frozen_importlib

    until = time.monotonic() + seconds
    locks: dict[str, Any] = getattr(_frozen_importlib, "_module_locks", {})
    while any(_is_held(name, lock) for name, lock in list(locks.items())) and time.monotonic() < until:
        time.sleep(0.001)


def _is_held(name: str, lock: Any) -> bool:
    owner = getattr(lock(), "owner", None)
    return name.partition(".")[0] in _OURS and owner not in (None, _thread.get_ident())


session = Session()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=wait_for_imports, after_in_child=session.after_fork)
