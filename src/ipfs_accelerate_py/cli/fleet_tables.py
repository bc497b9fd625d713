"""What `fleet status`, `fleet ls` and `fleet seed` print."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from ..files import say_size
from .output import print_json, print_table, tell, warn
from .program import FAILED, GOOD, UNVERIFIED

if TYPE_CHECKING:
    from ..config.settings import Settings
    from ..operations.fleet import FleetStatus


def print_status(args: Namespace, settings: Settings) -> int:
    from ..operations import fleet

    status = fleet.status(settings)
    if args.json:
        print_json(status.to_dict())
    else:
        _tell_status(args, status)
    return FAILED if status.agent is None else GOOD


def _tell_status(args: Namespace, status: FleetStatus) -> None:
    agent = status.agent
    kubo = (agent or {}).get("kubo") or {}
    whom = "every member" if status.trust == "members" else ", ".join(status.trusted) or "no member"
    rows = {
        "fleet": f"{status.fleet} ({status.id})",
        "this machine": f"{status.peer} at {status.url}",
        "store": status.store,
        "trusted while the Hub is down": whom,
        "agent": status.reason or f"runs, page {status.page}",
    }
    if agent is not None:
        state = "runs" if kubo.get("running") else kubo.get("trouble") or "does not run"
        rows["Kubo"] = state + (f", started again {kubo['restarts']} times" if kubo.get("restarts") else "")
        rows["models"] = str(agent["models"])
        if wait := agent.get("hub_wait"):
            rows["the Hub"] = (
                f"it has asked this network to wait, {wait:.0f} s more; what members have comes from them meanwhile"
            )
    width = max(map(len, rows))
    for name, text in rows.items():
        tell(args, f"{name:<{width}}  {text}")
    members = [
        (
            member["name"] or "?",
            member["peer"],
            member["agent"] or "?",
            "here" if member["there"] else f"not seen for {_say_age(member['age'])}",
            member.get("corrupt") or member.get("trouble") or "",
        )
        for member in status.members
    ]
    if members:
        tell(args, "")
        print_table(args, ("MEMBER", "PEER", "AGENT", "STATE", "TROUBLE"), members)
    else:
        tell(args, "\nno other member is known: 'fleet invite' prints the invitation")


def print_models(args: Namespace, settings: Settings) -> int:
    from ..operations import fleet

    holders = fleet.list_models(settings)
    if args.json:
        print_json([holder.to_dict() for holder in holders])
        return GOOD
    rows = [
        (model["repo"], say_size(model["bytes"]), str(model["files"]), holder.name)
        for holder in holders
        for model in holder.models
    ]
    print_table(args, ("MODEL", "SIZE", "FILES", "MACHINE"), sorted(rows))
    for holder in holders:
        if holder.trouble:
            warn(f"Warning: {holder.name or holder.peer}: {holder.trouble}")
    return GOOD


def print_seeds(args: Namespace, settings: Settings) -> int:
    from ..operations import count_bytes
    from ..operations.seed import Outcome, seed

    with count_bytes("verify") as count:
        rows = list(seed(settings, dry_run=bool(args.dry_run), progress=count))
    if args.json:
        print_json([row.to_dict() for row in rows])
    else:
        table = [
            (
                row.repo,
                row.commit[:12],
                str(row.files),
                say_size(row.bytes),
                ": ".join(filter(None, (row.outcome.value, row.reason))),
            )
            for row in rows
        ]
        print_table(args, ("REPO", "COMMIT", "FILES", "SIZE", "WHAT"), table)
    for row in rows:
        for path in row.damaged:
            warn(f"Warning: {row.repo}: {path} in {row.cache} is damaged, or is not that file of the commit")
    failed = {Outcome.FAILED: FAILED, Outcome.DAMAGED: UNVERIFIED}
    return max((failed.get(row.outcome, GOOD) for row in rows), default=GOOD)


def _say_age(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
