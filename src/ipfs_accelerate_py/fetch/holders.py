"""Takes a file from members that have it whole: from one, and from several at once where one is not quick."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from ..errors import SourceError
from ..fleet.client import AgentClient, blob_target
from ..store.verify import Mismatch
from ..store.writer import Writer
from . import speeds
from .claims import Asked
from .givers import Givers, name_of
from .pace import Pace, SlowerThanHub
from .stripes import GIVERS, WORTH_IT, Piece, Stripes
from .watched import Through

_LOOK = 1.0  # seconds after which the speed of one alone is looked at
_QUICK = 200e6  # bytes per second that one member is to give, else others are asked too
_SEVERAL = "several members"  # the label of their speed together
Holder = tuple[str, str]  # peer id, URL


class _Slow(SourceError):
    """One alone is not as quick as several may be."""


class Holders:
    """How one file comes from those that have it. `lost`: the peers that gave nothing, or wrong bytes; `reasons`: why.

    `report`: is told who gave wrong bytes: peer id, which bytes, the mismatch. `pace`: whether they are worth it.
    """

    def __init__(
        self,
        client: AgentClient,
        asked: Asked,
        writer: Writer,
        report: Callable[[str, str, Mismatch], None],
        pace: Pace,
    ) -> None:
        self.lost: list[str] = []
        self.reasons: list[str] = []
        self.wrong: Mismatch | None = None
        self._client, self._asked, self._writer, self._report, self._pace = client, asked, writer, report, pace
        self._givers = Givers()

    def take(self, holders: Sequence[Holder]) -> str | None:
        """The name of the giver, or one of them; None where nobody gave it. SlowerThanHub."""
        left = speeds.order(holders, lambda holder: name_of(holder[0]), self._asked.size)
        while left:
            (peer, url), *others = left
            try:
                found = self._take_from(peer, url, hurried=bool(others) and self.wrong is None)
            except _Slow:
                found = self._take_from_all(left[:GIVERS])
            if found:
                for liar, where, mismatch in self._givers.find_liars(self._writer.digest) if self.wrong else ():
                    self._report(liar, where, mismatch)
                return name_of(peer)
            left = [holder for holder in left if holder[0] not in self.lost]
        return None

    def _take_from(self, peer: str, url: str, hurried: bool) -> bool:
        try:
            try:
                self._copy(peer, url, hurried)
            except Mismatch:
                if len(self._writer.givers) < 2:
                    raise
                self._writer.start()  # what another began may be what is wrong: this one is asked for the whole
                self._copy(peer, url, hurried)
            return True
        except Mismatch as mismatch:
            self.wrong = mismatch
            self._report(peer, "", mismatch)
            self._writer.start()
        except (_Slow, SlowerThanHub):
            raise
        except SourceError as error:
            self.note(peer, error)
        self.lost.append(peer)
        return False

    def _copy(self, peer: str, url: str, hurried: bool) -> None:
        size, before, began = self._asked.size, self._writer.size, time.monotonic()
        hurries = hurried and size - before >= WORTH_IT
        if not hurries:
            self._pace.start(name_of(peer), before)
        sink = _Hurried(self._writer) if hurries else Through(self._writer, self._pace.note)
        try:
            self._client.copy(url, blob_target(*self._asked.file, size, whole=True), sink, size, name_of(peer))
            self._writer.check()
        finally:
            if (got := self._writer.size - before) > 0:
                speeds.note(name_of(peer), got, 0.0, time.monotonic() - began)

    def _take_from_all(self, holders: Sequence[Holder]) -> bool:
        """From several side by side. Where that fails, or the whole is wrong, they are asked one by one, as before."""
        self._pace.start(_SEVERAL, self._writer.size)
        stripes = Stripes(holders, self._writer, self._copy_piece, self.lost, self._givers, self._pace.note)
        try:
            stripes.fill()
            self._writer.check()
            return True
        except Mismatch as mismatch:
            self.wrong = mismatch
            self._writer.start()
        except SourceError as error:
            if self._writer.cancelled or isinstance(error, SlowerThanHub):
                raise
            self.reasons.append(str(error))
        return False

    def _copy_piece(self, peer: str, url: str, piece: Piece) -> None:
        began, size = time.monotonic(), piece.end - piece.size
        target = blob_target(*self._asked.file, self._asked.size, whole=True)
        self._client.copy(url, target, piece, piece.end, name_of(peer), ends=True)
        speeds.note(name_of(peer), size, 0.0, time.monotonic() - began)

    def note(self, peer: str, error: SourceError) -> None:
        """A member does not give it; raises the error where another source was quicker."""
        if self._writer.cancelled:
            raise error
        self.reasons.append(f"{name_of(peer)}: {error}")


class _Hurried(Through):
    """A writer that one member is to fill quickly."""

    def __init__(self, writer: Writer) -> None:
        super().__init__(writer)
        self._began, self._got = time.monotonic(), 0

    def write(self, data: bytes) -> None:
        super().write(data)
        self._got += len(data)
        seconds = time.monotonic() - self._began
        if seconds > _LOOK and self._got < _QUICK * seconds and self._writer.entry.size - self.size >= WORTH_IT:
            raise _Slow("others are asked too")
