"""What the hook does at a moment, as one value. Imports nothing of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Status:
    """What `activation.get_status()`, which says what each field means, and the command `status` give."""

    enabled: bool
    applied: bool
    patched_classes: Sequence[str]
    should_patch: bool
    reason: str
    variable: str | None
    store: str
    node: str | None
    served: Mapping[str, Mapping[str, int]]
    vouched: Mapping[str, Mapping[str, Sequence[str]]]
    liars: Mapping[str, str]
    doors: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """For `get_status()` and `--json`."""
        return asdict(self)
