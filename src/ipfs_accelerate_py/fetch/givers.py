"""Who gave which bytes of a file: where the whole is wrong, it is found out who has lied."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..store.verify import Mismatch


def name_of(peer: str) -> str:
    """A member as a source is named."""
    return f"member {peer}"


class _Given(NamedTuple):
    start: int
    end: int
    peer: str
    digest: str


class Givers:
    """The ranges of a file that members have given, with their sha256."""

    def __init__(self) -> None:
        self._given: list[_Given] = []

    def __bool__(self) -> bool:
        return bool(self._given)

    def note(self, start: int, end: int, peer: str, digest: str) -> None:
        """A member gave the bytes from `start` to `end`."""
        self._given.append(_Given(start, end, peer, digest))

    def find_liars(self, digest: Callable[[int, int], str]) -> list[tuple[str, str, Mismatch]]:
        """Those that gave other bytes than the file has: peer id, which bytes, and how they differ.

        `digest`: the sha256 of its bytes from here to there.
        """
        found = []
        for each in self._given:
            if (actual := digest(each.start, each.end)) != each.digest:
                where = f"bytes {each.start} to {each.end}"
                found.append((each.peer, where, Mismatch(actual, each.digest)))
        return found
