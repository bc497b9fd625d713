"""For how long the Hub is not to be asked, as an agent knows it: from the programs of its machine, and from members.

Durations only, for clocks differ. What members say is believed for `MOST` seconds, and then for as long not: so one
that lies without end keeps nobody from asking, and a word that goes round in the fleet grows no older than that.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable

MOST = 300.0  # seconds: the Hub counts in windows of five minutes
NEWS = 1.0  # seconds by which a time is to be longer than what was known, to be worth telling
_ROWS = 32
_ABOUT = re.compile(r"[0-9a-f]{32}")


class _Row:
    def __init__(self) -> None:
        self.own = self.told = -math.inf  # when it ends, by the word of this machine, and of members
        self.since: float | None = None  # when members began to say so

    @property
    def end(self) -> float:
        return max(self.own, self.told)


class Waits:
    """The times by what they are about: see `hub.limits.about`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._rows = clock, dict[str, _Row]()

    def note(self, waits: object, *, own: bool) -> bool:
        """Take over a table of seconds; return whether there was news in it. `own`: from a program of this machine.

        What cannot be read is left out.
        """
        if not isinstance(waits, dict) or len(waits) > _ROWS:
            return False
        news = False
        for subject, seconds in waits.items():
            news |= self._note(subject, seconds, own=own)
        return news

    def left(self) -> dict[str, float]:
        """The seconds that are left of each."""
        now = self._clock()
        return {subject: round(row.end - now, 3) for subject, row in list(self._rows.items()) if row.end > now}

    def longest(self) -> float:
        """The most that is left of any; 0.0 if there is none."""
        return max(self.left().values(), default=0.0)

    def _note(self, subject: str, seconds: object, *, own: bool) -> bool:
        if not isinstance(seconds, int | float) or not seconds > 0 or not _ABOUT.fullmatch(subject):
            return False
        now = self._clock()
        self._prune(now)
        if subject not in self._rows and len(self._rows) >= _ROWS:
            if not own:
                return False
            del self._rows[min(self._rows, key=lambda each: self._rows[each].own)]
        row = self._rows.setdefault(subject, _Row())
        end, before = now + min(seconds, MOST), max(row.end, now)
        if own:
            row.own = max(row.own, end)
        else:
            if row.since is None:
                row.since = now
            row.told = max(row.told, min(end, row.since + MOST))
        return row.end > before + NEWS

    def _prune(self, now: float) -> None:
        for subject, row in list(self._rows.items()):
            if row.since is not None and now >= row.since + 2 * MOST:
                row.since, row.told = None, -math.inf
            if row.end <= now and row.since is None:
                del self._rows[subject]
