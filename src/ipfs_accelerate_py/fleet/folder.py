"""The folder of the fleet on a machine: `<store>/.fleet`, a Kubo repo, with our own files in its folder `accelerate`.

A Kubo can refer to files below the folder that contains its repo, in place of copying them: that is the store.
https://github.com/ipfs/kubo/blob/master/docs/experimental-features.md#ipfs-filestore
All in it may tell the swarm key, so that nobody but its owner may read it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..config.settings import FLEET_SETTINGS
from ..errors import FleetError
from ..files import replace_file
from . import keys
from .members import Member, Members
from .wholeness import say_where

NAME, OWN, _SETTINGS = FLEET_SETTINGS.split("/")  # `.fleet` lies beside the repos in the store
FORMAT = 1
_SECRET = 0o600
_LAST_PID = 2**31 - 1
_LAST_TIME = 2**33  # seconds since 1970 that every platform can show


@dataclass(frozen=True)
class Ports:
    """The TCP ports of a machine's Kubo and agent: `swarm` and `agent` for the members, the others on 127.0.0.1.

    `local`: of the agent, for the programs of this machine and for its page.
    """

    swarm: int
    agent: int
    api: int
    gateway: int
    local: int


@dataclass(frozen=True)
class Fleet:
    """A fleet as one machine of it has it on disk. `listen`: the address of this machine at which others reach it;
    `announce`: another one that leads there, where the machine does not know it itself; `trust`: hub or members;
    `program`: the path of Kubo's; `contacts`: URLs at which some member's agent answers, whichever it is.
    """

    name: str
    peer: str
    listen: str
    ports: Ports
    announce: str = ""
    trust: str = "hub"
    trusted: tuple[str, ...] = ()
    program: str = ""
    contacts: tuple[str, ...] = ()
    key: bytes = field(default=b"", repr=False)

    @property
    def id(self) -> str:
        """What identifies the fleet in messages."""
        return keys.fleet_id(self.key)


class FleetFolder:
    """The paths in a fleet's folder, and what the files there say."""

    def __init__(self, store: Path, repo: Path | None = None) -> None:
        self.store = store
        self.repo = repo or store / NAME
        self.own = self.repo / OWN
        self.swarm_key = self.repo / "swarm.key"
        self.facts = self.own / "fleet.json"
        self.settings = self.own / _SETTINGS  # what the fleet means for the settings: see `config.settings`
        self.members = self.own / "members.json"
        self.agent = self.own / "agent.json"  # of the agent that runs: see `AgentPlace`
        self.agent_lock = self.own / "agent.lock"
        self.agent_log = self.own / "agent.log"
        self.kubo_log = self.own / "kubo.log"

    def exists(self) -> bool:
        """Return whether this machine is in a fleet that this user may use: the folder is for its owner alone."""
        return os.access(self.facts, os.R_OK)

    def read(self) -> Fleet:
        """The fleet of this machine. FleetError where there is none, or its files cannot be read."""
        try:
            row = json.loads(self.facts.read_bytes())
            key = keys.parse_key(self.swarm_key.read_bytes())
            if row.pop("format") > FORMAT:
                raise FleetError(f"{self.facts} is of a newer version", "install a newer ipfs_accelerate_py")
            row["ports"], row["trusted"] = Ports(**row["ports"]), tuple(row["trusted"])
            row["contacts"] = tuple(row.get("contacts", ()))
            fleet = Fleet(**row, key=key)
            _check_facts(fleet)
            return fleet
        except FileNotFoundError as error:
            if not self.facts.exists():
                raise FleetError(
                    f"this machine is in no fleet: there is no {self.facts}",
                    "'fleet init' on the first machine, 'fleet join INVITATION' on every other one",
                ) from None
            raise self._damaged(error) from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise self._damaged(error) from error

    def write(self, fleet: Fleet) -> None:
        """Keep the facts of the fleet, and what it means for the settings of the programs on this machine."""
        row = asdict(fleet)
        del row["key"]
        self.write_secret(self.facts, {"format": FORMAT, **row})
        publishers = ["swarm"] if fleet.trust == "members" else list(fleet.trusted)
        settings = {"node": f"/ip4/127.0.0.1/tcp/{fleet.ports.api}", "publishers": ",".join(publishers)}
        self.write_secret(self.settings, {name: value for name, value in settings.items() if value})

    def _damaged(self, error: Exception) -> FleetError:
        return FleetError(
            f"the files of the fleet in {self.own} cannot be read: {error}",
            f"remove {self.repo} and join again; the models in the store stay",
        )

    def read_members(self, own: str) -> Members:
        """The members that this machine remembers; damaged rows are left out."""
        members = Members(own)
        try:
            document = json.loads(self.members.read_bytes())
            written = min(float(document["written"]), time.time())  # a time to come is a wrong clock's
            for row in document["members"]:
                try:
                    members.merge([Member.from_dict(row, written)])
                except ValueError:
                    continue
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            pass
        return members

    def write_members(self, members: Iterable[Member]) -> None:
        """Remember the members. StoreError."""
        now = time.time()
        self.write_secret(self.members, {"written": now, "members": [member.to_dict(now) for member in members]})

    @staticmethod
    def write_secret(path: Path, document: Any) -> None:
        """Replace a JSON file that nobody else may read. StoreError."""
        with say_where(path):
            replace_file(path, json.dumps(document, indent=1).encode(), _SECRET)


def _check_facts(fleet: Fleet) -> None:
    """ValueError where a value is of a type that none of them has."""
    texts = (fleet.name, fleet.peer, fleet.listen, fleet.announce, fleet.trust, fleet.program)
    for text in (*texts, *fleet.trusted, *fleet.contacts):
        if not isinstance(text, str):
            raise ValueError(f"{text!r} is no text")
        text.encode()  # UnicodeEncodeError, a ValueError: half of a surrogate pair
    for port in asdict(fleet.ports).values():
        if not _is_port(port):
            raise ValueError(f"{port!r} is no port")


def _is_port(port: Any) -> bool:
    return type(port) is int and 0 < port < 65536


@dataclass(frozen=True)
class AgentPlace:
    """Where the agent of this machine is while it runs: its process, its port on 127.0.0.1, the process of its Kubo.

    `started`: in seconds since 1970.
    """

    pid: int
    port: int
    started: float
    kubo: int = 0


def read_agent(folder: FleetFolder) -> AgentPlace | None:
    """What the agent has written of itself, which may have ended since; None where there is nothing."""
    try:
        place = AgentPlace(**json.loads(folder.agent.read_bytes()))
        # a signal to process 0, or one below, would reach many: https://man7.org/linux/man-pages/man2/kill.2.html
        good = all(type(each) is int for each in (place.pid, place.port, place.kubo)) and _is_port(place.port)
        good = good and 0 < place.pid <= _LAST_PID and 0 <= place.kubo <= _LAST_PID
        return place if good and 0 <= float(place.started) <= _LAST_TIME else None
    except (OSError, ValueError, TypeError, OverflowError, RecursionError):
        return None
