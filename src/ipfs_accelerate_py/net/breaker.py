"""Circuit breakers: an address that failed a moment ago is not asked for a while, and the reason is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from ..session import Recent

T = TypeVar("T")


class Breaker(Generic[T]):
    """A breaker by address. After a failure it is open for some seconds: the address is not asked."""

    def __init__(self) -> None:
        self._open: Recent[Hashable, tuple[float, T]] = Recent()

    def open(self, address: Hashable, seconds: float, why: T) -> None:
        """Open the breaker of an address for so long."""
        self._open[address] = (time.monotonic() + seconds, why)

    def close(self, address: Hashable) -> None:
        """Close the breaker of an address: it has answered again."""
        self._open.pop(address, None)

    def close_where(self, matches: Callable[[Any], bool]) -> None:
        """Close the breakers of all addresses that match."""
        for address in [address for address in list(self._open) if matches(address)]:
            self.close(address)

    def is_open(self, address: Hashable) -> bool:
        """Return whether the breaker of an address is open."""
        return time.monotonic() < self._open[address][0] if address in self._open else False

    def why(self, address: Hashable) -> T | None:
        """Why the breaker of an address is open; None while it is closed."""
        until, why = self._open.get(address, (0.0, None))
        return why if time.monotonic() < until else None
