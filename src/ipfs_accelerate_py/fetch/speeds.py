"""How fast sources have given bytes to this process, by their labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..session import Recent, session

_WEIGHT = 0.3  # of the newest measurement in the running mean
_MEASURABLE = 1 << 20  # bytes; the rate is not measured by smaller files
_USUAL = 100e6  # bytes per second of a source whose rate is not known yet
T = TypeVar("T")


@dataclass
class Speed:
    """Seconds to the first byte, and bytes per second from there on (0: not known yet)."""

    latency: float
    rate: float

    def estimate(self, size: int) -> float:
        """The seconds that a file of this size should take."""
        return self.latency + size / (self.rate or _USUAL)


class Speeds:
    """What was measured in this process."""

    def __init__(self) -> None:
        self.known: Recent[str, Speed] = Recent()


def is_measured(label: str) -> bool:
    """Return whether a source has given right bytes to this process."""
    return label in session.part(Speeds).known


def rate(label: str) -> float:
    """Bytes per second that a source has given; 0 if that is not known."""
    known = session.part(Speeds).known.get(label)
    return 0.0 if known is None else known.rate


def note(label: str, size: int, latency: float, seconds: float) -> None:
    """A source gave `size` right bytes: the first after `latency`, all within `seconds`."""
    known = session.part(Speeds).known.setdefault(label, Speed(latency, 0.0))
    known.latency += _WEIGHT * (latency - known.latency)
    if size >= _MEASURABLE:
        rate = size / max(seconds - latency, 1e-4)
        known.rate = rate if not known.rate else known.rate + _WEIGHT * (rate - known.rate)


def order(sources: Sequence[T], label: Callable[[T], str], size: int) -> list[T]:
    """The sources in the order in which they are asked for a file of this size.

    Measured ones change places among themselves by their estimates; the others keep theirs.
    """
    found, known = list(sources), session.part(Speeds).known
    measured = [index for index, source in enumerate(found) if label(source) in known]
    by_speed = sorted((found[index] for index in measured), key=lambda source: known[label(source)].estimate(size))
    for index, source in zip(measured, by_speed, strict=True):
        found[index] = source
    return found
