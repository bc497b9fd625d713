"""Hedged requests for a file: sources are asked in turn, and concurrently as soon as a source is silent or slow.

Every source has a writer of its own; the first that holds the right bytes wins. A partial download is continued by the
next source. The idle timeout is the user's time budget while there is another source, and `timeouts.IDLE` when there is
none. A source with its own pace (the Hub, and members of the fleet that are followed) is never given up; while it makes
no progress, the rest are asked too.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeGuard

from ..errors import SettingsError, SourceDown, SourceError, StoreError
from ..net import timeouts
from ..store.store import Store
from ..store.verify import Mismatch
from ..store.writer import Writer
from . import health, progress, speeds
from .contender import Contender
from .sources import FileRequest, Kind, Source, report_corrupt

SLOW = 64 << 10  # bytes per second; below that another source is asked too
CRAWL = 1 << 10  # bytes per second; below that no source is waited for, not even the last
UNSHOWN = 1.0  # seconds of only hashing what is on this disk already, before a bar shows it
_TICK = 0.05
_CAUSES = 8  # of an error that are looked at: where a client raises an error again, its causes can go round in a ring
Complain = Callable[[Source, Exception], None]


class HedgedFetch:
    """The hedged fetch of a file. `run` gives the name of the giver, the source, and the writer with the bytes."""

    def __init__(
        self,
        store: Store,
        request: FileRequest,
        budget: float,
        complain: Complain,
        stopped: threading.Event | None = None,
    ) -> None:
        self.store, self.request, self.budget = store, request, budget
        self.wrong: list[tuple[str, Mismatch]] = []
        self.reasons: list[str] = []
        self.hint: str | None = None  # of the last of them that has one
        self.hub_error: Exception | None = None  # what the Hub's client raised after all its retries, and a while
        self.no_hub = False  # what answers in the Hub's place is something else
        self._complain = complain
        self._stopped = stopped or threading.Event()
        self._running: list[Contender] = []
        self._part: Writer | None = None
        self._ended = threading.Event()
        self._bar = progress.begin(request.path, request.entry.size)
        self._shown: tuple[Writer | None, int] = (None, 0)

    @contextlib.contextmanager
    def run(
        self, sources: Iterable[Source], leftovers: Iterable[Path] = ()
    ) -> Iterator[tuple[str, Source, Writer] | None]:
        """The winner, or None when no source had the right bytes, for which see `wrong` and `reasons`. StoreError."""
        kept: Writer | None = None
        try:
            self._part = self._take(leftovers)
            found = self._run(iter(sources))
            self._bar.finish()
            kept = found[2] if found else None
            yield found
        finally:
            self._bar.finish()
            largest = max((contender.writer.size for contender in self._running), default=0)
            for contender in self._running:
                # stopped half-way, by Ctrl-C or an error elsewhere: the next process goes on from there
                contender.writer.cancel(keep_part=kept is None and contender.writer.size == largest)
                if contender.work.done():  # else it tidies up itself when it notices
                    contender.writer.discard(keep_part=contender.writer.keep_part)
            if kept is not None:
                kept.discard()
            if self._part is not None:
                self._part.discard(keep_part=kept is None)

    def _take(self, leftovers: Iterable[Path]) -> Writer | None:
        paths = list(leftovers)
        if not paths:
            return None
        with self.store.writing():
            writer = self.store.new_writer(self.request.repo_id, self.request.entry, self._stopped)
        return writer if writer.continue_first(paths) else None

    def _run(self, waiting: Iterator[Source]) -> tuple[str, Source, Writer] | None:
        more = self._start_next(waiting)
        while self._running:
            self._ended.wait(_TICK)
            self._ended.clear()
            self._show()
            if self._stopped.is_set():
                raise SourceError("stopped")
            for contender in list(self._running):
                if contender.work.done():
                    self._running.remove(contender)
                    if (giver := self._end(contender)) is not None:
                        return giver, contender.source, contender.writer
                elif (pace := contender.note_pace()) is not None:
                    if more:
                        contender.look_after(pace, self.budget)
                elif self._is_behind(contender, more):
                    self._pass_by(contender, more)
            if more and all(contender.slow for contender in self._running):
                more = self._start_next(waiting)
        return None

    def _show(self) -> None:
        """Draw the progress of the source that is ahead, once it has given something itself."""
        if any(_draws_itself(contender.source) and not contender.slow for contender in self._running):
            return  # two bars in one place are none
        ours = [contender for contender in self._running if not _draws_itself(contender.source)]
        ahead = max(ours, key=lambda contender: contender.writer.checked, default=None)
        if ahead is None or (ahead.writer.size == 0 and time.monotonic() - ahead.started < UNSHOWN):
            return
        writer, size = ahead.writer, ahead.writer.checked
        ahead.held = min(ahead.held, size)  # it may have begun anew
        if size > ahead.held and self._shown[0] is not writer:
            self._bar.source(ahead.source.label, ahead.held)
            self._shown = (writer, ahead.held)
        if self._shown[0] is writer and size > self._shown[1]:
            self._bar.advance(size - self._shown[1])
            self._shown = (writer, size)

    def _is_behind(self, contender: Contender, more: bool) -> bool:
        if more and not contender.slow:
            return contender.is_slower_than(SLOW, self.budget)
        return contender.is_slower_than(CRAWL, timeouts.IDLE, to_begin=timeouts.IDLE_FIRST_BYTE)

    def _pass_by(self, contender: Contender, more: bool) -> None:
        """Let the next source be asked too, as this one is too slow; where that was done before, give it up."""
        if contender.writer.moved == 0:
            health.note_silence(contender.source.label)
            if more and not speeds.is_measured(contender.source.label):  # it may well be a wrong address
                self._complain(contender.source, SourceDown(f"silent for {self.budget:g} s"))
        if more and not contender.slow:
            contender.slow = True
            return
        self._running.remove(contender)
        contender.writer.cancel()
        self._note(contender.source, SourceError("silent for too long"))

    def _start_next(self, waiting: Iterator[Source]) -> bool:
        """Start the next source; False if there is none."""
        source = next(waiting, None)
        if source is None:
            return False
        writer, self._part = self._part, None
        if writer is None:
            with self.store.writing():
                writer = self.store.new_writer(self.request.repo_id, self.request.entry, self._stopped)
                ahead = max(
                    (contender.writer for contender in self._running), key=lambda writer: writer.size, default=None
                )
                if ahead is not None:
                    writer.continue_other(ahead)
        self._start(source, writer)
        return True

    def _start(self, source: Source, writer: Writer) -> None:
        if _draws_itself(source):
            self._bar.clear()
            self._shown = (None, 0)
        self._running.append(Contender(source, self.request, self.store, writer, self._ended))

    def _end(self, contender: Contender) -> str | None:
        """The giver of a source that has ended, or None if it has not given the right bytes."""
        source, writer = contender.source, contender.writer
        try:
            giver = contender.work.result()
        except Mismatch as mismatch:
            shared = len(writer.givers) > 1
            writer.start()
            if shared:  # another source's part was wrong, or its own: it is asked for the whole
                self._start(source, writer)
                return None
            writer.discard()
            self.wrong.append((source.label, mismatch))
            report_corrupt(source.label, self.request.path, mismatch)
        except (SourceError, SettingsError) as error:
            self._fail(contender, error)
        except (StoreError, KeyboardInterrupt):
            writer.discard()
            raise
        except Exception as error:  # a library met an answer it had not thought of: no reason not to ask the others
            self._fail(contender, SourceError(f"{type(error).__name__}: {error}"))
        else:
            contender.note_success()
            return giver
        return None

    def _fail(self, contender: Contender, error: Exception) -> None:
        writer = contender.writer
        if self._part is None or writer.size > self._part.size:
            writer, self._part = self._part, writer  # type: ignore[assignment]
        if writer is not None:
            writer.discard()
        took, cause = time.monotonic() - contender.started, error.__cause__
        if contender.source.kind is Kind.HUB and took > self.budget and _is_worn_out(cause):
            self.hub_error = cause
        self.no_hub = self.no_hub or _is_no_hub(cause)
        self._note(contender.source, error)

    def _note(self, source: Source, error: Exception) -> None:
        self.reasons.append(f"{source.label}: {error}")
        self.hint = getattr(error, "hint", None) or self.hint
        self._complain(source, error)


def _draws_itself(source: Source) -> bool:
    """Return whether a source shows its progress: the Hub's client does."""
    return source.kind is Kind.HUB


def _is_worn_out(error: BaseException | None) -> TypeGuard[Exception]:
    """Return whether the Hub's client has used up its retries. After an answer plain may ask again at no cost."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return isinstance(error, Exception) and not (status is not None and 400 <= status < 500)


def _is_no_hub(error: BaseException | None) -> bool:
    """Return whether the Hub's client has found that its answers are not a Hub's: a sign-in page, for example."""
    for _ in range(_CAUSES):
        if type(error).__name__ == "FileMetadataError":
            return True
        error = getattr(error, "__cause__", None)
    return False
