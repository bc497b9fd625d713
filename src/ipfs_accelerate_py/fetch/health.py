"""The health of the sources in this process: their measured speed, and their circuit breakers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..net import timeouts
from ..net.breaker import Breaker
from ..session import Recent, session
from .sources import Source

LARGE = 4 << 20  # bytes; for such a file a source that was silent is asked all the same
_WEIGHT = 0.3  # of the newest measurement in the running mean
_MEASURABLE = 1 << 20  # bytes; the rate is not measured by smaller files
_USUAL = 100e6  # bytes per second of a source whose rate is not known yet
S = TypeVar("S", bound=Source)


@dataclass
class Speed:
    """Seconds to the first byte, and bytes per second from there on (0: not known yet)."""

    latency: float
    rate: float

    def estimate(self, size: int) -> float:
        """The seconds that a file of this size should take."""
        return self.latency + size / (self.rate or _USUAL)


class Health:
    """What was measured in this process, by the labels of the sources."""

    def __init__(self) -> None:
        self.speeds: Recent[str, Speed] = Recent()
        self.down: Breaker[str] = Breaker()
        self.silent: Breaker[str] = Breaker()


def is_measured(label: str) -> bool:
    """Return whether a source has given right bytes to this process."""
    return label in session.part(Health).speeds


def note_success(label: str, size: int, latency: float, seconds: float) -> None:
    """A source gave `size` right bytes: the first after `latency`, all within `seconds`."""
    health = session.part(Health)
    health.down.close(label)
    health.silent.close(label)
    known = health.speeds.setdefault(label, Speed(latency, 0.0))
    known.latency += _WEIGHT * (latency - known.latency)
    if size >= _MEASURABLE:
        rate = size / max(seconds - latency, 1e-4)
        known.rate = rate if not known.rate else known.rate + _WEIGHT * (rate - known.rate)


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

    Measured sources change places among themselves by their estimates; the others keep theirs, and those with an open
    breaker come last.
    """
    speeds = session.part(Health).speeds
    awake = [source for source in sources if not is_breaker_open(source.label, size)]
    measured = [index for index, source in enumerate(awake) if source.label in speeds]
    by_speed = sorted((awake[index] for index in measured), key=lambda source: speeds[source.label].estimate(size))
    for index, source in zip(measured, by_speed, strict=True):
        awake[index] = source
    return awake + [source for source in sources if is_breaker_open(source.label, size)]
