"""Whether members of the fleet give a file more slowly than the Hub would: then the rest is fetched from the Hub.

On one network a member is quicker, or as quick as the Hub that it is followed for. A member behind a slow uplink, in
another place, is not; and nobody is to wait for it much longer than it would have taken alone. How fast the Hub is, is
known from what it gave this process, else some bytes of the file are asked of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ..errors import SourceError
from ..log import get_logger
from ..net.futures import submit
from . import speeds
from .stripes import Piece

WINDOW = 4.0  # seconds over which members are judged
LONG = 10.0  # seconds that the rest takes at their rate; less is not worth a question
TIMES = 2.0  # that the Hub is to be quicker
GAIN = 5.0  # seconds that are to be saved
PROBE = 4 << 20  # bytes
HUB = "a range of the Hub"  # the label of its speed
AskHub = Callable[[Piece], None]  # lets the Hub give some bytes of the file; any error
IsBehind = Callable[[], bool]  # whether the member has much more to give than has come


class SlowerThanHub(SourceError):
    """The rest is for the Hub to give."""


class Pace:
    """How fast one file comes from the members. `patient`: the Hub has failed, and any pace is better than none."""

    def __init__(self, size: int, ask_hub: AskHub, *, patient: bool = False) -> None:
        self._size, self._ask_hub, self._patient = size, ask_hub, patient
        self._label, self._since, self._from = "", 0.0, -1
        self._is_asked = False

    def start(self, label: str, at: int) -> None:
        """Another begins to give, from `at` on. Raises SlowerThanHub where it is known for that."""
        self._label, self._from = label, -1
        left, rate = self._size - at, speeds.rate(label)
        if rate and left / rate > LONG:
            self._judge(left, rate)

    def note(self, at: int, is_behind: IsBehind | None = None) -> None:
        """`at`: how much is here. Raises SlowerThanHub."""
        now = time.monotonic()
        if self._from < 0 or at < self._from:
            self._since, self._from = now, at
        if (seconds := now - self._since) < WINDOW:
            return
        moved, self._since, self._from = max(at - self._from, 1), now, at
        left, rate = self._size - at, moved / seconds
        if left / rate > LONG and (is_behind is None or is_behind()):
            speeds.note(self._label, moved, 0.0, seconds)
            self._judge(left, rate)

    def _judge(self, left: int, rate: float) -> None:
        if self._patient:
            return
        hub = speeds.rate(HUB)
        if not hub and not self._is_asked:
            self._is_asked = True
            submit(self._probe)
        if hub > TIMES * rate and left / rate - left / hub > GAIN:
            raise SlowerThanHub(f"it gives {rate / 1e6:.1f} MB/s, the Hub {hub / 1e6:.1f}")

    def _probe(self) -> None:
        """From the end of the file, which would come last."""
        began, first = time.monotonic(), max(0, self._size - PROBE)
        try:
            self._ask_hub(Piece(first, self._size, lambda: True))
        except Exception as error:  # it is ill, say: then it is not quicker
            get_logger().debug("the Hub's speed was not measured: %s", error)
        else:
            speeds.note(HUB, self._size - first, 0.0, time.monotonic() - began)
