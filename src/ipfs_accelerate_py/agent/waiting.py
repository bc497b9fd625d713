"""Places for requests that wait for what is not there yet: so many at once, and not all of them for one member."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator

from aiohttp import web

MOST = 256  # requests that wait at once
MOST_EACH = 64  # of one member: more than its loads follow at once


class Waiting:
    """Who waits now."""

    def __init__(self) -> None:
        self._by_peer: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._by_peer.total()

    @contextlib.contextmanager
    def place(self, peer: str) -> Iterator[None]:
        """A place for a request of a member while it waits; HTTPServiceUnavailable where there is none."""
        if len(self) >= MOST or self._by_peer[peer] >= MOST_EACH:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "1"})
        self._by_peer[peer] += 1
        try:
            yield
        finally:
            self._by_peer[peer] -= 1
            if not self._by_peer[peer]:
                del self._by_peer[peer]
