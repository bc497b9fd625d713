"""What the page shows, as one document, with no more rows than a person can read and a browser can draw."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ...store import layout
from ...web.arriving import Arriving
from ...web.attention import explain_refusals, find_problems

if TYPE_CHECKING:
    from ..agent import Agent

_ROWS = 500  # of each table
_HOLDERS = 12  # machines that are named for a model
Machines = Sequence[Mapping[str, Any]]  # see `report.list_models`


def make_overview(
    agent: Agent, state: Mapping[str, Any], machines: Machines | None, arriving: Sequence[Arriving]
) -> dict[str, Any]:
    """The document. `state`: see `report.report`; `machines`: None where they have not told yet."""
    own, names = agent.describe(), _name_all(agent, state, machines or ())
    models, transfers = list_holders(machines or ()), list_transfers(machines or (), names)
    took = {row["taker_peer"]: row["bytes"] for row in transfers if row["giver_peer"] == own.peer}
    gave = {row["giver_peer"]: row["bytes"] for row in transfers if row["taker_peer"] == own.peer}
    members = [
        {
            **{key: member[key] for key in ("name", "peer", "agent", "version", "age", "there", "trouble", "corrupt")},
            "gave": gave.get(member["peer"], 0),
            "took": took.get(member["peer"], 0),
        }
        for member in sorted(state["members"], key=lambda member: not member["there"])
    ]
    problems = list(find_problems(state, str(agent.folder.kubo_log)))
    return {
        "time": time.time(),
        "fleet": {"name": agent.fleet.name, "id": agent.fleet.id},
        "machine": {
            "name": own.name,
            "peer": own.peer,
            "agent": own.agent,
            "started": state["started"],
            "kubo": state["kubo"],
        },
        "told": machines is not None,
        "spared": sum(row["bytes"] for row in transfers),
        "gave": sum(took.values()),
        "took": sum(gave.values()),
        "there": sum(bool(member["there"]) for member in state["members"]),
        "members": _table(members),
        "models": _table(models),
        "transfers": _table(transfers),
        "arriving": _table([{**asdict(each), "machine": names.get(each.peer, "")} for each in arriving]),
        "problems": _table(problems),
        "refused": _table(explain_refusals(state["refused"])),
    }


def list_holders(machines: Machines) -> list[dict[str, Any]]:
    """The models by name, each with the machines that have files of it. `bytes`: the most that one has."""
    found: dict[str, list[dict[str, Any]]] = {}
    for machine in machines:
        for model in machine["models"]:
            holder = {"name": machine["name"], "peer": machine["peer"], "bytes": model["bytes"]}
            found.setdefault(model["folder"], []).append(holder)
    rows = [
        {
            "name": layout.repo_of(folder) or folder,
            "bytes": max(holder["bytes"] for holder in holders),
            "machines": len(holders),
            "holders": holders[:_HOLDERS],
        }
        for folder, holders in found.items()
    ]
    return sorted(rows, key=lambda row: str(row["name"]).lower())


def list_transfers(machines: Machines, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Who gave whom how much, most first, as the givers tell it. What a machine takes from itself does not count."""
    rows = [
        {
            "giver": names.get(machine["peer"], ""),
            "giver_peer": machine["peer"],
            "taker": names.get(taker, ""),
            "taker_peer": taker,
            "bytes": size,
        }
        for machine in machines
        for taker, size in machine["given"].items()
        if taker != machine["peer"]
    ]
    return sorted(rows, key=lambda row: (-row["bytes"], row["giver_peer"], row["taker_peer"]))


def _name_all(agent: Agent, state: Mapping[str, Any], machines: Machines) -> dict[str, str]:
    names = {row["peer"]: row["name"] for row in (*state["members"], *machines)}
    return {**names, agent.fleet.peer: agent.describe().name}


def _table(rows: Sequence[Any]) -> dict[str, Any]:
    """The rows that are shown, and how many there are."""
    return {"rows": rows[:_ROWS], "all": len(rows)}
