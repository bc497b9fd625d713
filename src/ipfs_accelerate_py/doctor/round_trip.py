"""A small file to a peer and back. We can ask our own node only, so the way is tried in the parts that can be seen.

1. A peer echoes random bytes (libp2p's ping): the connection works in both directions.
2. A file of a peer's published tree is read and its hash compared: name and block exchange work towards us.
3. The swarm is asked for holders of that model, as by a load, and names that peer.
4. Our node makes a new random block, and a peer's HTTP gateway is asked for it: it can come from our node alone.
   This needs a peer that announces its gateway, by `gateways` in its tree or by IPFS_ACCELERATE_GATEWAYS.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from ..config.settings import Settings
from ..errors import SourceError, UnsafeName
from ..ipfs import swarm
from ..ipfs.node import Node
from ..store import layout
from ..store.tree import MAX_BYTES, Entry, Tree, tree_from_json
from ..store.verify import Mismatch, Verifier
from .check import COMMAND, Result, bad, good
from .reachability import RESTART, give_block, is_gateway

AT_MOST = 3  # peers that are tried
SECONDS = 11.0  # for all of it
_SMALL = 1 << 20

_ANNOUNCE = f"see that Routing.Type is dht on all nodes (docs/own_swarm.md), and run there: {COMMAND} publish"
_WRONG = (
    "nothing of that is ever loaded; publish the model there again, or take that machine out of the swarm: "
    "ipfs swarm disconnect"
)


def check_round_trip(node: Node, settings: Settings) -> Result:
    """Try the four parts; report which were done and which could not be."""
    until = time.monotonic() + SECONDS
    node.rpc.idle_timeout = 2.5
    peers = list(dict.fromkeys(swarm.peers(node)))[:AT_MOST]
    if not peers:
        return good("no peer to try it with")
    said, failed, read, gateways = [], [], False, dict[str, str]()
    private = swarm.is_private(node)  # the gateways of strangers are not asked
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
                gateways |= dict.fromkeys(filter(is_gateway, text.split()[:AT_MOST]), peer)
        if not read and any(map(layout.repo_of, names)):
            try:
                repo_id, what = _read(node, root, names)
                read = True
                said.append(f"{what} came from peer {peer} with the right hash")
                if not _is_named(node, repo_id, peer, until):
                    return bad(
                        f"the swarm does not name peer {peer} as a holder of {repo_id}", f"{_ANNOUNCE} {repo_id}"
                    )
                said.append("the swarm names it as a holder")
            except Mismatch as error:
                return bad(f"peer {peer} gives wrong bytes: {error}", _WRONG)
            except (SourceError, UnsafeName, ValueError) as error:
                failed.append(f"reading from peer {peer}: {error}")
    if failed and not read:
        return bad("; ".join([*said, *failed]), RESTART)
    if not read:
        said.append(f"none of the {len(peers)} peers that were asked has published a file that could be read")
    given = give_block(node, {**dict.fromkeys(settings.gateways, ""), **gateways}, until)
    if given.ok:
        said.append(given.detail)
        return good("; ".join(said))
    return Result(False, "; ".join([*said, given.detail]), given.hint)


def _echo(node: Node, peers: list[str]) -> Result:
    """Let a peer echo."""
    reasons = []
    for peer in peers:
        try:
            rows = node.rpc.ask("ping", peer, count="1", idle_timeout=2.5)
        except SourceError as error:
            reasons.append(f"{peer}: {error}")
            continue
        if any(row.get("Success") and row.get("Time") for row in rows):
            return good(f"peer {peer} echoed")
        texts = [str(row["Text"]) for row in rows if row.get("Text") and not str(row["Text"]).startswith("PING")]
        reasons.append(f"{peer}: {texts[-1] if texts else 'no echo'}")
    return bad(f"no peer echoes ({'; '.join(reasons)})", RESTART)


def _is_named(node: Node, repo_id: str, peer: str, until: float) -> bool:
    """Return whether the swarm names a peer as a holder. A node finds no holders in its first seconds."""
    while time.monotonic() < until - 4.0:  # which the gateways get
        with contextlib.suppress(SourceError):
            if peer in swarm.holders(node, layout.repo_folder(repo_id)):
                return True
        time.sleep(0.5)
    return False


def _read(node: Node, root: str, names: list[str]) -> tuple[str, str]:
    """The repo of which a small file was read and verified, and the file with its size."""
    for folder, tree in _trees(node, root, names):
        small = [(entry.size, path) for path, entry in tree.files.items() if 0 < entry.size <= _SMALL]
        repo_id = str(layout.repo_of(folder))
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
            return repo_id, f"{repo_id}/{path} ({entry.size} bytes)"
    raise SourceError("none of its small files could be read")


def _trees(node: Node, root: str, names: list[str]) -> Iterator[tuple[str, Tree]]:
    for folder in list(filter(layout.repo_of, names))[:3]:
        for name in node.names_in(f"{root}/{folder}/trees")[:2]:
            commit = name.removesuffix(".json")
            yield folder, tree_from_json(commit, node.read(f"{root}/{folder}/trees/{name}", MAX_BYTES))
