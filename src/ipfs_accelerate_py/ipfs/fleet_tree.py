"""The trees that peers publish under their names, as the node reads them.

Such a tree has the store's own layout (see `store.layout`), without `blobs/`.
"""

from __future__ import annotations

import time

from ..net import timeouts
from . import swarm
from .node import Node

MFS_ROOT = "/ipfs_accelerate"  # where a node keeps the tree that it publishes


class PeerTrees:
    """The trees of peers. `publishers`: the names of the settings; errors are SourceError."""

    def __init__(self, node: Node, publishers: tuple[str, ...] = ()) -> None:
        self.node = node
        self._publishers = publishers
        self._roots: dict[str, tuple[float, str]] = {}

    def prepare(self) -> None:
        """Import what asking needs."""
        self.node.rpc.prepare()

    def publishers(self) -> list[str]:
        """The trusted names: those of the settings; `swarm` stands for the peers of a private swarm."""
        names: list[str] = []
        for name in self._publishers:
            if name != "swarm":
                names.append(name)
            elif swarm.is_private(self.node):
                names += swarm.peers(self.node)
        return list(dict.fromkeys(names))

    def read(self, name: str, path: str, limit: int, idle_timeout: float | None = None) -> bytes:
        """A small file of a peer's tree; SourceError."""
        return self.node.read(f"{self.root(name, idle_timeout)}/{path}", limit, idle_timeout)

    def root(self, name: str, idle_timeout: float | None = None) -> str:
        """The IPFS path of a peer's tree."""
        resolved = self._roots.get(name)
        if resolved is None or time.monotonic() - resolved[0] > timeouts.NAME_TTL:
            resolved = self._roots[name] = (time.monotonic(), self.node.resolve(name, idle_timeout))
        return resolved[1]
