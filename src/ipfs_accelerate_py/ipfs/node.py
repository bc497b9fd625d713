"""An IPFS node, and what we ask of it: who it is, what its peers have, and to hold and publish our tree."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..config.settings import Settings
from ..errors import SourceError
from ..net import timeouts
from ..net.addresses import is_private_address
from ..session import Recent, session
from .address import authorization, default_repo, node_address, normal_form
from .cid import cid_of, raw_cid
from .rpc import RPC
from .rpc_errors import NO_RPC, NodeAnswer


def key_of_repo(folder: str) -> str:
    """CID of the raw block whose content is `models--<org>--<name>`: who provides it holds the model."""
    return raw_cid(folder.encode())


def open_node(settings: Settings, idle_timeout: float | None = None) -> Node | None:
    """The node of the settings, or None where there is none; nothing is asked yet."""
    address = None if settings.force_local else node_address(settings.node)
    if address is None:
        return None
    return Node(address, idle_timeout or settings.timeout, authorization(settings.node, settings.node_auth))


class Node:
    """One node. Every method raises SourceError, in words that say what to do, if the node cannot do it."""

    def __init__(self, address: str, idle_timeout: float, authorization: str | None = None) -> None:
        self.address = address
        self.rpc = RPC(address, idle_timeout, authorization)
        self._ask = self.rpc.ask
        self._peer_id: str | None = None
        self._repo_path: Path | None = None

    # -- who it is --------------------------------------------------------------------------------------------------
    def peer_id(self) -> str:
        """Its peer id, which is also its IPNS name. The first question: is a node there at all?"""
        if self._peer_id is None:
            answer = self._ask("id")
            peer_id = answer[0].get("ID") if answer else None
            if not isinstance(peer_id, str) or not re.fullmatch(r"\w{40,70}", peer_id):
                raise SourceError(f"what listens at {self.address} is not the RPC API of an IPFS node", NO_RPC)
            self._peer_id = peer_id
        return self._peer_id

    def repo_path(self) -> Path | None:
        """The folder of the node's repo, if it is on this machine: its `api` file then names this very node."""
        if self._repo_path is None:
            for folder in self._repo_candidates():
                try:
                    named = normal_form((folder / "api").read_text("ascii").strip()).removesuffix("/http")
                    if named and self.address.removesuffix("/http") == named:
                        self._repo_path = folder
                        break
                except (OSError, ValueError):
                    continue
        return self._repo_path

    def _repo_candidates(self) -> Iterator[Path]:
        yield default_repo()
        with suppress(SourceError, KeyError, TypeError, IndexError):
            yield Path(self._ask("diag/sys")[0]["environment"]["IPFS_PATH"])
        with suppress(SourceError, KeyError, IndexError):  # it counts its blocks, which can take long: asked last
            yield Path(str(self._ask("repo/stat")[0]["RepoPath"]))

    def has_swarm_key(self) -> bool:
        """Is there a `swarm.key` in the node's repo on this machine? Then its swarm is closed by cryptography."""
        path = self.repo_path()
        return path is not None and (path / "swarm.key").is_file()

    def is_private(self) -> bool:
        """Is its swarm private? By a swarm key, else by this: no public bootstrap address and no public peer."""
        if self.has_swarm_key():
            return True
        bootstrap = self._field("config", "Value", "Bootstrap") or []
        if not isinstance(bootstrap, list):
            return False
        peers = _rows(self._field("swarm/peers", "Peers"))
        addresses = [*bootstrap, *(str(peer.get("Addr")) for peer in peers)]
        return all(is_private_address(str(address)) for address in addresses)

    def _first(self, command: str, *args: str, **options: Any) -> dict[str, Any]:
        rows = self._ask(command, *args, **options)
        if not rows or not isinstance(rows[0], dict):
            raise SourceError(f"the node at {self.address} gave no answer to {command} that could be read", NO_RPC)
        return rows[0]

    def _field(self, command: str, name: str, *args: str, **options: Any) -> Any:
        """One field of an answer; an answer without it says nothing at all."""
        row = self._first(command, *args, **options)
        if name not in row:
            raise SourceError(f"the node at {self.address} answered {command} without {name}", NO_RPC)
        return row[name]

    # -- reading ----------------------------------------------------------------------------------------------------
    def resolve(self, name: str, idle_timeout: float | None = None) -> str:
        """The `/ipfs/<cid>` that an IPNS name points to now."""
        path = self._field("name/resolve", "Path", f"/ipns/{name}", nocache=True, idle_timeout=idle_timeout)
        if not isinstance(path, str) or not path.startswith("/ipfs/"):
            raise SourceError(f"the name {name} does not resolve to an IPFS path")
        return path

    def stream(
        self, path: str, offset: int = 0, idle_timeout: float | None = None, *, offline: bool = False
    ) -> Iterator[bytes]:
        """The bytes at an IPFS path from `offset` on, as they come. Short data can look like an end: check the hash.

        `offline`: the node gives what it has itself, and asks nobody.
        """
        return self.rpc.stream(path, offset, idle_timeout, offline=offline)

    def read(self, path: str, limit: int, idle_timeout: float | None = None, *, offline: bool = False) -> bytes:
        """A small file at an IPFS path, at most `limit` bytes. `offline`: as of `stream`."""
        data = bytearray()
        seconds = 2 * (idle_timeout or self.rpc.idle_timeout)  # what drips is never silent
        end = time.monotonic() + seconds
        for chunk in self.stream(path, idle_timeout=idle_timeout, offline=offline):
            data += chunk
            if len(data) > limit:
                raise SourceError(f"{path} is larger than {limit} bytes")
            if time.monotonic() > end:
                raise SourceError(f"{path} did not come whole in {seconds:g} s")
        return bytes(data)

    def holders(self, folder: str, at_most: int = 8) -> list[str]:
        """Peer ids of the nodes that say they hold `models--<org>--<name>`."""
        found: list[str] = []
        for row in self._ask("routing/findprovs", key_of_repo(folder), num_providers=at_most):
            for peer in _rows(row.get("Responses")):
                peer_id = str(peer.get("ID"))
                if peer_id not in found and re.fullmatch(r"\w{40,70}", peer_id):
                    found.append(peer_id)
        return found[:at_most]

    def peers(self) -> list[str]:
        """Peer ids of the nodes it is connected to."""
        peers = _rows(self._field("swarm/peers", "Peers"))
        return [str(peer["Peer"]) for peer in peers if "Peer" in peer]

    def reconnect(self, peer_id: str, idle_timeout: float | None = None) -> bool:
        """Make the connections to a silent peer anew; False if that was not to be done. Never raises.

        A peer that Kubo met while it was still starting it never asks for blocks: its bitswap has not heard of it.
        """
        done = False
        with suppress(SourceError, KeyError, TypeError, IndexError):
            rows = self._ask("swarm/peers")[0].get("Peers") or []
            for address in [f"{row['Addr']}/p2p/{peer_id}" for row in rows if row.get("Peer") == peer_id]:
                self._ask("swarm/disconnect", address, idle_timeout=idle_timeout)
                self._ask("swarm/connect", address, idle_timeout=idle_timeout)
                done = True
        return done

    # -- writing ----------------------------------------------------------------------------------------------------
    def add(self, file: Path, *, nocopy: bool = False) -> str:
        """Add a file; its CID. Nothing holds it: the next garbage collection takes it.

        `nocopy` stores references to the file (filestore); NodeAnswer if the node does not allow that here.
        """
        return self.rpc.add(file, nocopy=nocopy)

    def make_folder(self, path: str) -> None:
        """Make an MFS folder with its parents, the same on every node whatever its `Import.*`."""
        self._ask("files/mkdir", path, parents=True, cid_version=1, hash="sha2-256")

    def place(self, content: Path | bytes, path: str, *, nocopy: bool = False) -> str:
        """Let an MFS path be a file with this content, whose folder is there; its CID. `nocopy`: as of `add`."""
        found = self.stat(path)
        if found is not None:
            self.remove(path)
        cid = self.rpc.add(content, nocopy=nocopy, to=path)
        found = self.stat(path)
        if found is None or found.get("Hash") != cid:
            raise SourceError(f"the node at {self.address} did not put {path} where it should be", "publish again")
        return cid

    def write(self, path: str, data: bytes) -> None:
        """Let an MFS path be a small file with this content: added whole, never `files/write`.

        What that makes depends on the node's `Import.*`. With CIDv1 and raw leaves it is a file that begins with an
        empty block, which no Kubo gives to a peer.
        """
        found = self.stat(path)
        if found is None or found.get("Hash") != cid_of(data):
            self.place(data, path)

    def remove(self, path: str) -> None:
        """Remove an MFS path with all below it."""
        self._ask("files/rm", path, recursive=True)

    def stat(self, path: str, *, offline: bool = False) -> dict[str, Any] | None:
        """`Hash` (CID), `Size` and `Type` of an MFS path, or None if there is none. `offline`: as of `stream`."""
        try:
            return self._first("files/stat", path, **({"offline": True} if offline else {}))
        except NodeAnswer:
            return None

    def names_in(self, path: str) -> list[str]:
        """The names in the folder at an IPFS path."""
        rows = self._ask("ls", path)
        folders = [each for row in rows for each in _rows(row.get("Objects"))]
        return [str(link.get("Name")) for each in folders for link in _rows(each.get("Links"))]

    def files_below(self, path: str, depth: int = 8) -> list[str]:
        """The files below a folder at an IPFS path, as paths relative to it; links deeper than `depth` are left out."""
        found = []
        for row in self._ask("ls", path):
            for link in [link for each in _rows(row.get("Objects")) for link in _rows(each.get("Links"))]:
                name = str(link.get("Name"))
                if link.get("Type") != 1:  # 1: a folder
                    found.append(name)
                elif depth:
                    found += [f"{name}/{below}" for below in self.files_below(f"{path}/{name}", depth - 1)]
        return found

    def remove_block(self, cid: str) -> None:
        """Let the node forget one block."""
        self._ask("block/rm", cid, force=True)

    def publish(self, cid: str, key: str = "self") -> str:
        """Point an IPNS name at a CID; the name (for `self` the peer id). Elsewhere it may be 5 s old (its ttl)."""
        row = self._first(
            "name/publish",
            f"/ipfs/{cid}",
            key=key,
            ttl="5s",
            allow_offline=True,
            resolve=False,
            idle_timeout=max(self.rpc.idle_timeout, timeouts.IDLE),
        )
        return self.peer_id() if key == "self" else str(row.get("Name")).removeprefix("/ipns/")

    def make_key(self, name: str) -> None:
        """Make a key of that name unless it is there."""
        keys = _rows(self._field("key/list", "Keys"))
        if name not in [key.get("Name") for key in keys]:
            self._ask("key/gen", name, type="ed25519")

    def announce(self, folder: str) -> None:
        """Say to the swarm that this node holds `models--<org>--<name>`."""
        self.rpc.put_block(folder.encode())
        self._ask("routing/provide", key_of_repo(folder), idle_timeout=max(self.rpc.idle_timeout, timeouts.IDLE))


def _rows(value: Any) -> list[dict[str, Any]]:
    """The tables in what should be a list of them; null where there are none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


class Reconnections(Recent[str, bool]):
    """The peers to which this process has made the connection anew."""


def reconnect_once(node: Node, peer_id: str, idle_timeout: float | None = None) -> bool:
    """`reconnect`, once per process and peer: True if that was now, and worked."""
    done = session.part(Reconnections)
    if peer_id in done:
        return False
    done[peer_id] = True
    return node.reconnect(peer_id, idle_timeout)
