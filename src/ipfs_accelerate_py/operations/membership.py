"""A machine's membership of a fleet: made, joined and left, and its agent started and stopped. Settings come first."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..errors import FleetError, SourceError
from ..fleet.folder import Fleet, FleetFolder
from .fleet import ask_agent, list_members, open_folder

if TYPE_CHECKING:
    from ..config.settings import Settings

_MEET = 4.0  # seconds that `join` waits for another member
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
    from ..fleet.naming import own_name

    folder = open_folder(settings)
    made = not (name and folder.exists() and folder.read().name == name)
    if made:
        fleet = setup.make_fleet(
            settings.home,
            name or own_name(),
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

    invitation, folder = read_invitation(text), open_folder(settings)
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
            invitation.fleet_name,
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

    folder = open_folder(settings)
    fleet = folder.read()
    known = sorted(list_members(settings, folder, fleet), key=lambda member: member.seen, reverse=True)
    urls = tuple(dict.fromkeys((*(setup.contact(text, fleet.ports.agent) for text in contacts), *fleet.contacts)))
    own = () if urls and not process.is_running(folder) else (describe(fleet),)
    members = (*own, *known[: _INVITED - 1])
    return write_invitation(Invitation(fleet.name, fleet.key, members, fleet.trust, urls))


def start_agent(settings: Settings) -> Place:
    """Start the agent of this machine in the background, unless it runs."""
    from ..agent import process

    folder = open_folder(settings)
    folder.read()
    process.start(folder)
    return _place(folder, folder.read())


def stop_agent(settings: Settings) -> bool:
    """End the agent with its Kubo; return whether it ran."""
    from ..agent import process

    folder = open_folder(settings)
    folder.read()
    return process.stop(folder)


def run_agent(settings: Settings, *, listen: str | None = None, announce: str | None = None, log: bool = False) -> int:
    """Run the agent in this process until SIGTERM or SIGINT; returns the exit code.

    `listen`, `announce`: the addresses of this machine from now on; `log`: what it does is told on stderr.
    """
    from ..agent.process import check_needs

    open_folder(settings).read()
    check_needs()
    from ..agent.main import log_to_stderr, run

    if log:
        log_to_stderr()
    return run(settings.home, listen=listen, announce=announce)


def leave(settings: Settings) -> Fleet:
    """Take this machine out of its fleet: the others are told, Kubo's repo and the key go, the models stay."""
    from ..agent import process
    from ..fleet.wholeness import say_where

    folder = open_folder(settings)
    fleet = folder.read()
    with contextlib.suppress(FleetError, SourceError):
        ask_agent(settings, "/fleet/1/leave")
    process.stop(folder)
    with say_where(folder.repo):
        shutil.rmtree(folder.repo)
    return fleet


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
