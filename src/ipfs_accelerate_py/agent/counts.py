"""What an agent has done since it was started, in figures that do not grow without bound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import Any, TypeVar

_ROWS = 10_000  # of each table; what comes later is counted as "others"
OTHERS = "others"
H = TypeVar("H", bound=Hashable)


class Counts:
    """`requests`: by route and status; `refused`: by reason; `given`: bytes by peer and state (whole, arriving).

    `streams`: blobs that are being given now; `cut`: streams that ended before their end.
    """

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.refused: Counter[str] = Counter()
        self.given: Counter[tuple[str, str]] = Counter()
        self.streams = 0
        self.cut = 0

    def note_request(self, route: str, status: int) -> None:
        """A request of a member was answered."""
        self.requests[_bounded(self.requests, (route, status), (OTHERS, status))] += 1

    def note_refusal(self, reason: str) -> None:
        """A request was refused before it was read."""
        self.refused[_bounded(self.refused, reason, OTHERS)] += 1

    def note_given(self, peer: str, state: str, size: int) -> None:
        """A peer was given bytes."""
        self.given[_bounded(self.given, (peer, state), (OTHERS, state))] += size

    def sum_given(self, rows: int) -> dict[str, int]:
        """How many bytes a peer was given, for those that were given most."""
        sums: Counter[str] = Counter()
        for (peer, _), size in self.given.items():
            sums[peer] += size
        return dict(sums.most_common(rows))

    def to_dict(self) -> dict[str, Any]:
        """For JSON. For any thread."""
        given: dict[str, dict[str, int]] = {}
        for (peer, state), size in list(self.given.items()):
            given.setdefault(peer, {})[state] = size
        requests: dict[str, dict[str, int]] = {}
        for (route, status), number in list(self.requests.items()):
            requests.setdefault(route, {})[str(status)] = number
        return {
            "requests": requests,
            "refused": dict(self.refused),
            "given": given,
            "streams": self.streams,
            "cut": self.cut,
        }


def _bounded(table: Counter[H], key: H, others: H) -> H:
    return key if key in table or len(table) < _ROWS else others
