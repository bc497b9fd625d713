"""The ranges of a file that others fetch from the Hub for the machine that has claimed it, ahead of where that is.

Each takes a range when it has ended the one before. The next free one is left to the owner of the claim, so that its
own connection to the Hub is never idle either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

UNIT = 16 << 20  # bytes; ranges begin at multiples of it
SHARED = 4 * UNIT  # bytes of a file that is worth it
LONGEST = 16 * UNIT  # bytes of a range
AHEAD = 2.0  # seconds of the Hub's bytes in a range, once its speed is known
_MOST_HELPERS = 16  # of one file
_MOST_EACH = 8  # ranges of one member that the owner has not come to
_KEPT = 600.0  # seconds after which a range that was given out is forgotten
_TOLD = 16  # ranges that an owner is told of at once


@dataclass(frozen=True)
class Range:
    """The bytes of a file from `start` to `end`, and who fetches them, or has them."""

    start: int
    end: int
    peer: str
    given: float = 0.0  # when


class Ranges:
    """What was given out of one file of `size` bytes. Not for several threads."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._by_start: dict[int, Range] = {}
        self._left_out: set[str] = set()

    def give(self, peer: str, until: int, length: int, now: float) -> Range | None:
        """The next range for a member, of about `length` bytes; None where nothing is left, or for it.

        `until`: what the owner has, or fetches now.
        """
        self._forget(until, now)
        if not self._may_help(peer):
            return None
        free = self._free(until, max(UNIT, min(length, LONGEST) // UNIT * UNIT))
        next(free, None)  # the owner's
        found = next(free, None)
        if found is None:
            return None
        given = self._by_start[found[0]] = Range(*found, peer, now)
        return given

    def keep(self, peer: str, start: int, end: int, now: float) -> None:
        """A member says that it fetches, or has, a range: one that was given by another who answered before us."""
        known = [each for each in self._by_start.values() if each.start < end and start < each.end]
        if not known and 0 <= start < end <= self.size and self._may_help(peer):
            self._by_start[start] = Range(start, end, peer, now)

    def beyond(self, at: int) -> tuple[Range, ...]:
        """The nearest that end beyond an offset, in order."""
        return tuple(sorted((each for each in self._by_start.values() if each.end > at), key=_start)[:_TOLD])

    def drop(self, peer: str, start: int | None = None) -> None:
        """A member has given up its range; without `start` it gives nothing, and is given no more."""
        if start is None:
            self._left_out.add(peer)
        for each in list(self._by_start.values()):
            if each.peer == peer and start in (None, each.start):
                del self._by_start[each.start]

    def _may_help(self, peer: str) -> bool:
        helpers = {each.peer for each in self._by_start.values()}
        held = sum(each.peer == peer for each in self._by_start.values())
        return peer not in self._left_out and held < _MOST_EACH and (peer in helpers or len(helpers) < _MOST_HELPERS)

    def _forget(self, until: int, now: float) -> None:
        for each in list(self._by_start.values()):
            if each.end <= until or now - each.given > _KEPT:
                del self._by_start[each.start]

    def _free(self, at: int, length: int) -> Iterator[tuple[int, int]]:
        at = -(-at // UNIT) * UNIT
        for each in (*sorted(self._by_start.values(), key=_start), Range(self.size, self.size, "")):
            while at < each.start:
                yield at, min(at + length, each.start)
                at = min(at + length, each.start)
            at = max(at, each.end)


def _start(each: Range) -> int:
    return each.start
