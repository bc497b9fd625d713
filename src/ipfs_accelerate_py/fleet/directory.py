"""What the machine that answers for a repo knows: who holds it, and who is fetching which file from the Hub now.

A file that nobody holds is claimed by the first machine that asks; the others follow it while its bytes arrive. They
form a binary tree in the order in which they came, so that nobody uploads to more than two at once. A claim has a lease
that its owner renews with the bytes that have arrived; it ends when it is released, when its lease does, and when a
follower reports its owner lost while that has stalled, drips, or keeps to itself what it says it has. Of a large file
the others fetch ranges for the owner. Nothing a member says is believed for longer than that, and all of it is bounded.

In memory only, and for one thread: the agent's loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from .claim import Claim
from .holders import Holders
from .ranges import Range, Ranges

HOLD = 150.0  # seconds that a member counts as a holder, which it says again every 60
REFUSED = 15.0  # seconds for which an owner that failed its followers is not given the same file again
DRIPS = 2  # claims on a file, within a minute, that are taken away for dripping: after that it is the Hub that is slow
GIVEN = 6  # holders in an answer
MOST_CLAIMS = 64  # of one member at once
_MINUTE = 60.0
_MOST_FILES = 20_000  # that are claimed at once
_MOST_FOLDERS = 10_000  # of one member
_MOST_ROWS = 500_000
File = tuple[str, str]  # the folder of a repo, and the etag of a file in it
T = TypeVar("T")


@dataclass(frozen=True)
class Found:
    """What an asker is told: who may have the file whole; whom to follow, or that it is its own to fetch.

    `follow`: None where nobody fetches it, and the asker did not claim it or may not; `arrived`: what the owner of the
    claim has of it. `ranges`: for that owner, what others fetch for it.
    """

    holders: tuple[str, ...] = ()
    follow: str | None = None
    mine: bool = False
    ranges: tuple[Range, ...] = ()
    arrived: int = 0


class Directory:
    """The holders of repos and files, and the claims on files. `clock`: seconds that only go forward."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._folders: Holders[str] = Holders(_MOST_ROWS)
        self._files: Holders[File] = Holders(_MOST_ROWS)
        self._claims: dict[File, Claim] = {}
        self._ranges: dict[File, Ranges] = {}  # they outlive a claim: the next owner goes on with them
        self._owned: dict[str, set[File]] = {}  # the claims of a member
        self._refused: dict[tuple[str, File], float] = {}  # until when
        self._dripped: dict[File, list[float]] = {}  # when a claim was taken away for it

    def hold(self, peer: str, folders: Iterable[str]) -> None:
        """A member says that it holds something of these repos."""
        now = self._clock()
        for folder in islice(folders, _MOST_FOLDERS):
            self._folders.note(folder, peer, now + HOLD, now)

    def holders(self, folder: str) -> list[str]:
        """The members that hold something of a repo."""
        return self._folders.get(folder, self._clock())

    def claims(self) -> dict[File, tuple[str, int]]:
        """Who fetches which file now, and how many bytes have arrived. For any thread."""
        now, claims = self._clock(), list(self._claims.items())
        return {each: (claim.owner, claim.arrived) for each, claim in claims if not claim.has_expired(now)}

    def forget(self, peer: str) -> None:
        """A member has left: nothing is expected of it any more."""
        self._folders.forget(peer)
        self._files.forget(peer)
        for file in list(self._owned.get(peer, ())):
            self._end(file)
        for ranges in self._ranges.values():
            ranges.drop(peer)
        for claim in self._claims.values():
            claim.leave(peer)

    def find(
        self,
        peer: str,
        file: File,
        size: int,
        *,
        claim: bool = True,
        lost: Sequence[str] = (),
        slow: str = "",
        arrived: int = 0,
        until: int = 0,
        have: Sequence[tuple[int, int]] = (),
    ) -> Found:
        """What `peer` is told that wants a file; its own claim is renewed by it. `arrived`: the bytes that it has;
        `until`: where the range ends that it asks the Hub for now; `have`: the ranges that it fetches for the owner.

        `lost`: whom it was told to follow, or to take the file from, and gets nothing of; `slow`: who gives it little.
        """
        now, arrived = self._clock(), max(0, min(arrived, size))
        holders = self._holders_of(file, now, (peer, *lost))
        for start, end in have:
            self._open_ranges(file, size).keep(peer, start, end, now)
        found = self._standing(file, now)
        if found is not None and found.owner == peer:
            if not claim:
                self._end(file)
                return Found(holders)
            found.renew(now, arrived)
            found.until = max(found.until, min(until, size))
            return Found(holders, peer, True, self._ranges_of(file, arrived, lost))
        if found is not None and (
            (found.owner in lost and self._has_failed(file, found, now, found.is_lost(peer, arrived)))
            or (found.owner == slow and self._has_failed(file, found, now, found.is_withheld(peer, arrived)))
        ):
            self._refuse(found.owner, file, now)
            self._end(file)
            found = None
        if found is not None:
            return Found(holders, found.parent(peer, (*lost, slow)), arrived=found.arrived)
        if not claim or not self._may_claim(peer, file, now):
            return Found(holders)
        self._claims[file] = Claim(peer, now, arrived)
        self._owned.setdefault(peer, set()).add(file)
        return Found(holders, peer, True)

    def take_range(self, peer: str, file: File, size: int, length: int) -> Range | None:
        """The range that `peer`, which follows the owner of the claim on a file, fetches for it; None for none now."""
        now = self._clock()
        found = self._standing(file, now)
        if found is None or found.owner == peer or self._refused.get((peer, file), now) > now:
            return None
        ranges = self._open_ranges(file, size)
        return ranges.give(peer, max(found.arrived, found.until), length, now) if ranges.size == size else None

    def _open_ranges(self, file: File, size: int) -> Ranges:
        found = self._ranges.setdefault(file, Ranges(size))
        _bound(self._ranges, _MOST_FILES)
        return found

    def _ranges_of(self, file: File, arrived: int, lost: Sequence[str]) -> tuple[Range, ...]:
        """What others fetch for the owner of a claim, without those of whom it gets nothing."""
        if (ranges := self._ranges.get(file)) is None:
            return ()
        for peer in lost:
            ranges.drop(peer)
        return ranges.beyond(arrived)

    def drop_range(self, peer: str, file: File, start: int) -> None:
        """A member has given up the range of a file that begins at `start`."""
        if file in self._ranges:
            self._ranges[file].drop(peer, start)

    def release(self, peer: str, file: File, done: bool) -> None:
        """A member has ended with a file: it has it whole, or it gave up."""
        now, found = self._clock(), self._claims.get(file)
        if found is not None and found.owner == peer:
            self._end(file)
            if done:
                self._ranges.pop(file, None)
        elif found is not None and not done:
            found.leave(peer)
        if done:
            self._files.note(file, peer, now + HOLD, now)

    def _holders_of(self, file: File, now: float, without: tuple[str, ...]) -> tuple[str, ...]:
        """Those that have said so of this very file come first; the order turns, so that each is asked in its turn."""
        exact = self._files.get(file, now, without)
        some = self._folders.get(file[0], now, (*without, *exact))
        turn = int(now * 1000)
        return (*_turned(exact, turn), *_turned(some, turn))[:GIVEN]

    def _standing(self, file: File, now: float) -> Claim | None:
        found = self._claims.get(file)
        if found is None or not found.has_expired(now):
            return found
        if found.has_followers:
            self._refuse(found.owner, file, now)
        self._end(file)
        return None

    def _has_failed(self, file: File, claim: Claim, now: float, gives_nothing: bool) -> bool:
        """Return whether the claim ends, whose owner a follower has just reported."""
        if gives_nothing or claim.has_stalled(now):
            return True
        lately = [moment for moment in self._dripped.get(file, ()) if now - moment < _MINUTE]
        if len(lately) >= DRIPS or not claim.drips(now):
            return False
        self._dripped[file] = [*lately, now]
        _bound(self._dripped, _MOST_FILES)
        return True

    def _may_claim(self, peer: str, file: File, now: float) -> bool:
        if self._refused.get((peer, file), now) > now:
            return False
        if len(self._owned.get(peer, ())) >= MOST_CLAIMS:
            for each in list(self._owned[peer]):
                self._standing(each, now)
        if len(self._claims) >= _MOST_FILES:
            for each in list(self._claims):
                self._standing(each, now)
        return len(self._owned.get(peer, ())) < MOST_CLAIMS and len(self._claims) < _MOST_FILES

    def _refuse(self, peer: str, file: File, now: float) -> None:
        self._refused[peer, file] = now + REFUSED
        _bound(self._refused, _MOST_FILES)

    def _end(self, file: File) -> None:
        owner = self._claims.pop(file).owner
        self._owned[owner].discard(file)
        if not self._owned[owner]:
            del self._owned[owner]


def _turned(peers: list[str], turn: int) -> list[str]:
    at = turn % len(peers) if peers else 0
    return peers[at:] + peers[:at]


def _bound(table: dict[T, Any], most: int) -> None:
    while len(table) > most:
        del table[next(iter(table))]
