"""What a fleet is like as this machine sees it, and whom it trusts. Settings come first."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..errors import FleetError, SourceError
from ..fleet.folder import Fleet, FleetFolder

if TYPE_CHECKING:
    from ..config.settings import Settings
    from ..fleet.members import Members

_ASK = 5.0


@dataclass(frozen=True)
class FleetStatus:
    """The fleet as this machine sees it. `agent`: what its agent reports, None where it does not run; `reason`: why;
    `page`: the URL of its page with the token, a secret.
    """

    fleet: str
    id: str
    peer: str
    url: str
    store: str
    trust: str
    trusted: Sequence[str]
    page: str | None
    reason: str
    agent: Mapping[str, Any] | None
    members: Sequence[Mapping[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


@dataclass(frozen=True)
class Holder:
    """A machine of the fleet with the models it has: rows of repo, files, bytes. `trouble`: why that is not known."""

    name: str
    peer: str
    models: Sequence[Mapping[str, Any]]
    trouble: str

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def trust(settings: Settings, peer: str, *, trusted: bool = True) -> Fleet:
    """Trust a member's word on commits and hashes when the Hub gives none, or no more. `peer`: an id or a name."""
    folder = open_folder(settings)
    fleet = folder.read()
    found = [member for member in list_members(settings, folder, fleet) if peer in (member.peer, member.name)]
    if len({member.peer for member in found}) > 1:
        ids = ", ".join(member.peer for member in found)
        raise FleetError(f"{len(found)} members are called {peer}: {ids}", "give the peer id of the one that is meant")
    if not found and (trusted or peer not in fleet.trusted):
        raise FleetError(f"there is no member {peer} in the fleet {fleet.name}", "'fleet status' lists the members")
    chosen = found[0].peer if found else peer
    rest = tuple(name for name in fleet.trusted if name != chosen)
    changed = dataclasses.replace(fleet, trusted=(*rest, chosen) if trusted else rest)
    if not trusted and fleet.trust == "members":
        raise FleetError(
            "this machine trusts every member of its fleet",
            "make a fleet whose trust is the Hub's word ('fleet init'), or 'fleet leave' and join one",
        )
    folder.write(changed)
    return changed


def status(settings: Settings) -> FleetStatus:
    """The fleet as this machine sees it, whether its agent runs or not."""
    from ..agent import process
    from ..fleet.keys import page_token

    folder = open_folder(settings)
    fleet = folder.read()
    agent, reason, page = None, "", None
    place = process.find_agent(folder)
    if place is None:
        reason = "the agent does not run; 'fleet start' starts it" + process.say_why(folder)
        now = time.time()
        members = [{**member.to_dict(now), "there": False} for member in folder.read_members(fleet.peer)]
    else:
        page = f"http://127.0.0.1:{place.port}/?token={page_token(fleet.key)}"
        try:
            agent = ask_agent(settings, "/fleet/1/status")
            members = agent.pop("members")
        except (SourceError, FleetError) as error:
            reason, members = f"the agent does not answer: {error}", []
    from ..agent.address import describe

    return FleetStatus(
        fleet.name,
        fleet.id,
        fleet.peer,
        describe(fleet).agent,
        str(settings.home),
        fleet.trust,
        fleet.trusted,
        page,
        reason,
        agent,
        members,
    )


def list_models(settings: Settings) -> list[Holder]:
    """What the machines of the fleet hold, this one first."""
    answer = ask_agent(settings, "/fleet/1/fleet-models")
    return [
        Holder(row["name"], row["peer"], [_name_repo(model) for model in row["models"]], row["trouble"])
        for row in answer["machines"]
    ]


def _name_repo(model: Mapping[str, Any]) -> dict[str, Any]:
    from ..store.layout import repo_of

    return {"repo": repo_of(model["folder"]) or model["folder"], "files": model["files"], "bytes": model["bytes"]}


def ask_agent(settings: Settings, path: str) -> dict[str, Any]:
    """The answer of the agent of this machine. FleetError where it does not run, SourceError."""
    from ..agent import process
    from ..fleet.client import AgentClient
    from ..fleet.signing import Signer

    folder = open_folder(settings)
    fleet = folder.read()
    place = process.find_agent(folder)
    if place is None:
        raise FleetError("the agent of this machine does not run" + process.say_why(folder), "'fleet start' starts it")
    return AgentClient(Signer(fleet.key, fleet.peer), _ASK).post(f"http://127.0.0.1:{place.port}", path, {})


def list_members(settings: Settings, folder: FleetFolder, fleet: Fleet) -> Members:
    """The members that the agent knows of, or that are remembered where it does not run."""
    from ..fleet.members import Member

    known = folder.read_members(fleet.peer)
    with contextlib.suppress(FleetError, SourceError, ValueError):
        known.merge(Member.from_dict(row) for row in ask_agent(settings, "/fleet/1/status")["members"])
    return known


def open_folder(settings: Settings) -> FleetFolder:
    """The folder of the fleet, whether this machine is in one or not."""
    return FleetFolder(settings.home)
