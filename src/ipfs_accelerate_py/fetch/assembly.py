"""A large file that this machine fetches for its fleet: range by range from the Hub, but for those that others fetch.

The writer takes the bytes in order, so that all can follow it; what others have fetched ahead comes from them as soon
as it is its turn. One that does not give its range, or more slowly than the Hub would, is passed over: the Hub is asked
for the rest of it, and nobody waits longer than alone.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from ..errors import SourceError
from ..fleet.client import blob_target
from ..fleet.ranges import AHEAD, LONGEST, SHARED, UNIT
from ..log import get_logger
from ..net.futures import has_ended, submit
from ..stats import stats
from ..store.writer import Writer
from .claims import Asked, read_member
from .givers import Givers, name_of
from .watched import Through

_LOOK = 1.0  # seconds after which a member has to be nearly as quick as the Hub
_NEARLY = 0.75
_MEASURABLE = UNIT // 2  # bytes of a range by which the Hub's speed is measured
_SILENT = 2.0  # seconds without a byte, after which it is passed over
_TICK = 0.25
_MOST_WAITS = 3  # for members that did not give their range, after which the Hub is asked for the rest
FromHub = Callable[[int], None]  # lets the Hub fill the writer to an offset; SourceError


class Yielded(SourceError):
    """Another machine fetches the file, too, and those that answer for it know that one: it is to be followed."""


class _Offered(NamedTuple):
    start: int
    end: int
    peer: str
    url: str


class Assembly:
    """How one file comes together. `givers`: whose bytes did not come from the Hub."""

    def __init__(self, asked: Asked, name: str, writer: Writer) -> None:
        self.givers = Givers()
        self._asked, self._name, self._writer = asked, name, writer
        self._lost: list[str] = []  # members that did not give what they were to fetch
        self._waits = 0  # for some of them: one that was killed refuses at once
        self._rate = 0.0  # bytes per second, of the Hub
        self._alone = UNIT  # bytes of the next range while nobody helps

    def fill(self, from_hub: FromHub) -> None:
        """Fill the writer to its end. SourceError where the Hub does not give; Yielded."""
        size = self._asked.size
        while (at := self._writer.size) < size:
            offered = self._ask(at)
            here = next((each for each in offered if each.start <= at), None)
            if here is None or not self._take(here):
                self._fill_from_hub(from_hub, here, offered)

    def _ask(self, at: int) -> list[_Offered]:
        """What others have, or fetch, from here on."""
        try:
            answer = self._asked.find(claim=True, arrived=at, lost=self._lost)
        except SourceError as error:  # our agent has ended, or is busy: as alone
            get_logger().debug("%s", error)
            return []
        claimed, rows = answer.get("claim"), answer.get("ranges")
        if isinstance(claimed, dict) and claimed.get("mine") is not True:
            self._asked.is_ours, self._asked.was_yielded = False, True
            raise Yielded(f"{name_of(str(claimed.get('peer')))} fetches it")
        found = [] if not isinstance(rows, list) else [row for each in rows if (row := _read(each)) is not None]
        if self._waits >= _MOST_WAITS:
            return []
        return sorted(row for row in found if row.end > at and self._may_give(row.peer))

    def _may_give(self, peer: str) -> bool:
        return peer not in self._lost and name_of(peer) not in stats().liars

    # -- from the Hub -----------------------------------------------------------------------------------------------
    def _fill_from_hub(self, from_hub: FromHub, failed: _Offered | None, offered: list[_Offered]) -> None:
        at, began = self._writer.size, time.monotonic()
        until = self._end_of_next(at, failed, offered)
        self._asked.until = until
        from_hub(until)
        got = self._writer.size - at
        if got >= _MEASURABLE or not self._rate:
            self._rate = got / max(time.monotonic() - began, 1e-3)

    def _end_of_next(self, at: int, failed: _Offered | None, offered: list[_Offered]) -> int:
        """Where the next range ends that the Hub is asked for: nobody's, or what the one who was to give it did not."""
        size = self._asked.size
        if failed is not None:
            return min(failed.end, size)
        if offered:
            length = min(max(UNIT, int(self._rate * AHEAD)), LONGEST)
            first = offered[0].start
        else:  # few requests, while nobody helps
            length, first = self._alone, size
            self._alone = min(2 * self._alone, LONGEST)
        return min((at + length) // UNIT * UNIT or UNIT, first, size)

    # -- from a member ----------------------------------------------------------------------------------------------
    def _take(self, offered: _Offered) -> bool:
        """Take a range, or what is left of it, from the one who fetches it; False if the Hub is to be asked for it."""
        sink, member, start = _Hurried(self._writer, self._rate), name_of(offered.peer), self._writer.size
        target, client = (
            blob_target(*self._asked.file, self._asked.size, _LOOK, offered.start),
            self._asked.agent.client,
        )
        copying = submit(lambda: client.copy(offered.url, target, sink, offered.end, member, ends=True))
        try:
            while not has_ended(copying, _TICK):
                if sink.is_silent(_SILENT):  # also where the headers of its answer drip
                    raise SourceError("silent for too long")
            copying.result()
            return True
        except SourceError as error:
            if self._writer.cancelled:
                raise
            self._lost.append(offered.peer)
            self._waits += time.monotonic() - sink.began > _LOOK
            get_logger().info("%s: %s does not give its range: %s", self._name, member, error)
            return False
        finally:
            sink.close()
            if sink.size > start:
                self.givers.note(start, sink.size, offered.peer, sink.digest.hexdigest())


class _Hurried(Through):
    """A writer that a member is to fill nearly as quickly as the Hub. It hashes what comes, until it is closed."""

    def __init__(self, writer: Writer, rate: float) -> None:
        super().__init__(writer)
        self._rate = rate
        self.digest = hashlib.sha256()
        self.began = self._last = time.monotonic()
        self._got = 0
        self._is_closed = False
        self._lock = threading.Lock()  # the one that is given up may still write

    def start(self) -> None:
        raise SourceError("it gives no ranges")

    def write(self, data: bytes) -> None:
        with self._lock:
            if self._is_closed:
                raise SourceError("another source was quicker")
            super().write(data)
            self.digest.update(data)
            self._got += len(data)
        self._last = time.monotonic()
        seconds = self._last - self.began
        if seconds > _LOOK and self._got < _NEARLY * self._rate * seconds:
            raise SourceError("the Hub is quicker")

    def is_silent(self, seconds: float) -> bool:
        """Return whether no byte has come for so long."""
        return time.monotonic() - self._last > seconds

    def close(self) -> None:
        """Take no more."""
        with self._lock:
            self._is_closed = True


def is_shared(size: int) -> bool:
    """Return whether a file is so large that several machines fetch it together."""
    return size >= SHARED


def _read(row: object) -> _Offered | None:
    member = read_member(row)
    if member is None or not isinstance(row, dict):
        return None
    start, end = row.get("start"), row.get("end")
    known = isinstance(start, int) and isinstance(end, int) and 0 <= start < end
    return _Offered(start, end, *member) if known else None  # type: ignore[arg-type]
