"""Work beside the thread that brings the bytes of a file: hashing releases the interpreter's lock, as reading does."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

_LIMIT = 8 << 20  # bytes that may wait
_IDLE = 2.0  # seconds without work after which the thread ends
_LOOK = 1.0  # seconds after which one that waits looks whether the thread is there: a forked child does not have it


class Beside:
    """Does work, which does not raise, in the order in which it is put, in a thread that ends when there is none."""

    def __init__(self) -> None:
        self._jobs: deque[tuple[Callable[[], object], int]] = deque()  # those that are being done are in it
        self._size = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def put(self, job: Callable[[], object], size: int) -> None:
        """Let this be done, which needs so many bytes; waits while much is waiting already."""
        with self._changed:
            self._wait_for(lambda: self._size + size <= _LIMIT)
            self._jobs.append((job, size))
            self._size += size
            if self._thread is None:
                self._start()
            elif len(self._jobs) == 1:  # it waits for work
                self._changed.notify_all()

    def drain(self) -> None:
        """Wait until all is done."""
        with self._changed:
            self._wait_for(lambda: False)

    def _wait_for(self, is_enough: Callable[[], bool]) -> None:
        while self._jobs and not is_enough():
            if self._thread is not None and self._thread.is_alive():
                self._changed.wait(_LOOK)
            else:
                self._jobs[0][0]()
                self._forget_first()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="beside", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no more threads here: who waits does it
            self._thread = None

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._jobs and not self._changed.wait_for(lambda: self._jobs, _IDLE):
                    self._thread = None
                    return
                jobs = [job for job, _ in self._jobs]  # all at once: to change between threads has its price
            for job in jobs:
                job()
            with self._changed:
                for _ in jobs:
                    self._forget_first()
                self._changed.notify_all()

    def _forget_first(self) -> None:
        self._size -= self._jobs.popleft()[1]
