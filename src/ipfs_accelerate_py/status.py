"""What the hook does at a moment, as one value. Imports nothing of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class DoorState(str, Enum):
    """What a door of a library is at a moment. The values are in JSON."""

    IN_PLACE = "in place"
    NOT_YET_IMPORTED = "not yet imported"
    OPEN = "open"  # imported, not patched
    NOT_NEEDED = "not needed"  # by the installed version
    NOT_FOUND = "not found"  # in the installed version


@dataclass(frozen=True)
class Status:
    """What `activation.get_status()`, which documents the fields, and the command `status` give."""

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
    doors: Mapping[str, DoorState]

    def to_dict(self) -> dict[str, Any]:
        """For `get_status()` and `--json`."""
        return {**asdict(self), "doors": {name: state.value for name, state in self.doors.items()}}


def count_states(doors: Mapping[str, DoorState]) -> str:
    """How many doors are in which state: `9 in place, 2 not needed`."""
    states = list(doors.values())
    return ", ".join(f"{states.count(state)} {state.value}" for state in dict.fromkeys(states))
