"""Run a call that may hang, and wait for it until a deadline.

A thread is used because neither a name look-up nor an answer that drips can be given a deadline from outside. It is a
daemon and lives only for the call: an interpreter that ends does not wait for it, as it would for an executor's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, TimeoutError
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


def submit(function: Callable[[], T], name: str = "ipfs_accelerate") -> Future[T]:
    """Call a function in a thread of its own, with the context variables of this one."""
    future: Future[T] = Future()
    context = copy_context()

    def work() -> None:
        try:
            answer = context.run(function)
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(answer)

    threading.Thread(target=work, name=name, daemon=True).start()
    return future


def has_ended(future: Future[T], seconds: float = 0.0) -> bool:
    """Wait at most so long; return whether the call has ended. Then `future.result()` gives its answer or raises."""
    try:
        future.exception(seconds)
    except TimeoutError:
        return False
    return True
