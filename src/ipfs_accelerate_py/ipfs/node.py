"""An IPFS node, and what we ask of it: its identity, to read and to hold files, and to publish our tree."""

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
from .address import authorization, default_repo, node_address, normal_form
from .cid import cid_of
from .rpc import RPC
from .rpc_errors import NO_RPC, NodeAnswer


def open_node(settings: Settings, idle_timeout: float | None = None) -> Node | None:
    """The node of the settings, or None where there is none; nothing is asked yet."""
    address = None if settings.force_local else node_address(settings.node)
    if address is None:
        return None
    return Node(address, idle_timeout or settings.timeout, authorization(settings.node, settings.node_auth))


class Node:
    """An IPFS node at an RPC address. Every method raises SourceError, with a hint, if the node cannot do it."""

    def __init__(self, address: str, idle_timeout: float, authorization: str | None = None) -> None:
        self.address = address
        self.rpc = RPC(address, idle_timeout, authorization)
        self.ask = self.rpc.ask
        self._peer_id: str | None = None
        self._repo_path: Path | None = None

    # -- identity ---------------------------------------------------------------------------------------------------
    def peer_id(self) -> str:
        """Its peer id, which is also its IPNS name. Asked first, it tells whether a node is there at all."""
        if self._peer_id is None:
            answer = self.ask("id")
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
            yield Path(self.ask("diag/sys")[0]["environment"]["IPFS_PATH"])
        with suppress(SourceError, KeyError, IndexError):  # it counts its blocks, which can take long: asked last
            yield Path(str(self.ask("repo/stat")[0]["RepoPath"]))

    def _first(self, command: str, *args: str, **options: Any) -> dict[str, Any]:
        rows = self.ask(command, *args, **options)
        if not rows or not isinstance(rows[0], dict):
            raise SourceError(f"the node at {self.address} gave no answer to {command} that could be read", NO_RPC)
        return rows[0]

    def field(self, command: str, name: str, *args: str, **options: Any) -> Any:
        """One field of an answer; SourceError for an answer without it."""
        row = self._first(command, *args, **options)
        if name not in row:
            raise SourceError(f"the node at {self.address} answered {command} without {name}", NO_RPC)
        return row[name]

    # -- reading ----------------------------------------------------------------------------------------------------
    def resolve(self, name: str, idle_timeout: float | None = None) -> str:
        """The `/ipfs/<cid>` that an IPNS name points to now."""
        path = self.field("name/resolve", "Path", f"/ipns/{name}", nocache=True, idle_timeout=idle_timeout)
        if not isinstance(path, str) or not path.startswith("/ipfs/"):
            raise SourceError(f"the name {name} does not resolve to an IPFS path")
        return path

    def stream(
        self, path: str, offset: int = 0, idle_timeout: float | None = None, *, offline: bool = False
    ) -> Iterator[bytes]:
        """The bytes at an IPFS path from `offset` on, as they come. Short data can look like an end: check the hash.

        `offline`: the node gives what it has itself, and asks no peer.
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

    # -- writing ----------------------------------------------------------------------------------------------------
    def add(self, file: Path, *, nocopy: bool = False) -> str:
        """Add a file; its CID. Nothing holds it: the next garbage collection takes it.

        `nocopy` stores references to the file (filestore); NodeAnswer if the node does not allow that here.
        """
        return self.rpc.add(file, nocopy=nocopy)

    def make_folder(self, path: str) -> None:
        """Make an MFS folder with its parents, the same on every node whatever its `Import.*`."""
        self.ask("files/mkdir", path, parents=True, cid_version=1, hash="sha2-256")

    def place(self, content: Path | bytes, path: str, *, nocopy: bool = False) -> str:
        """Make an MFS path, whose folder is there, a file with this content; its CID. `nocopy`: as of `add`."""
        found = self.stat(path)
        if found is not None:
            self.remove(path)
        cid = self.rpc.add(content, nocopy=nocopy, to=path)
        found = self.stat(path)
        if found is None or found.get("Hash") != cid:
            raise SourceError(f"the node at {self.address} did not put {path} where it should be", "publish again")
        return cid

    def write(self, path: str, data: bytes) -> None:
        """Make an MFS path a small file with this content: added whole, never by `files/write`.

        What that makes depends on the node's `Import.*`. With CIDv1 and raw leaves it is a file that begins with an
        empty block, which no Kubo gives to a peer.
        """
        found = self.stat(path)
        if found is None or found.get("Hash") != cid_of(data):
            self.place(data, path)

    def remove(self, path: str) -> None:
        """Remove an MFS path with all below it."""
        self.ask("files/rm", path, recursive=True)

    def stat(self, path: str, *, offline: bool = False) -> dict[str, Any] | None:
        """`Hash` (CID), `Size` and `Type` of an MFS path, or None if there is none. `offline`: as of `stream`."""
        try:
            return self._first("files/stat", path, **({"offline": True} if offline else {}))
        except NodeAnswer:
            return None

    def names_in(self, path: str) -> list[str]:
        """The names in the folder at an IPFS path."""
        rows = self.ask("ls", path)
        folders = [folder for row in rows for folder in rows_of(row.get("Objects"))]
        return [str(link.get("Name")) for folder in folders for link in rows_of(folder.get("Links"))]

    def files_below(self, path: str, depth: int = 8) -> list[str]:
        """The files below a folder at an IPFS path, as paths relative to it; links deeper than `depth` are left out."""
        found = []
        for row in self.ask("ls", path):
            for link in [link for folder in rows_of(row.get("Objects")) for link in rows_of(folder.get("Links"))]:
                name = str(link.get("Name"))
                if link.get("Type") != 1:  # 1: a folder
                    found.append(name)
                elif depth:
                    found += [f"{name}/{below}" for below in self.files_below(f"{path}/{name}", depth - 1)]
        return found

    def remove_block(self, cid: str) -> None:
        """Let the node forget one block."""
        self.ask("block/rm", cid, force=True)

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
        keys = rows_of(self.field("key/list", "Keys"))
        if name not in [key.get("Name") for key in keys]:
            self.ask("key/gen", name, type="ed25519")


def rows_of(value: Any) -> list[dict[str, Any]]:
    """The tables in what should be a list of them; null where there are none."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
