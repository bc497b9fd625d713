"""What was put where, each with what it replaced, so that everything can be put back exactly."""

from __future__ import annotations

import _imp
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .doors import Door, DoorTable


class Replacement:
    """What stood in an attribute, and what stands there now."""

    __slots__ = ("attribute", "door", "original", "owner", "replacement")

    def __init__(self, owner: weakref.ref[Any], attribute: str, original: Any, replacement: Any, door: Door) -> None:
        self.owner, self.attribute, self.door = owner, attribute, door
        self.original, self.replacement = original, replacement


class Registry:
    """All that is to be put back. It outlives what a process forgets."""

    def __init__(self) -> None:
        self.proxies: dict[type, Any] = {}  # class -> its one AutoClassProxy
        self.replaced: list[Replacement] = []
        self.libraries: dict[str, DoorTable] = {}  # those of which anything was replaced, by name
        self.versions_said: set[str] = set()

    def note(self, owner: Any, attribute: str, original: Any, replacement: Any, door: Door) -> None:
        """Put a replacement in its place and remember what stood there."""
        setattr(owner, attribute, replacement)
        self.replaced.append(Replacement(weakref.ref(owner), attribute, original, replacement, door))

    def stands_at(self, owner: Any, attribute: str) -> bool:
        """Return whether what stands in this attribute now was put there by us."""
        value = vars(owner).get(attribute)
        return any(
            each.replacement is value and each.attribute == attribute and each.owner() is owner
            for each in self.replaced
        )

    def clear(self) -> None:
        """Forget everything, once it has been put back."""
        self.replaced.clear()
        self.proxies.clear()
        self.libraries.clear()


here = Registry()


def is_replacement(value: object) -> bool:
    """Return whether this is one of the wrappers that we put in place."""
    return any(each.replacement is value for each in here.replaced)


@contextmanager
def locked() -> Iterator[None]:
    """One thread at a time puts wrappers in place. importlib's own lock: recursive, and made anew in a forked child.

    Nothing may be imported while it is held: another thread may be importing that, and want this lock for it.
    """
    _imp.acquire_lock()
    try:
        yield
    finally:
        _imp.release_lock()
