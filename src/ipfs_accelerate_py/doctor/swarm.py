"""The IPFS node: whether it answers, its swarm is private, it has peers, and its name is published."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..config.settings import Settings
from ..errors import SettingsError, SourceError
from ..ipfs import swarm
from ..ipfs.address import authorization, node_address
from ..ipfs.fleet_tree import MFS_ROOT
from ..ipfs.node import Node, open_node
from ..ipfs.obstacles import find_obstacles
from ..publish.publisher import OWN_KEY
from ..store import layout
from .check import COMMAND, Check, Result, bad, good
from .one_copy import check_one_copy
from .round_trip import check_round_trip

IDLE = 4.0  # idle timeout of the node in seconds
GOOD_KUBO = (0, 43, 1)  # docs/own_swarm.md has what was fixed with it


def checks(settings: Settings) -> list[Check]:
    """`node`, `private swarm`, `peers`, `name`, `one copy` and `round trip`."""
    silent = "see whether the node is well: ipfs id; restart it: ipfs shutdown, then ipfs daemon"
    node = Check("node", lambda: check_node(settings), silent, 6)

    def more(name: str, test: Callable[[Node], Result], budget: float, needs: Check) -> Check:
        return Check(name, lambda: _with_node(settings, test), silent, budget, needs)

    peers = more("peers", check_peers, 6, node)
    return [
        node,
        more("private swarm", lambda opened: check_private(opened, settings.publish), 8, node),
        peers,
        more("name", lambda opened: check_name(opened, settings.publish), 8, node),
        more("one copy", lambda opened: check_one_copy(opened, settings.home), 8, node),
        more("round trip", lambda opened: check_round_trip(opened, settings), 14, peers),
    ]


def _with_node(settings: Settings, test: Callable[[Node], Result]) -> Result:
    node = open_node(settings, IDLE)
    return good("no node configured") if node is None else test(node)


def check_node(settings: Settings) -> Result:
    """Check that an IPFS node answers, and report which."""
    if settings.force_local:
        return good("not used: STORAGE_FORCE_LOCAL is set", "unset STORAGE_FORCE_LOCAL to use the network")
    try:
        address = node_address(settings.node)
    except SettingsError as error:
        return bad(str(error), error.hint or "set IPFS_ACCELERATE_NODE to auto")
    if address is None:
        hint = "start one with 'ipfs daemon', or set IPFS_ACCELERATE_NODE to its RPC address"
        return good(f"not configured (IPFS_ACCELERATE_NODE={settings.node})", hint)
    node = Node(address, IDLE, authorization(settings.node, settings.node_auth))
    peer_id = node.peer_id()
    try:
        version = str(node.rpc.ask("version")[0]["Version"])
    except (SourceError, LookupError):
        version = "of an unknown version"
    return good(f"Kubo {version} answers at {address}, peer id {peer_id}", fixes_missing(version))


def fixes_missing(version: str) -> str | None:
    """What an older Kubo does wrong here, and what to do; None for a newer one and for what is no version."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    if found is None or tuple(map(int, found.groups())) >= GOOD_KUBO:
        return None
    newer = ".".join(map(str, GOOD_KUBO))
    return (
        f"update Kubo to {newer} or newer: with this one 'ipfs repo gc' can leave the tree hanging, a search for "
        "holders can end the daemon, and a peer that was connected at its start may never be asked (docs/own_swarm.md)"
    )


def check_private(node: Node, publish: str) -> Result:
    """Check that the swarm is private, as automatic publishing needs it."""
    if swarm.has_swarm_key(node):
        return good("closed by a swarm key")
    if swarm.is_private(node):
        return good("no swarm key is seen here, but no bootstrap address and no peer is a public one")
    if publish == "auto":
        return bad(
            "the node is in a public swarm, so nothing is published by itself",
            "make the swarm private (docs/own_swarm.md: a swarm.key on each machine, then ipfs bootstrap rm --all), "
            "or set IPFS_ACCELERATE_PUBLISH=on",
        )
    return good(f"the node is in a public swarm; IPFS_ACCELERATE_PUBLISH={publish}")


def check_peers(node: Node) -> Result:
    """Check that the node is connected to others, and that its settings let it find them and be found."""
    for what, mend in find_obstacles(node):
        return bad(what, mend)
    peers = list(dict.fromkeys(swarm.peers(node)))
    return good(f"{len(peers)} connected")


def check_name(node: Node, publish: str) -> Result:
    """Check that the node's IPNS name, or our key's, leads to the tree that the node holds."""
    root = node.stat(MFS_ROOT)
    if root is None:
        off = "; IPFS_ACCELERATE_PUBLISH=off" if publish == "off" else ""
        return good(f"this node has published no model yet{off}", f"{COMMAND} publish ORG/NAME")
    keys = node.rpc.ask("key/list")[0].get("Keys") or []
    names = {key["Id"] for key in keys if key.get("Name") == OWN_KEY} | {node.peer_id()}
    found = {}
    for name in names:
        try:
            path = node.resolve(name)
        except SourceError:
            continue
        found[name] = path
        # a CID has several spellings: the node gives its own
        if path == f"/ipfs/{root['Hash']}" or (node.stat(path) or {}).get("Hash") == root["Hash"]:
            return good(f"/ipns/{name} leads to the tree of this node, {path}")
    repo = next(filter(None, map(layout.repo_of, node.names_in(f"/ipfs/{root['Hash']}"))), "ORG/NAME")
    where = ", ".join(f"/ipns/{name} leads to {path}" for name, path in found.items()) or "no name of it resolves"
    return bad(f"the tree of this node, /ipfs/{root['Hash']}, is not published: {where}", f"{COMMAND} publish {repo}")
