"""A new block of ours, fetched by a peer: its HTTP gateway is asked for it."""

from __future__ import annotations

import contextlib
import os
import time
from urllib.parse import urlsplit

from ..errors import SourceError
from ..ipfs.cid import raw_cid
from ..ipfs.node import Node
from ..net.http import HTTPReader
from .check import Result, bad, good

RESTART = (
    "see whether the peers' swarm ports (4001) can be reached from here, "
    "and restart the node: ipfs shutdown, then ipfs daemon"
)


def give_block(node: Node, gateways: dict[str, str], until: float) -> Result:
    """Let gateways (URL -> the peer that announces it, or "") get a block that our node alone has."""
    own = _own_gateway(node)
    asked = {url: peer for url, peer in gateways.items() if not _is_at(url, own)}
    if not asked:
        return good("that a peer gets a file of ours was not tried, because no peer announces its gateway")
    data = os.urandom(32)
    cid, reasons = raw_cid(data), []
    node.rpc.put_block(data)
    try:
        for url in asked:
            left = until - time.monotonic()
            if left <= 0:
                break
            try:
                answer = HTTPReader(url, min(left, 3.0)).look(f"/ipfs/{cid}")
            except OSError as error:
                reasons.append(f"{url}: {error}")
                continue
            if answer.body == data:
                return good(f"gateway {url} got a new block from our node and gave it back unchanged")
            reasons.append(f"{url} answered {answer.status}")
    finally:
        with contextlib.suppress(SourceError):
            node.rpc.ask("block/rm", cid)
    detail = f"no gateway got a new block from our node ({'; '.join(reasons) or 'no time was left'})"
    if any(asked.values()):
        return bad(detail, RESTART)
    return good(f"{detail}: they may be no members of this swarm")


def is_gateway(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.query or parts.fragment)
    except ValueError:
        return False


def _own_gateway(node: Node) -> tuple[str, int] | None:
    try:
        value = node.rpc.ask("config", "Addresses.Gateway")[0].get("Value")
        parts = str(value[0] if isinstance(value, list) else value).split("/")
        return parts[2], int(parts[4])
    except (SourceError, LookupError, ValueError, TypeError):
        return None


def _is_at(url: str, address: tuple[str, int] | None) -> bool:
    if address is None:
        return False
    parts = urlsplit(url)
    here = ("127.0.0.1", "localhost", "::1", address[0])
    return (parts.port or 80) == address[1] and parts.hostname in here
