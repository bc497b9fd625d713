"""Run something that may be silent, and wait for it no longer than one wants to.

A thread is used because neither a name look-up nor an answer that drips can be given a deadline from outside. The
thread is a daemon and lives only for the call: an interpreter that ends does not wait for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Generic, TypeVar

T = TypeVar("T")


class Attempt(Generic[T]):
    """A call under way. `wait` says whether it has ended, `result` gives its answer or raises its error.

    `bell`, if given, is set when it ends: one event for whoever waits for several.
    """

    def __init__(self, function: Callable[[], T], bell: threading.Event | None = None) -> None:
        self._done = threading.Event()
        self._answer: T | None = None
        self._error: BaseException | None = None
        context = copy_context()

        def work() -> None:
            try:
                self._answer = context.run(function)
            except BaseException as error:
                self._error = error
            self._done.set()
            if bell is not None:
                bell.set()

        threading.Thread(target=work, name="ipfs_accelerate-attempt", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; True if the call has ended."""
        return self._done.wait(seconds)

    def result(self) -> T:
        """The answer of a call that has ended."""
        if self._error is not None:
            raise self._error
        return self._answer  # type: ignore[return-value]
