"""Statistics of the loads of this process: bytes by source, authorities by commit, and corrupt sources."""

from __future__ import annotations

from .session import Recent, session


class Statistics:
    """Counted since the process began."""

    def __init__(self) -> None:
        self.served: dict[str, list[int]] = {}  # kind of source -> [files, bytes]
        # repo id -> commit -> authorities for the files that were loaded of it: "hub", "lock file", ..., "nobody"
        self.vouched: Recent[str, dict[str, list[str]]] = Recent()
        # corrupt sources, and what they sent: not asked again by this process
        self.liars: Recent[str, str] = Recent()

    def count(self, source: str, size: int) -> None:
        """Add one file of `size` bytes to what `source` has supplied."""
        entry = self.served.setdefault(source, [0, 0])
        entry[0] += 1
        entry[1] += size


def stats() -> Statistics:
    """Those of this process."""
    return session.part(Statistics)
