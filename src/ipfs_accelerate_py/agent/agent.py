"""What the parts of an agent share: the store, the fleet, the other members, and how to ask and to check them."""

from __future__ import annotations

import json
import socket
import sys
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from ..fleet import kubo as kubo_settings
from ..fleet.folder import Fleet, FleetFolder
from ..fleet.members import Member
from ..fleet.signing import Guard, Signer
from .calls import Calls

if TYPE_CHECKING:
    from ..store.store import Store
    from .kubo import Kubo


class Agent:
    """The agent of this machine. `kubo`: None where it runs without one; `news`: the members are to be written to disk;
    `trouble`: URL of a member's agent -> why it could not be asked.
    """

    def __init__(self, store: Store, folder: FleetFolder, fleet: Fleet, kubo: Kubo | None = None) -> None:
        self.store, self.folder, self.fleet, self.kubo = store, folder, fleet, kubo
        self.started = time.time()
        self.members = folder.read_members(fleet.peer)
        self.signer, self.guard = Signer(fleet.key, fleet.peer), Guard(fleet.key)
        self.calls = Calls(self.signer)
        self.news = False
        self.trouble: dict[str, str] = {}

    @property
    def url(self) -> str:
        """Where the other members reach it."""
        host = self.fleet.announce or self.fleet.listen
        return f"http://{f'[{host}]' if ':' in host else host}:{self.fleet.ports.agent}"

    def describe(self) -> Member:
        """This machine, as it tells of itself."""
        ports, host = self.fleet.ports, self.fleet.announce or self.fleet.listen
        swarm = f"{kubo_settings.multiaddr(host, ports.swarm)}/p2p/{self.fleet.peer}"
        name = socket.gethostname()[:64]
        return Member(self.fleet.peer, name, self.url, (swarm,), VERSION, time.time())


# the package's own attribute: to import it from there would make the package's public faces, which lie above, known here
VERSION = str(getattr(sys.modules[__name__.partition(".")[0]], "__version__", ""))
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
