"""What a node cannot do for us because of how it was set up, with the setting that changes it.

docs/nodes.md has the table of what works with which settings.
"""

from __future__ import annotations

from typing import Any

from ..errors import SourceError
from ..log import get_logger, warn_once
from . import swarm
from .node import Node
from .rpc_errors import NodeAnswer

_NO_PEER = "the node is connected to no peer"


def find_obstacles(node: Node) -> list[tuple[str, str]]:
    """(what the node cannot do, what mends it); empty if nothing is seen. SourceError if it does not answer."""
    found: list[tuple[str, str]] = []

    def complain(what: str, mend: str) -> None:
        found.append((what, mend))

    try:
        peers = swarm.peers(node)
    except NodeAnswer as error:
        if "online mode" not in str(error):
            raise
        complain("the node runs offline, and gets and gives nothing", "start it without --offline: ipfs daemon")
        return found
    if _read(node, "Routing.Type") == "none":
        complain(
            "Routing.Type of the node is none, so peers are not found by their names, nor is it by its own",
            "ipfs config Routing.Type dht, then restart the daemon",
        )
    if _read(node, "Provide.Enabled") is False:
        complain(
            "Provide.Enabled of the node is false, so it does not announce to the swarm what it holds",
            "ipfs config --json Provide.Enabled true, then restart the daemon",
        )
    if not peers:
        complain(
            _NO_PEER,
            "ipfs swarm connect /ip4/ADDRESS/tcp/4001/p2p/PEER_ID, and ipfs bootstrap add with the same for good; "
            "all machines need the same swarm.key",
        )
    return found


def report_obstacles(node: Node, *, peers: bool = True) -> list[str]:
    """Log every obstacle once; returns them. `peers`: also that there is no peer, which may be so for now only."""
    try:
        found = [(what, mend) for what, mend in find_obstacles(node) if peers or what != _NO_PEER]
    except SourceError as error:
        get_logger().debug("%s", error)
        return []
    for what, mend in found:
        warn_once(f"{what}; {mend}")
    return [what for what, _ in found]


def _read(node: Node, setting: str) -> Any:
    """A setting of the node, or None: what is not set the node answers with an error."""
    try:
        return node.rpc.ask("config", setting)[0].get("Value")
    except (NodeAnswer, LookupError):
        return None
