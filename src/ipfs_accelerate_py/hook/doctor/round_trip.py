"""A small file to a peer and back. We can ask our own node only, so the way is tried in the parts that can be seen.

1. A peer echoes random bytes (libp2p's ping): the connection works in both directions.
2. A file of a peer's published tree is read and its hash compared: name, look-up and block exchange work towards us.
3. Our node makes a new random block, and a peer's HTTP gateway is asked for it: it can come from our node alone.
   This needs a peer that tells of its gateway, by `gateways` in its tree or by IPFS_ACCELERATE_GATEWAYS.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from ...errors import SourceError, UnsafeName
from ...settings import Settings
from ...storage import layout
from ...storage.node import Node
from ...storage.tree import MAX_BYTES, Entry, Tree, tree_from_json
from ...storage.verify import Mismatch, Verifier
from . import http
from .check import Result, bad, good
from .cid import raw_cid

AT_MOST = 3  # peers that are tried
SECONDS = 11.0  # for all of it
_SMALL = 1 << 20
_RESTART = (
    "see whether the peers' swarm ports (4001) can be reached from here, "
    "and restart the node: ipfs shutdown, then ipfs daemon"
)

_WRONG = (
    "nothing of that is ever loaded; publish the model there again, or take that machine out of the swarm: "
    "ipfs swarm disconnect"
)


def check_round_trip(node: Node, settings: Settings) -> Result:
    """Try the three parts; say which were done and which could not be."""
    until = time.monotonic() + SECONDS
    node.rpc.silence = 2.5
    peers = list(dict.fromkeys(node.peers()))[:AT_MOST]
    if not peers:
        return good("no peer to try it with")
    said, failed, read, gateways = [], [], False, dict[str, str]()
    private = node.is_private()  # strangers may not tell us whom to ask
    echo = _echo(node, peers)
    if not echo.ok:
        return echo
    said.append(echo.detail)
    for peer in peers:
        if time.monotonic() > until:
            break
        try:
            root = node.resolve(peer)
            names = node.names_in(root)
        except SourceError:
            continue  # it has published nothing
        if "gateways" in names and private:
            with contextlib.suppress(SourceError):
                text = node.read(f"{root}/gateways", 4096).decode("utf-8", "replace")
                gateways |= dict.fromkeys(filter(_is_gateway, text.split()[:AT_MOST]), peer)
        if not read and any(name.startswith("models--") for name in names):
            try:
                said.append(f"{_read(node, root, names)} came from peer {peer} with the right hash")
                read = True
            except Mismatch as error:
                return bad(f"peer {peer} gives wrong bytes: {error}", _WRONG)
            except (SourceError, UnsafeName, ValueError) as error:
                failed.append(f"reading from peer {peer}: {error}")
    if failed and not read:
        return bad("; ".join([*said, *failed]), _RESTART)
    if not read:
        said.append("no peer has published a file that could be read")
    given = _give(node, {**dict.fromkeys(settings.gateways, ""), **gateways}, until)
    if given.ok:
        said.append(given.detail)
        return good("; ".join(said))
    return Result(False, "; ".join([*said, given.detail]), given.hint)


def _echo(node: Node, peers: list[str]) -> Result:
    """Let one of the peers echo."""
    reasons = []
    for peer in peers:
        try:
            rows = node.rpc.ask("ping", peer, count="1", silence=2.5)
        except SourceError as error:
            reasons.append(f"{peer}: {error}")
            continue
        if any(row.get("Success") and row.get("Time") for row in rows):
            return good(f"peer {peer} echoed")
        texts = [str(row["Text"]) for row in rows if row.get("Text") and not str(row["Text"]).startswith("PING")]
        reasons.append(f"{peer}: {texts[-1] if texts else 'no echo'}")
    return bad(f"no peer echoes ({'; '.join(reasons)})", _RESTART)


def _read(node: Node, root: str, names: list[str]) -> str:
    for folder, tree in _trees(node, root, names):
        small = [(entry.size, path) for path, entry in tree.files.items() if 0 < entry.size <= _SMALL]
        repo_id = folder.removeprefix("models--").replace("--", "/")
        for _, path in sorted(small)[:3]:
            entry: Entry = tree.files[path]
            where = layout.snapshot_path(repo_id, tree.commit, path)
            try:
                data = node.read(f"{root}/{where}", entry.size)
            except SourceError:
                continue  # it need not hold every file
            verifier = Verifier(entry)
            verifier.update(data)
            verifier.finish()
            return f"{repo_id}/{path} ({entry.size} bytes)"
    raise SourceError("none of its small files could be read")


def _trees(node: Node, root: str, names: list[str]) -> Iterator[tuple[str, Tree]]:
    for folder in [name for name in names if name.startswith("models--")][:3]:
        for name in node.names_in(f"{root}/{folder}/trees")[:2]:
            commit = name.removesuffix(".json")
            yield folder, tree_from_json(commit, node.read(f"{root}/{folder}/trees/{name}", MAX_BYTES))


def _give(node: Node, gateways: dict[str, str], until: float) -> Result:
    """Let gateways (URL -> the peer who tells of it, or "") get a block that our node alone has."""
    own = _own_gateway(node)
    asked = {url: peer for url, peer in gateways.items() if not _is_at(url, own)}
    if not asked:
        return good("that a peer gets a file of ours was not tried, because no peer tells of its gateway")
    data = os.urandom(32)
    cid, reasons = raw_cid(data), []
    node.rpc.put_block(data)
    try:
        for url in asked:
            left = until - time.monotonic()
            if left <= 0:
                break
            try:
                status, body, _ = http.get(f"{url}/ipfs/{cid}", min(left, 3.0))
            except OSError as error:
                reasons.append(f"{url}: {error}")
                continue
            if body == data:
                return good(f"gateway {url} got a new block from our node and gave it back unchanged")
            reasons.append(f"{url} answered {status}")
    finally:
        with contextlib.suppress(SourceError):
            node.rpc.ask("block/rm", cid)
    detail = f"no gateway got a new block from our node ({'; '.join(reasons) or 'no time was left'})"
    if any(asked.values()):
        return bad(detail, _RESTART)
    return good(f"{detail}: they may be no members of this swarm")


def _is_gateway(url: str) -> bool:
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
