"""What the parts of an agent share: the store, the fleet, the other members, and how to ask and to check them."""

from __future__ import annotations

import json
import time
import weakref
from typing import TYPE_CHECKING, Any

from aiohttp import web

from ..config import settings
from ..fleet.directory import Directory
from ..fleet.folder import Fleet, FleetFolder
from ..fleet.members import Member
from ..fleet.signing import Guard, Signer
from ..fleet.waits import Waits
from .address import describe
from .calls import Calls
from .counts import Counts
from .waiting import Waiting

if TYPE_CHECKING:
    import asyncio

    from ..store.store import Store
    from .kubo import Kubo


class Agent:
    """The agent of this machine. `kubo`: None where it runs without one; `news`: the members are to be written to disk;
    `is_leaving`: it has told the others that it leaves the fleet;
    `trouble`: URL of a member's agent -> why it could not be asked; `corrupt`: peer id -> what it gave wrong;
    `caches`: the Hugging Face caches of the settings, into which links of the store may lead; `directory`: what it
    answers from for its share of the repos; `waiting`: the requests for what is not here yet; `waits`: for how long the
    Hub is not to be asked.
    """

    def __init__(self, store: Store, folder: FleetFolder, fleet: Fleet, kubo: Kubo | None = None) -> None:
        self.store, self.folder, self.fleet, self.kubo = store, folder, fleet, kubo
        self.started = time.time()
        self.members = folder.read_members(fleet.peer)
        self.signer, self.guard = Signer(fleet.key, fleet.peer), Guard(fleet.key)
        self.calls = Calls(self.signer)
        self.caches = settings.read_settings().lower
        self.counts = Counts()
        self.connections = 0
        self._known: weakref.WeakSet[asyncio.BaseTransport] = weakref.WeakSet()
        self.news = self.is_leaving = False
        self.trouble: dict[str, str] = {}
        self.corrupt: dict[str, str] = {}
        self.directory = Directory()
        self.waits = Waits()
        self.waiting = Waiting()

    def note_known(self, transport: asyncio.BaseTransport | None) -> None:
        """A connection has brought a request that was let in."""
        if transport is not None:
            self._known.add(transport)

    def is_known(self, transport: asyncio.BaseTransport) -> bool:
        """Return whether a connection has brought a request that was let in."""
        return transport in self._known

    @property
    def url(self) -> str:
        """Where the other members reach it."""
        return describe(self.fleet).agent

    def describe(self) -> Member:
        """This machine, as it tells of itself."""
        return describe(self.fleet)


AGENT = web.AppKey("agent", Agent)


async def read_document(request: web.Request) -> dict[str, Any]:
    """The JSON object that a request brings; HTTPBadRequest where it brings none."""
    try:
        document = json.loads(await request.read())
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise web.HTTPBadRequest
    return document


def require_local(request: web.Request) -> None:
    """HTTPNotFound for what only the programs of this machine may ask."""
    if not request.get("local"):
        raise web.HTTPNotFound
