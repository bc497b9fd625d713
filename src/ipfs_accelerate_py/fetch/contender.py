"""A source at work on a file, and whether it makes progress."""

from __future__ import annotations

import threading
import time

from ..errors import SourceDown
from ..log import get_logger
from ..net import timeouts
from ..net.futures import submit
from ..store.fs import DISK_ERRORS
from ..store.store import Store
from ..store.writer import NotWritten, Writer
from . import health
from .sources import FileRequest, OwnPace, Source


class Contender:
    """A source at work on the file, in a thread of its own."""

    def __init__(
        self, source: Source, request: FileRequest, store: Store, writer: Writer, ended: threading.Event
    ) -> None:
        self.source, self.request, self.writer = source, request, writer
        self.started = self.checked = time.monotonic()
        self.first_byte: float | None = None
        self.seen = writer.moved
        self.seen_aside: object = None  # progress outside the writer, of a source with its own pace
        self.held = writer.checked  # what other sources gave before
        self.slow = False  # found silent or slow, and the next was asked
        self.asked = False
        self._pace = source.own_pace
        self.work = submit(lambda: self._work(request, store))
        self.work.add_done_callback(lambda done: ended.set())

    def _work(self, request: FileRequest, store: Store) -> str:
        try:
            self.source.prepare()
            self.seen_aside = self._look_aside()
            self.started = self.checked = time.monotonic()
            self.asked = True
            try:
                giver = self.source.fetch(request, self.writer)
            except OSError as error:
                if isinstance(error, NotWritten) or error.errno in DISK_ERRORS:
                    with store.writing():
                        raise
                raise  # the source's own trouble
            with store.writing():
                self.writer.check()
            return giver
        except SourceDown:  # noted here, for it counts when another source has won, too
            health.note_down(self.source.label)
            raise
        finally:
            if self.writer.cancelled:
                self.writer.discard(keep_part=self.writer.keep_part)

    def is_slower_than(self, rate: float, window: float, to_begin: float = 0.0) -> bool:
        """Return whether it has moved less than `rate` within the last `window` seconds. True once per window.

        The first byte has `to_begin` seconds, where that is more.
        """
        now, moved = time.monotonic(), self.writer.moved
        if self.first_byte is None and moved > 0:
            self.first_byte = now
        if now - self.checked < (window if self.asked else timeouts.IDLE):
            return False
        if moved == 0 and now - self.started < to_begin:
            return False
        slow = moved - self.seen < rate * (now - self.checked)
        self.checked, self.seen = now, moved
        return slow

    def note_pace(self) -> OwnPace | None:
        """The source's own pace, if it has one now; the windows begin anew where that is another than before."""
        pace = self.source.own_pace
        if pace is not self._pace:
            self._pace = pace
            self.checked, self.seen = time.monotonic(), self.writer.moved
        return pace

    def look_after(self, pace: OwnPace, budget: float) -> None:
        """Note whether a source with its own pace is silent: no byte has come, nor to its folder. It may come back."""
        window = pace.may_be_silent(self.request, budget) if self.asked else timeouts.IDLE
        now = time.monotonic()
        if now - self.checked < window:
            return
        moved, aside = self.writer.moved, self._look_aside()
        slow = moved == self.seen and aside == self.seen_aside
        if slow and not self.slow:
            get_logger().info(
                "%s: silent for %.1f s; other sources are asked too", self.source.label, now - self.checked
            )
        self.slow, self.checked, self.seen, self.seen_aside = slow, now, moved, aside

    def _look_aside(self) -> object:
        pace = self.source.own_pace
        return None if pace is None else pace.seen_so_far(self.request)

    def note_success(self) -> None:
        ended = time.monotonic()
        latency = (self.first_byte or ended) - self.started
        health.note_success(self.source.label, self.writer.entry.size, latency, ended - self.started)
