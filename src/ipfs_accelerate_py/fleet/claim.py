"""A claim: one machine fetches a file from the Hub, the others follow it while the bytes arrive."""

from __future__ import annotations

from collections.abc import Sequence

LEASE = 6.0  # seconds of a claim, which its owner renews every second: also where it has no time to
IDLE = 2.0  # seconds without a byte after which an owner that is reported lost has stalled; twice that for the first
SLOW = 64 << 10  # bytes per second; an owner that is slower drips: as in `fetch.hedge`
WITHHELD = 4 << 20  # bytes that an owner may be ahead of a follower that waits: what lies in buffers
PROGRESS = 1 << 20  # bytes that a wanter has got since it reported the owner: what was before is past
_MOST_WANTERS = 5_000


class Claim:
    """What its owner says has arrived, how fast, and who follows whom."""

    def __init__(self, owner: str, now: float, arrived: int) -> None:
        self.owner, self.arrived = owner, arrived
        self.until = 0  # where the range ends that the owner asks the Hub for now
        self._renewed = self._grown = now
        self._has_begun = False
        self._marks = ((now, arrived), (now, arrived))  # for the pace: (time, arrived), each at least IDLE apart
        self._wanters = [owner]  # in the order in which they came
        self._places = {owner: 0}
        self._gone: set[str] = set()  # wanters that gave up
        self._reports: dict[str, tuple[int, int]] = {}  # by wanter: how often it has reported the owner, with what

    def renew(self, now: float, arrived: int) -> None:
        """Its owner is at work."""
        self._renewed = now
        if arrived > self.arrived:
            self.arrived, self._grown, self._has_begun = arrived, now, True
        if now - self._marks[1][0] >= IDLE:
            self._marks = (self._marks[1], (now, self.arrived))

    @property
    def has_followers(self) -> bool:
        """Return whether somebody waits for its bytes."""
        return len(self._wanters) > 1

    def has_expired(self, now: float) -> bool:
        """Return whether its owner has not renewed it."""
        return now - self._renewed > LEASE

    def has_stalled(self, now: float) -> bool:
        """Return whether no byte has come for too long."""
        return now - self._grown > (IDLE if self._has_begun else 2 * IDLE)

    def drips(self, now: float) -> bool:
        """Return whether its bytes come so slowly that another is asked too."""
        since, before = self._marks[0]
        return self._has_begun and now - since >= IDLE and self.arrived - before < SLOW * (now - since)

    def is_withheld(self, reporter: str, arrived: int) -> bool:
        """Return whether a wanter that is given little, and has `arrived` bytes, lacks much of what the owner says."""
        return self._note(reporter, arrived) > 1 and self.arrived - arrived > WITHHELD

    def is_lost(self, reporter: str, arrived: int) -> bool:
        """Return whether a wanter gets nothing from the owner, for the second time: the first may be an accident."""
        return self._note(reporter, arrived) > 1

    def _note(self, reporter: str, arrived: int) -> int:
        count, before = self._reports.get(reporter, (0, arrived))
        count = 1 if arrived - before >= PROGRESS else count + 1
        if reporter in self._places:
            self._reports[reporter] = (count, arrived)
        return count

    def parent(self, peer: str, lost: Sequence[str]) -> str:
        """Whom a wanter follows: number k the number (k-1)//2; the owner, where that one is lost or gave up."""
        place = self._places.get(peer)
        if place is None:
            place = len(self._wanters)
            if place < _MOST_WANTERS:
                self._wanters.append(peer)
                self._places[peer] = place
        self._gone.discard(peer)
        parent = self._wanters[(place - 1) // 2]
        return self.owner if parent in lost or parent in self._gone else parent

    def leave(self, peer: str) -> None:
        """A wanter gave up: nobody else is told to follow it."""
        if peer in self._places:
            self._gone.add(peer)
