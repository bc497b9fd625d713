"""Where the others reach this machine, as it tells of itself."""

from __future__ import annotations

import sys
import time

from ..fleet import kubo
from ..fleet.folder import Fleet
from ..fleet.members import Member
from ..fleet.naming import own_name

# not imported: the package's own module knows of its public faces, which lie above this room
VERSION = str(getattr(sys.modules[__name__.partition(".")[0]], "__version__", ""))


def describe(fleet: Fleet) -> Member:
    """This machine as a member of its fleet, seen now."""
    host = fleet.announce or fleet.listen
    url = f"http://{f'[{host}]' if ':' in host else host}:{fleet.ports.agent}"
    swarm = f"{kubo.multiaddr(host, fleet.ports.swarm)}/p2p/{fleet.peer}"
    return Member(fleet.peer, own_name(), url, (swarm,), VERSION, time.time())
