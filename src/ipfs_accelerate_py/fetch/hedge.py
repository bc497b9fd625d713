"""Ask sources for one file: one after the other, and side by side as soon as one is silent or slow.

Each has a receiver of its own; the first that holds the right bytes wins. A part that one left is continued by the
next. A source may be silent for the user's time budget while another can be asked, and for `timeouts.IDLE` when none
can. One that is patient (the Hub) is never given up; while it shows no sign of bytes, who is left is asked beside it.
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
from ..store.writer import Receiver
from . import health, progress
from .contender import Runner
from .sources import Source, Wanted, report_liar

SLOW = 64 << 10  # bytes per second; below that another source is asked beside
CRAWL = 1 << 10  # bytes per second; below that nobody is waited for, not even the last
UNSAID = 1.0  # seconds of only hashing what is on this disk already, before a bar says so
_TICK = 0.05
_CAUSES = 8  # of an error that are looked at: where a client raises an error again, its causes can go round in a ring
Complain = Callable[[Source, Exception], None]


class Race:
    """The sources for one file. `run` gives who gave the bytes, the source, and the receiver that holds them."""

    def __init__(
        self, store: Store, wanted: Wanted, budget: float, complain: Complain, stopped: threading.Event | None = None
    ) -> None:
        self.store, self.wanted, self.budget = store, wanted, budget
        self.wrong: list[tuple[str, Mismatch]] = []
        self.reasons: list[str] = []
        self.hint: str | None = None  # of the last of them that has one
        self.hub_error: Exception | None = None  # what the Hub's client raised after all its retries, and a while
        self.no_hub = False  # what answers in the Hub's place is something else
        self._complain = complain
        self._stopped = stopped or threading.Event()
        self._running: list[Runner] = []
        self._part: Receiver | None = None
        self._bell = threading.Event()
        self._bar = progress.begin(wanted.path, wanted.entry.size)
        self._shown: tuple[Receiver | None, int] = (None, 0)

    @contextlib.contextmanager
    def run(
        self, sources: Iterable[Source], leftovers: Iterable[Path] = ()
    ) -> Iterator[tuple[str, Source, Receiver] | None]:
        """The winner, or None when nobody had the right bytes: `wrong` and `reasons` say why. StoreError."""
        kept: Receiver | None = None
        try:
            self._part = self._take(leftovers)
            found = self._run(iter(sources))
            self._bar.finish()
            kept = found[2] if found else None
            yield found
        finally:
            self._bar.finish()
            largest = max((runner.receiver.size for runner in self._running), default=0)
            for runner in self._running:
                # stopped half-way, by Ctrl-C or an error elsewhere: the next process goes on from there
                runner.receiver.cancel(keep_part=kept is None and runner.receiver.size == largest)
                if runner.work.done():  # else it tidies up itself when it notices
                    runner.receiver.discard(keep_part=runner.receiver.keep_part)
            if kept is not None:
                kept.discard()
            if self._part is not None:
                self._part.discard(keep_part=kept is None)

    def _take(self, leftovers: Iterable[Path]) -> Receiver | None:
        paths = list(leftovers)
        if not paths:
            return None
        with self.store.writing():
            receiver = self.store.new_receiver(self.wanted.repo_id, self.wanted.entry, self._stopped)
        return receiver if receiver.continue_first(paths) else None

    def _run(self, waiting: Iterator[Source]) -> tuple[str, Source, Receiver] | None:
        more = self._start_next(waiting)
        while self._running:
            self._bell.wait(_TICK)
            self._bell.clear()
            self._show()
            if self._stopped.is_set():
                raise SourceError("stopped")
            for runner in list(self._running):
                if runner.work.done():
                    self._running.remove(runner)
                    if (giver := self._end(runner)) is not None:
                        return giver, runner.source, runner.receiver
                elif runner.source.is_patient:
                    if more:
                        runner.look_after(self.budget)
                elif self._is_behind(runner, more):
                    self._pass_by(runner, more)
            if more and all(runner.slow for runner in self._running):
                more = self._start_next(waiting)
        return None

    def _show(self) -> None:
        """Draw how the one who is ahead gets on, once it has given something itself."""
        if any(runner.source.is_patient and not runner.slow for runner in self._running):
            return  # the Hub's client draws its own, and two in one place are none
        ours = [runner for runner in self._running if not runner.source.is_patient]
        ahead = max(ours, key=lambda each: each.receiver.checked, default=None)
        if ahead is None or (ahead.receiver.size == 0 and time.monotonic() - ahead.started < UNSAID):
            return
        receiver, size = ahead.receiver, ahead.receiver.checked
        ahead.held = min(ahead.held, size)  # it may have begun anew
        if size > ahead.held and self._shown[0] is not receiver:
            self._bar.source(ahead.source.label, ahead.held)
            self._shown = (receiver, ahead.held)
        if self._shown[0] is receiver and size > self._shown[1]:
            self._bar.advance(size - self._shown[1])
            self._shown = (receiver, size)

    def _is_behind(self, runner: Runner, more: bool) -> bool:
        if more and not runner.slow:
            return runner.is_slower_than(SLOW, self.budget)
        return runner.is_slower_than(CRAWL, timeouts.IDLE, to_begin=timeouts.IDLE_FIRST_BYTE)

    def _pass_by(self, runner: Runner, more: bool) -> None:
        """One is too slow: another is asked beside it; if there was enough time for that too, it is given up."""
        if runner.receiver.moved == 0:
            health.note_silence(runner.source.label)
            if more and not health.is_measured(runner.source.label):  # it may well be a wrong address
                self._complain(runner.source, SourceDown(f"silent for {self.budget:g} s"))
        if more and not runner.slow:
            runner.slow = True
            return
        self._running.remove(runner)
        runner.receiver.cancel()
        self._note(runner.source, SourceError("silent for too long"))

    def _start_next(self, waiting: Iterator[Source]) -> bool:
        """Start the next one; False if there is none."""
        source = next(waiting, None)
        if source is None:
            return False
        receiver, self._part = self._part, None
        if receiver is None:
            with self.store.writing():
                receiver = self.store.new_receiver(self.wanted.repo_id, self.wanted.entry, self._stopped)
                ahead = max((runner.receiver for runner in self._running), key=lambda each: each.size, default=None)
                if ahead is not None:
                    receiver.continue_other(ahead)
        self._start(source, receiver)
        return True

    def _start(self, source: Source, receiver: Receiver) -> None:
        if source.is_patient:
            self._bar.clear()
            self._shown = (None, 0)
        self._running.append(Runner(source, self.wanted, self.store, receiver, self._bell))

    def _end(self, runner: Runner) -> str | None:
        """One has ended: who gave the bytes, or None if they are not there or not right."""
        source, receiver = runner.source, runner.receiver
        try:
            giver = runner.work.result()
        except Mismatch as mismatch:
            shared = len(receiver.givers) > 1
            receiver.start()
            if shared:  # somebody else's part was wrong, or its own: it is asked for the whole
                self._start(source, receiver)
                return None
            receiver.discard()
            self.wrong.append((source.label, mismatch))
            report_liar(source.label, self.wanted.path, mismatch)
        except (SourceError, SettingsError) as error:
            self._fail(runner, error)
        except (StoreError, KeyboardInterrupt):
            receiver.discard()
            raise
        except Exception as error:  # a library met an answer it had not thought of: no reason not to ask the others
            self._fail(runner, SourceError(f"{type(error).__name__}: {error}"))
        else:
            runner.note_success()
            return giver
        return None

    def _fail(self, runner: Runner, error: Exception) -> None:
        receiver = runner.receiver
        if self._part is None or receiver.size > self._part.size:
            receiver, self._part = self._part, receiver  # type: ignore[assignment]
        if receiver is not None:
            receiver.discard()
        took, cause = time.monotonic() - runner.started, error.__cause__
        if runner.source.is_patient and took > self.budget and _is_worn_out(cause):
            self.hub_error = cause
        self.no_hub = self.no_hub or _is_no_hub(cause)
        self._note(runner.source, error)

    def _note(self, source: Source, error: Exception) -> None:
        self.reasons.append(f"{source.label}: {error}")
        self.hint = getattr(error, "hint", None) or self.hint
        self._complain(source, error)


def _is_worn_out(error: BaseException | None) -> TypeGuard[Exception]:
    """Has the Hub's client used up its retries? What was answered, plain may ask in another way, and at no cost."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return isinstance(error, Exception) and not (status is not None and 400 <= status < 500)


def _is_no_hub(error: BaseException | None) -> bool:
    """Did the Hub's client find that its answers are not a Hub's? A sign-in page of a network, for example."""
    for _ in range(_CAUSES):
        if type(error).__name__ == "FileMetadataError":
            return True
        error = getattr(error, "__cause__", None)
    return False
