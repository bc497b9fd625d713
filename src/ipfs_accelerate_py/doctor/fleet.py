"""Whether the fleet of this machine works: its agent, its Kubo, the other members."""

from __future__ import annotations

from ..config.settings import Settings
from ..fleet.folder import FleetFolder
from ..operations import fleet
from .check import COMMAND, Check, Result, bad, good

_LOOK = f"look at {COMMAND} fleet status"


def check_of(settings: Settings) -> Check:
    """The check `fleet`. A machine that is in none is well, and so is the only member of one."""
    return Check("fleet", lambda: check_fleet(settings), _LOOK)


def check_fleet(settings: Settings) -> Result:
    """What the agent of this machine says of itself and of the others."""
    if not FleetFolder(settings.home).exists():
        return good("this machine is in no fleet")
    if settings.fleet == "off":
        return good("IPFS_ACCELERATE_FLEET is off: programs here do not use the fleet of this machine")
    status = fleet.status(settings)
    if status.agent is None:
        return bad(status.reason, f"{COMMAND} fleet start")
    kubo = status.agent.get("kubo") or {}
    if not kubo.get("running"):
        return bad(f"the fleet's Kubo does not run: {kubo.get('trouble') or 'it was not started'}", _LOOK)
    corrupt = [str(member["name"] or member["peer"]) for member in status.members if member.get("corrupt")]
    if corrupt:
        return bad(f"wrong bytes came from {', '.join(corrupt)}", f"{COMMAND} verify --repair on that machine")
    there = [member for member in status.members if member["there"]]
    if status.members and not there:
        return bad(
            f"none of the {len(status.members)} other members of {status.fleet} answers",
            f"see that their agents run ({COMMAND} fleet status there), and that firewalls let them through",
        )
    return good(f"{len(there)} of {len(status.members)} other members of {status.fleet} are there")
