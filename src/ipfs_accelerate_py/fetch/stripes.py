"""A large file from several members at once that have it whole: pieces of it side by side, written in order."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from ..errors import SourceError
from ..net.futures import submit
from ..store.writer import Writer
from .givers import Givers, name_of

PIECE = 4 << 20  # bytes
WORTH_IT = 4 * PIECE  # bytes that are left of a file
GIVERS = 3  # members at once
_WINDOW = 4  # pieces in memory at most
_LATE = 1.0  # seconds after which the piece that all wait for is asked of another too
_TICK = 0.5
CopyPiece = Callable[[str, str, "Piece"], None]  # from a member: peer id, URL; SourceError


class Piece:
    """Takes the bytes of a file from `size` to `end`, in memory."""

    def __init__(self, first: int, end: int, is_wanted: Callable[[], bool]) -> None:
        self.size, self.end = first, end
        self.blocks: list[bytes] = []
        self.digest = hashlib.sha256()
        self._is_wanted = is_wanted

    def begin(self, giver: str) -> int:
        return self.size

    def start(self) -> None:
        raise SourceError("it gives no ranges")

    def write(self, data: bytes) -> None:
        if not self._is_wanted():
            raise SourceError("another was quicker")
        self.blocks.append(data)
        self.digest.update(data)
        self.size += len(data)


class Stripes:
    """Fills a writer from where it is. `holders`: peer id and URL each; `lost`: those that failed are added to it;
    `look`: is told how much is here, and may raise.
    """

    def __init__(
        self,
        holders: Sequence[tuple[str, str]],
        writer: Writer,
        copy: CopyPiece,
        lost: list[str],
        givers: Givers,
        look: Callable[[int], None],
    ) -> None:
        self._holders, self._writer, self._copy, self._lost, self._givers = holders, writer, copy, lost, givers
        self._look = look
        self._size = writer.entry.size
        self._changed = threading.Condition()
        self._at, self._working = writer.size, len(holders)
        self._waiting = time.monotonic()  # since when the piece at `_at` is waited for
        self._under_way: dict[int, set[str]] = {}  # where a piece begins -> who is asked for it
        self._done: dict[int, tuple[str, Piece]] = {}
        self._has_ended = False

    def fill(self) -> None:
        """SourceError where nobody gives the next piece; what came before is in the writer."""
        for peer, url in self._holders:
            submit(partial(self._work, peer, url))
        try:
            while self._at < self._size:
                peer, piece = self._wait_for_next()
                self._writer.begin(name_of(peer))
                for block in piece.blocks:
                    self._writer.write(block)
                self._givers.note(self._at, piece.end, peer, piece.digest.hexdigest())
                with self._changed:
                    self._at, self._waiting = piece.end, time.monotonic()
                    self._changed.notify_all()
                self._look(piece.end)
        finally:
            with self._changed:
                self._has_ended = True
                self._changed.notify_all()

    def _wait_for_next(self) -> tuple[str, Piece]:
        with self._changed:
            while self._at not in self._done:
                if self._writer.cancelled:
                    raise SourceError("another source was quicker")
                if not self._working:
                    raise SourceError("those that have it do not give it")
                self._changed.wait(_TICK)
            return self._done.pop(self._at)

    def _work(self, peer: str, url: str) -> None:
        try:
            while (chosen := self._choose(peer)) is not None:
                first, others = chosen
                piece = Piece(first, min(first + PIECE, self._size), partial(self._wants, first))
                try:
                    self._copy(peer, url, piece)
                except SourceError:
                    if self._wants(first):  # it does not have it, or gives no more
                        self._lost.append(peer)
                        return
                    if not others:  # it was so slow that another was quicker
                        return
                    continue
                with self._changed:
                    if self._wants(first):
                        self._done[first] = peer, piece
                    self._under_way.pop(first, None)
                    self._changed.notify_all()
        finally:
            with self._changed:
                self._working -= 1
                for asked in self._under_way.values():
                    asked.discard(peer)
                self._changed.notify_all()

    def _choose(self, peer: str) -> tuple[int, bool] | None:
        """Where the next piece begins that a member is asked for, and whether another was before; None at the end."""
        with self._changed:
            while not self._has_ended and self._at < self._size:
                for first in range(self._at, min(self._at + _WINDOW * PIECE, self._size), PIECE):
                    asked = self._under_way.setdefault(first, set())
                    is_late = first == self._at and time.monotonic() - self._waiting > _LATE
                    if first not in self._done and peer not in asked and (not asked or is_late):
                        asked.add(peer)
                        return first, len(asked) > 1
                self._changed.wait(_TICK)
        return None

    def _wants(self, first: int) -> bool:
        return not self._has_ended and first >= self._at and first not in self._done
