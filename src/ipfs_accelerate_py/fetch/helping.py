"""While this machine follows another one that fetches a large file, it fetches ranges of it from the Hub for that one.

So the bytes of one file leave the Hub over several machines at once, and each of them once.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable

from ..errors import SourceError
from ..fleet.ranges import AHEAD, UNIT
from ..log import get_logger
from ..session import session
from . import speeds
from .claims import EVERY, Asked, Claims
from .pace import HUB
from .segment import Segment, remove_dead

_ROOM = 2  # times the file's size that is to be free on the disk: nobody's load fails for the range of another
_FAILURES = 2  # after which no more are asked for
CopyRange = Callable[[Segment], None]  # lets the Hub fill it


def help_fetch(asked: Asked, copy: CopyRange) -> None:
    """Fetch ranges of a file, from now on until the retrieval of it ends here, if that is not done yet."""
    if asked.help is None:
        remove_dead(asked.blobs)
        asked.help = _Helping(asked, copy)


class _Helping:
    """Fetches one range after another. Each stays until what this machine has in order, which is behind, has it too."""

    def __init__(self, asked: Asked, copy: CopyRange) -> None:
        self._asked, self._copy = asked, copy
        self._ended = threading.Event()
        self._segments: list[Segment] = []
        self._failures, self._length = 0, UNIT
        threading.Thread(target=self._work, name="ipfs_accelerate range", daemon=True).start()

    def held(self) -> list[tuple[int, int]]:
        """Where the ranges begin and end that are here, or on their way."""
        return [(each.start, each.end) for each in list(self._segments)]

    def end(self) -> None:
        """No more is fetched; whoever reads what was fetched may do so to its end."""
        self._ended.set()
        for segment in list(self._segments):
            segment.end_early()

    def _work(self) -> None:
        try:
            while not self._ended.is_set() and self._failures < _FAILURES:
                if not self._help_once():
                    self._ended.wait(EVERY)
                arrived = self._asked.arrived() if self._segments else 0
                for segment in [each for each in self._segments if each.end <= arrived]:
                    self._remove(segment)
            self._ended.wait()
        finally:
            for segment in list(self._segments):
                self._remove(segment)

    def _help_once(self) -> bool:
        """Fetch a range, if there is one for us now: one at a time in this process."""
        turn = session.part(Claims).helping
        if not turn.acquire(blocking=False):
            return False
        try:
            if shutil.disk_usage(self._asked.blobs).free < _ROOM * self._asked.size:
                return False
            given = self._asked.ask_range(self._length)
            return given is not None and self._fetch(*given)
        except (SourceError, OSError):  # our agent is busy, or has ended
            return False
        finally:
            turn.release()

    def _fetch(self, start: int, end: int) -> bool:
        began, segment = time.monotonic(), None
        try:
            segment = Segment(self._asked.blobs, self._asked.file[1], start, end)
            self._segments.append(segment)
            self._copy(segment)
            if segment.size < end:
                raise SourceError(f"the Hub broke off at {segment.size}")
        except Exception as error:  # of the Hub, of its client, of the disk: it is no load of ours that has failed
            get_logger().debug("bytes %d to %d were not fetched for the fleet: %s", start, end, error)
            self._failures += 1
            if segment is not None:
                self._remove(segment)
            self._asked.give_range_up(start)
            return False
        seconds = max(time.monotonic() - began, 1e-3)
        self._length = int(AHEAD * (end - start) / seconds)
        speeds.note(HUB, end - start, 0.0, seconds)
        return True

    def _remove(self, segment: Segment) -> None:
        self._segments.remove(segment)
        segment.close()
