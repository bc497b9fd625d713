"""What can be done with a fleet, as functions with typed results. They take the settings first."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..errors import FleetError, SourceError
from ..fleet.folder import Fleet, FleetFolder

if TYPE_CHECKING:
    from ..config.settings import Settings
    from ..fleet.members import Members

_MEET = 4.0  # seconds that `join` waits for another member
_ASK = 5.0
_INVITED = 8  # members whose addresses are in an invitation


@dataclass(frozen=True)
class Place:
    """This machine's place in a fleet. `running`: its agent does; `met`: names of members that answer;
    `unmet`: URL of a member's agent -> why it does not; `made`: the fleet is new; `written`: the invitation's file.
    """

    fleet: str
    id: str
    peer: str
    url: str
    store: str
    running: bool
    met: Sequence[str] = ()
    unmet: Mapping[str, str] = dataclasses.field(default_factory=dict)
    invitation: str | None = None
    made: bool = False
    written: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


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


def init(
    settings: Settings,
    name: str | None,
    *,
    listen: str = "",
    announce: str = "",
    trust: str | None = None,
    program: str = "",
    start: bool = True,
    contacts: Sequence[str] = (),
) -> Place:
    """Make a new fleet, of which this machine is the first member, and its invitation. `contacts`: see `invite`.

    In a fleet of that name already: as `join` with its invitation, so that a container can say it at every start.
    """
    from ..fleet import setup

    folder = _folder(settings)
    made = not (name and folder.exists() and folder.read().name == name)
    if made:
        fleet = setup.make_fleet(
            settings.home,
            name or socket.gethostname(),
            listen=listen,
            announce=announce,
            trust=trust or "hub",
            program=program,
            contacts=[setup.contact(text, setup.AGENT_PORT) for text in contacts],
        )
    else:
        fleet = _stay(folder, listen, announce)
        if trust not in (None, fleet.trust):
            raise FleetError(
                f"this machine is in the fleet {fleet.name!r} already, whose trust is {fleet.trust!r}",
                "'fleet trust PEER' trusts one member; 'fleet leave', then 'fleet init' makes a new fleet",
            )
    if start:
        start_agent(settings)
    return _place(folder, fleet, invitation=invite(settings, () if made else contacts), made=made)


def join(
    settings: Settings,
    text: str,
    *,
    listen: str = "",
    announce: str = "",
    program: str = "",
    start: bool = True,
) -> Place:
    """Take this machine into the fleet of an invitation. In that fleet already: learn the addresses in it."""
    from ..fleet import setup
    from ..fleet.invitation import read_invitation
    from ..fleet.members import ALIVE

    invitation, folder = read_invitation(text), _folder(settings)
    # a later word than an older one, and no word that they are there now
    members = [dataclasses.replace(member, seen=time.time() - ALIVE) for member in invitation.members]
    if folder.exists() and folder.read().key == invitation.key:
        fleet = _stay(folder, listen, announce)
        known = folder.read_members(fleet.peer)
        known.merge(members)
        folder.write_members(known)
        if not set(invitation.contacts) <= set(fleet.contacts):
            fleet = dataclasses.replace(fleet, contacts=invitation.contacts)
            folder.write(fleet)
    else:
        fleet = setup.make_fleet(
            settings.home,
            invitation.name,
            key=invitation.key,
            listen=listen,
            announce=announce,
            trust=invitation.trust,
            members=members,
            program=program,
            contacts=invitation.contacts,
        )
    if not start:
        return _place(folder, fleet)
    start_agent(settings)
    end = time.monotonic() + _MEET
    while True:
        met, unmet = _meetings(settings)
        if met or time.monotonic() > end:
            return _place(folder, folder.read(), met=met, unmet=unmet)
        time.sleep(0.1)


def _stay(folder: FleetFolder, listen: str, announce: str) -> Fleet:
    """The fleet that this machine is in, with the address that it is to have from now on."""
    from ..agent import process
    from ..fleet import setup

    fleet = folder.read()
    if (listen or fleet.listen, announce or fleet.announce) == (fleet.listen, fleet.announce):
        return fleet
    if process.is_running(folder):
        raise FleetError("the agent of this machine runs at another address", "'fleet stop' first, then say it again")
    return setup.move(folder, listen or None, announce or None)


def invite(settings: Settings, contacts: Sequence[str] = ()) -> str:
    """The invitation to the fleet of this machine, one line. It is a secret.

    `contacts`: names, or names with ports, at which some member answers, whichever it is, beside those of the fleet.
    A machine whose agent does not run is not among the members in an invitation that has contacts.
    """
    from ..agent import process
    from ..agent.address import describe
    from ..fleet import setup
    from ..fleet.invitation import Invitation, write_invitation

    folder = _folder(settings)
    fleet = folder.read()
    known = sorted(_members(settings, folder, fleet), key=lambda member: member.seen, reverse=True)
    urls = tuple(dict.fromkeys((*(setup.contact(text, fleet.ports.agent) for text in contacts), *fleet.contacts)))
    own = () if urls and not process.is_running(folder) else (describe(fleet),)
    members = (*own, *known[: _INVITED - 1])
    return write_invitation(Invitation(fleet.name, fleet.key, members, fleet.trust, urls))


def start_agent(settings: Settings) -> Place:
    """Start the agent of this machine in the background, unless it runs."""
    from ..agent import process

    folder = _folder(settings)
    folder.read()
    process.start(folder)
    return _place(folder, folder.read())


def stop_agent(settings: Settings) -> bool:
    """End the agent with its Kubo; return whether it ran."""
    from ..agent import process

    folder = _folder(settings)
    folder.read()
    return process.stop(folder)


def run_agent(settings: Settings, *, listen: str | None = None, announce: str | None = None, log: bool = False) -> int:
    """Run the agent in this process until SIGTERM or SIGINT; returns the exit code.

    `listen`, `announce`: the addresses of this machine from now on; `log`: what it does is told on stderr.
    """
    from ..agent.process import check_needs

    _folder(settings).read()
    check_needs()
    from ..agent.main import log_to_stderr, run

    if log:
        log_to_stderr()
    return run(settings.home, listen=listen, announce=announce)


def leave(settings: Settings) -> Fleet:
    """Take this machine out of its fleet: the others are told, Kubo's repo and the key go, the models stay."""
    from ..agent import process

    folder = _folder(settings)
    fleet = folder.read()
    with contextlib.suppress(FleetError, SourceError):
        ask_agent(settings, "/fleet/1/leave")
    process.stop(folder)
    shutil.rmtree(folder.repo)
    return fleet


