"""How the sources have done in this process: how fast they were, and which are left alone for a while."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from .sources import Source

REST_DOWN = 30.0  # seconds that a source where nobody answers is asked only when nobody else is left
REST_SILENT = 5.0  # the same for one that was silent: it may have been busy for a moment
LARGE = 4 << 20  # bytes; for such a file one that was silent is asked all the same
_WEIGHT = 0.3  # of the newest measurement in the running mean
_TELLING = 1 << 20  # bytes; what a smaller file took tells nothing of the rate
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


speeds: dict[str, Speed] = {}
_down: dict[str, float] = {}
_silent: dict[str, float] = {}


def forget() -> None:
    """Forget all that was measured."""
    for each in (speeds, _down, _silent):
        each.clear()


def note_success(label: str, size: int, latency: float, seconds: float) -> None:
    """A source gave `size` right bytes: the first after `latency`, all within `seconds`."""
    _down.pop(label, None)
    _silent.pop(label, None)
    known = speeds.setdefault(label, Speed(latency, 0.0))
    known.latency += _WEIGHT * (latency - known.latency)
    if size >= _TELLING:
        rate = size / max(seconds - latency, 1e-4)
        known.rate = rate if not known.rate else known.rate + _WEIGHT * (rate - known.rate)


def note_down(label: str) -> None:
    """Nobody answers there."""
    _down[label] = time.monotonic() + REST_DOWN


def note_silence(label: str) -> None:
    """A source did not answer in time."""
    _silent[label] = time.monotonic() + REST_SILENT


def is_resting(label: str, size: int = 0) -> bool:
    """Is it better left alone for a file of this size?

    A second of silence is little against a large download, and a peer that had to be found first is found by then.
    """
    now = time.monotonic()
    return now < _down.get(label, 0.0) or (size < LARGE and now < _silent.get(label, 0.0))


def order(sources: Sequence[S], size: int) -> list[S]:
    """Who is asked first for a file of this size.

    Measured sources change places among themselves by what they would need; the others keep theirs, and who did not
    answer a moment ago comes last.
    """
    awake = [source for source in sources if not is_resting(source.label, size)]
    measured = [index for index, source in enumerate(awake) if source.label in speeds]
    by_speed = sorted((awake[index] for index in measured), key=lambda each: speeds[each.label].estimate(size))
    for index, source in zip(measured, by_speed, strict=True):
        awake[index] = source
    return awake + [source for source in sources if is_resting(source.label, size)]
