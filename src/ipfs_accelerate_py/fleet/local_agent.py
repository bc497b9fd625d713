"""The agent of this machine, as its programs ask it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from ..errors import FleetError, SourceDown
from ..session import Recent, session
from .client import ROOT, AgentClient
from .folder import Fleet, FleetFolder, read_agent
from .signing import Signer

LEAST = 2.0  # seconds that an agent has at least: on a machine that is busy with loading it may need them


class LocalAgent(NamedTuple):
    """The agent of this machine, and who asks it."""

    url: str
    client: AgentClient
    seconds: float

    def post(self, route: str, document: dict[str, Any]) -> dict[str, Any]:
        """Its answer."""
        return self.client.post(self.url, ROOT + route, {**document, "seconds": self.seconds}, self.seconds)


class _Fleets:
    """What this process has read of fleets, by store: the fleet as it was, and its client."""

    def __init__(self) -> None:
        self.known: Recent[tuple[Path, float], tuple[float, Fleet, AgentClient]] = Recent(8)


def find_agent(root: Path, idle_timeout: float) -> LocalAgent:
    """The agent, which may have ended since it wrote down where it is; SourceDown where there is none."""
    idle_timeout = max(idle_timeout, LEAST)
    folder, known = FleetFolder(root), session.part(_Fleets).known
    if (place := read_agent(folder)) is None:
        raise SourceDown("there is no agent of the fleet on this machine", "start it: 'fleet start'")
    try:
        written = folder.facts.stat().st_mtime
        if (root, idle_timeout) not in known or known[root, idle_timeout][0] != written:
            fleet = folder.read()
            client = AgentClient(Signer(fleet.key, fleet.peer), idle_timeout)
            known[root, idle_timeout] = (written, fleet, client)
    except (FleetError, OSError) as error:
        raise SourceDown(str(error), getattr(error, "hint", None)) from None
    return LocalAgent(f"http://127.0.0.1:{place.port}", known[root, idle_timeout][2], idle_timeout)
