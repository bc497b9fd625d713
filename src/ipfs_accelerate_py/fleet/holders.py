"""Who holds something, by what it is: each word counts for a while, and there are so many of them at most."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Holders(Generic[K]):
    """Rows of (what, peer id, until when it counts), `most` of them."""

    def __init__(self, most: int) -> None:
        self._table: dict[K, dict[str, float]] = {}
        self._rows, self._most = 0, most

    def __len__(self) -> int:
        return self._rows

    def note(self, what: K, peer: str, until: float, now: float) -> None:
        """A peer says that it holds this. Where there is no room for more it is not believed."""
        if peer not in self._table.get(what, ()):
            if self._rows >= self._most:
                self._forget_old(now)
            if self._rows >= self._most:
                return
            self._rows += 1
        self._table.setdefault(what, {})[peer] = until

    def get(self, what: K, now: float, without: Collection[str] = ()) -> list[str]:
        """The peers that hold this."""
        return [peer for peer, until in self._table.get(what, {}).items() if until > now and peer not in without]

    def forget(self, peer: str) -> None:
        """A peer is gone."""
        for what in [what for what, row in self._table.items() if peer in row]:
            self._drop(what, peer)

    def _forget_old(self, now: float) -> None:
        for what, row in list(self._table.items()):
            for peer in [peer for peer, until in row.items() if until <= now]:
                self._drop(what, peer)

    def _drop(self, what: K, peer: str) -> None:
        self._rows -= 1
        del self._table[what][peer]
        if not self._table[what]:
            del self._table[what]
