"""Names of fleets and of machines: for people, so short and printable."""

from __future__ import annotations

import socket

from ..errors import FleetError
from .members import say

MOST = 64  # characters, as of a machine's own name: https://man7.org/linux/man-pages/man2/gethostname.2.html
_SHOWN = 40  # of one that is refused


def check_name(name: str) -> None:
    """FleetError where a text is no name of a fleet."""
    hint = f"give one of 1 to {MOST} letters, digits and other printable characters"
    if len(name) > MOST:
        raise FleetError(f"{name[:_SHOWN]!r}... is {len(name)} characters long, too many for the name of a fleet", hint)
    if not name.strip() or not name.isprintable():
        raise FleetError(f"{name!r} has a character that no name of a fleet has, or none at all", hint)


def own_name() -> str:
    """The name of this machine."""
    return say(socket.gethostname(), MOST).strip() or "localhost"
