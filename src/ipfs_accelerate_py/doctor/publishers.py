"""The trusted publishers: whether their trees can be found."""

from __future__ import annotations

import time
from datetime import datetime, timezone

from ..config.settings import Settings
from ..errors import SettingsError, SourceError
from ..fetch.sources.gateway import Gateway
from ..ipfs import ipns, swarm
from ..ipfs.node import Node, open_node
from .check import Check, Result, bad, good

_SECONDS = 9.0
_RECORD = "application/vnd.ipfs.ipns-record"
_HOW = (
    "see whether that node runs, and publish there: 'hook publish ORG/NAME --json' prints its name as publisher; "
    "then correct IPFS_ACCELERATE_PUBLISHERS"
)


def checks(settings: Settings) -> list[Check]:
    """`publishers`."""
    return [Check("publishers", lambda: check_publishers(settings), _HOW, 11)]


def check_publishers(settings: Settings) -> Result:
    """Look up every name: by the node, else by the gateways."""
    if not settings.publishers or settings.force_local:
        return good(
            "not configured: the only authorities are the Hub and a lock file",
            "set IPFS_ACCELERATE_PUBLISHERS to names that are trusted while the Hub is silent",
        )
    until = time.monotonic() + _SECONDS
    try:
        node = open_node(settings, 2.5)
    except SettingsError:
        node = None
    found, missing = [], []
    for name in settings.publishers:
        if time.monotonic() > until:
            missing.append(f"{name}: no time was left")
            continue
        try:
            found.append(_find(name, node, settings))
        except SettingsError as error:
            return bad(str(error), error.hint or _HOW)
        except SourceError as error:
            missing.append(f"{name}: {error}")
    if missing:
        return bad(f"these publishers cannot be found: {'; '.join(missing)}", _HOW)
    return good("; ".join(found))


def _find(name: str, node: Node | None, settings: Settings) -> str:
    if name == "swarm":
        if node is None:
            raise SourceError("it means the peers of a private swarm, and there is no node")
        if not swarm.is_private(node):
            raise SourceError("it means the peers of a private swarm, and the node's swarm is not private")
        return f"swarm: {len(set(swarm.peers(node)))} peers"
    reasons = []
    if node is not None:
        try:
            return f"{name} is found by the node, at {node.resolve(name)}"
        except SourceError as error:
            reasons.append(str(error))
    for url in settings.gateways:
        try:
            raw = Gateway(url, tuple, 2.5).read(f"/ipns/{name}?format=ipns-record", ipns.MAX_BYTES, _RECORD)
            value, _ = ipns.read_record(name, raw, datetime.now(timezone.utc))
            return f"{name} has signed the record that {url} shows, at {value}"
        except SourceError as error:
            reasons.append(f"{url}: {error}")
    raise SourceError("; ".join(reasons) or "there is neither a node nor a gateway to look it up")
