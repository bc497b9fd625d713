"""Circuit breakers: what failed a moment ago is left alone for a while, and why is known."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from ..session import Recent

T = TypeVar("T")


class Breaker(Generic[T]):
    """One breaker for each address. It is open, which means that nobody is asked, for some seconds after a failure."""

    def __init__(self) -> None:
        self._open: Recent[Hashable, tuple[float, T]] = Recent()

    def open(self, address: Hashable, seconds: float, why: T) -> None:
        """Nobody is to be asked there for so long."""
        self._open[address] = (time.monotonic() + seconds, why)

    def close(self, address: Hashable) -> None:
        """It has answered again."""
        self._open.pop(address, None)

    def close_where(self, matches: Callable[[Any], bool]) -> None:
        """Close those of all addresses that match."""
        for address in [address for address in list(self._open) if matches(address)]:
            self.close(address)

    def is_open(self, address: Hashable) -> bool:
        """Return whether it failed a moment ago."""
        return time.monotonic() < self._open[address][0] if address in self._open else False

    def why(self, address: Hashable) -> T | None:
        """Why it is open; None while it is closed."""
        until, why = self._open.get(address, (0.0, None))
        return why if time.monotonic() < until else None
