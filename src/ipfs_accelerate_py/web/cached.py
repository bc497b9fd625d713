"""A value that is read anew now and then, for many who ask for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from ..log import get_logger

T = TypeVar("T")


class Cached(Generic[T]):
    """What `read` gives, at most `seconds` old when it is asked for, or the last one while a newer one is not there.

    There is one reader at a time, whoever asks. For the event loop.
    """

    def __init__(self, read: Callable[[], Awaitable[T]], seconds: float) -> None:
        self._read, self._seconds = read, seconds
        self._value: T | None = None
        self._ended = 0.0  # when it was read last
        self._task: asyncio.Task[None] | None = None

    async def get(self, wait: float) -> T | None:
        """The value. `wait`: seconds for which a newer one is waited for; None where there is none yet."""
        loop = asyncio.get_running_loop()
        if self._task is None and (self._ended == 0.0 or loop.time() - self._ended >= self._seconds):
            self._task = loop.create_task(self._renew())
        if self._task is not None and wait > 0:
            await asyncio.wait({self._task}, timeout=wait)
        return self._value

    async def close(self) -> None:
        """Read no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _renew(self) -> None:
        try:
            self._value = await self._read()
        except Exception:
            get_logger().exception("what the page shows could not be read")
        finally:
            self._ended = asyncio.get_running_loop().time()
            self._task = None
