"""What loads of this process have met: who gave what, according to whom it was right, and whose bytes were wrong."""

from __future__ import annotations

from .session import Recent, session


class Statistics:
    """Counted since the process began."""

    def __init__(self) -> None:
        self.served: dict[str, list[int]] = {}  # kind of source -> [files, bytes]
        # repo id -> commit -> who vouched for what was loaded of it: "hub", "lock file", ..., "nobody"
        self.vouched: Recent[str, dict[str, list[str]]] = Recent()
        # sources that gave wrong bytes, and what they did: not asked again by this process
        self.liars: Recent[str, str] = Recent()

    def count(self, source: str, size: int) -> None:
        """Add one file of `size` bytes to what `source` has supplied."""
        entry = self.served.setdefault(source, [0, 0])
        entry[0] += 1
        entry[1] += size


def stats() -> Statistics:
    """Those of this process."""
    return session.part(Statistics)