def trust(settings: Settings, peer: str, *, trusted: bool = True) -> Fleet:
    """Trust a member's word on commits and hashes when the Hub gives none, or no more. `peer`: an id or a name."""
    folder = _folder(settings)
    fleet = folder.read()
    found = [member for member in _members(settings, folder, fleet) if peer in (member.peer, member.name)]
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

    folder = _folder(settings)
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

    folder = _folder(settings)
    fleet = folder.read()
    place = process.find_agent(folder)
    if place is None:
        raise FleetError("the agent of this machine does not run" + process.say_why(folder), "'fleet start' starts it")
    return AgentClient(Signer(fleet.key, fleet.peer), _ASK).post(f"http://127.0.0.1:{place.port}", path, {})


def _members(settings: Settings, folder: FleetFolder, fleet: Fleet) -> Members:
    """The members that the agent knows of, or that are remembered where it does not run."""
    from ..fleet.members import Member

    known = folder.read_members(fleet.peer)
    with contextlib.suppress(FleetError, SourceError, ValueError):
        known.merge(Member.from_dict(row) for row in ask_agent(settings, "/fleet/1/status")["members"])
    return known


def _folder(settings: Settings) -> FleetFolder:
    return FleetFolder(settings.home)


def _place(folder: FleetFolder, fleet: Fleet, **more: Any) -> Place:
    from ..agent import process
    from ..agent.address import describe

    running = process.find_agent(folder) is not None
    return Place(fleet.name, fleet.id, fleet.peer, describe(fleet).agent, str(folder.store), running, **more)


def _meetings(settings: Settings) -> tuple[list[str], dict[str, str]]:
    status = ask_agent(settings, "/fleet/1/status")
    members = status["members"]
    met = [member["name"] for member in members if member["there"]]
    return met, {
        **{member["agent"]: member["trouble"] for member in members if not member["there"]},
        **{url: trouble for url, trouble in status.get("contacts", {}).items() if trouble},
    }
