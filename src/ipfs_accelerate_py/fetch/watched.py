"""Writers that are looked at while another machine gives them bytes: whether those are enough."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..store.writer import Writer

SLOW = 64 << 10  # bytes per second; whoever is followed and gives less may be replaced: see `fetch.hedge`
CRAWL = 1 << 10  # bytes per second, below which nobody is followed
_CRAWLS = 10.0  # seconds of that


class Through:
    """A writer as a sink: what it is given goes through to it. `note`: is told how much is here then, and may raise."""

    def __init__(self, writer: Writer, note: Callable[[int], None] | None = None) -> None:
        self._writer, self._note = writer, note

    @property
    def size(self) -> int:
        return self._writer.size

    def begin(self, giver: str) -> int:
        return self._writer.begin(giver)

    def start(self) -> None:
        self._writer.start()

    def write(self, data: bytes) -> None:
        self._writer.write(data)
        if self._note is not None:
            self._note(self._writer.size)


class Watched(Through):
    """A writer that is looked at while somebody gives it bytes. `look(slow)`: it was slow for an idle timeout (True),
    or crawled for longer (False).
    """

    def __init__(
        self, writer: Writer, idle_timeout: float, look: Callable[[bool], None], note: Callable[[int], None]
    ) -> None:
        super().__init__(writer, note)
        self._window, self._look = idle_timeout, look
        self.gave = False
        self.last = self._since = self._crawls_since = time.monotonic()
        self._moved = self._crawled = 0

    def write(self, data: bytes) -> None:
        super().write(data)
        if not self.gave:  # what came before is nothing that it has to do with
            self.gave, self._since, self._crawls_since = True, time.monotonic(), time.monotonic()
        self.last = now = time.monotonic()
        self._moved += len(data)
        self._crawled += len(data)
        if now - self._since > self._window:
            slow = self._moved < SLOW * (now - self._since) and self.size < self._writer.entry.size
            self._since, self._moved = now, 0
            if slow:
                self._look(True)
        if now - self._crawls_since > _CRAWLS:
            crawls = self._crawled < CRAWL * (now - self._crawls_since)
            self._crawls_since, self._crawled = now, 0
            if crawls:
                self._look(False)
