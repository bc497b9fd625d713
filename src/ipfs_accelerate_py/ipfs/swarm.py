"""The swarm of a node: whether it is private, its peers, and the peers that have announced that they hold a repo."""

from __future__ import annotations

import re
from contextlib import suppress

from ..errors import SourceError
from ..net import timeouts
from ..net.addresses import is_private_address
from ..session import Recent, session
from .cid import raw_cid
from .node import Node, rows_of


def key_of_repo(folder: str) -> str:
    """CID of the raw block whose content is `models--<org>--<name>`: peers that provide it hold the model."""
    return raw_cid(folder.encode())


def has_swarm_key(node: Node) -> bool:
    """Return whether there is a `swarm.key` in the node's repo on this machine: cryptography then closes its swarm."""
    path = node.repo_path()
    return path is not None and (path / "swarm.key").is_file()


def is_private(node: Node) -> bool:
    """Return whether the swarm is private: by a swarm key, else for want of a public bootstrap address and peer."""
    if has_swarm_key(node):
        return True
    bootstrap = node.field("config", "Value", "Bootstrap") or []
    if not isinstance(bootstrap, list):
        return False
    addresses = [*bootstrap, *(str(peer.get("Addr")) for peer in rows_of(node.field("swarm/peers", "Peers")))]
    return all(is_private_address(str(address)) for address in addresses)


def peers(node: Node) -> list[str]:
    """Peer ids of the nodes it is connected to."""
    return [str(peer["Peer"]) for peer in rows_of(node.field("swarm/peers", "Peers")) if "Peer" in peer]


def holders(node: Node, folder: str, at_most: int = 8) -> list[str]:
    """Peer ids of the nodes that have announced that they hold `models--<org>--<name>`."""
    found: list[str] = []
    for row in node.ask("routing/findprovs", key_of_repo(folder), num_providers=at_most):
        for peer in rows_of(row.get("Responses")):
            peer_id = str(peer.get("ID"))
            if peer_id not in found and re.fullmatch(r"\w{40,70}", peer_id):
                found.append(peer_id)
    return found[:at_most]


def announce(node: Node, folder: str) -> None:
    """Announce to the swarm that this node holds `models--<org>--<name>`."""
    node.rpc.put_block(folder.encode())
    node.ask("routing/provide", key_of_repo(folder), idle_timeout=max(node.rpc.idle_timeout, timeouts.IDLE))


def reconnect(node: Node, peer_id: str, idle_timeout: float | None = None) -> bool:
    """Make the connections to a silent peer anew; False if that was not to be done. Never raises.

    A peer that Kubo met while it was still starting it never asks for blocks: its bitswap has not heard of it.
    """
    done = False
    with suppress(SourceError, KeyError, TypeError, IndexError):
        known = node.ask("swarm/peers")[0].get("Peers") or []
        for address in [f"{row['Addr']}/p2p/{peer_id}" for row in known if row.get("Peer") == peer_id]:
            node.ask("swarm/disconnect", address, idle_timeout=idle_timeout)
            node.ask("swarm/connect", address, idle_timeout=idle_timeout)
            done = True
    return done


class Reconnections(Recent[str, bool]):
    """The peers to which this process has made the connection anew."""


def reconnect_once(node: Node, peer_id: str, idle_timeout: float | None = None) -> bool:
    """`reconnect`, once per process and peer: True if that was now, and worked."""
    done = session.part(Reconnections)
    if peer_id in done:
        return False
    done[peer_id] = True
    return reconnect(node, peer_id, idle_timeout)
