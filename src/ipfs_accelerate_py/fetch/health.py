"""The health of the sources in this process: their circuit breakers, and the order by their measured speed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from ..net import timeouts
from ..net.breaker import Breaker
from ..session import session
from . import speeds
from .sources import Source

LARGE = 4 << 20  # bytes; for such a file a source that was silent is asked all the same
S = TypeVar("S", bound=Source)


class Health:
    """What was measured in this process, by the labels of the sources."""

    def __init__(self) -> None:
        self.down: Breaker[str] = Breaker()
        self.silent: Breaker[str] = Breaker()


def note_success(label: str, size: int, latency: float, seconds: float) -> None:
    """A source gave `size` right bytes: the first after `latency`, all within `seconds`."""
    health = session.part(Health)
    health.down.close(label)
    health.silent.close(label)
    speeds.note(label, size, latency, seconds)


def note_down(label: str) -> None:
    """A source does not answer at all."""
    session.part(Health).down.open(label, timeouts.OPEN_DOWN, "down")


def note_silence(label: str) -> None:
    """A source did not answer in time."""
    session.part(Health).silent.open(label, timeouts.OPEN_SILENT, "silent")


def is_breaker_open(label: str, size: int = 0) -> bool:
    """Return whether a source is not to be asked now for a file of this size.

    A second of silence is little against a large download, and a peer that had to be found first is found by then.
    """
    health = session.part(Health)
    return health.down.is_open(label) or (size < LARGE and health.silent.is_open(label))


def order(sources: Sequence[S], size: int) -> list[S]:
    """The sources in the order in which they are asked for a file of this size.

    The measured ones change places by their speed, and those with an open breaker come last.
    """
    awake = [source for source in sources if not is_breaker_open(source.label, size)]
    asleep = [source for source in sources if is_breaker_open(source.label, size)]
    return speeds.order(awake, lambda source: source.label, size) + asleep
