"""What the node of this machine holds itself, and gives without asking the swarm.

Its own tree is there where another store was published by this node: containers that share one, or a store that was
lost. By the CIDs of a lock file it may hold what was not published.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ...ipfs.fleet_tree import MFS_ROOT
from ...ipfs.node import Node
from ...store import layout
from . import FileRequest


class OwnContent:
    """Where the node has a file itself. A repo that is not in its tree costs one request, else every file one.

    Both give an IPFS path that is to be read without the swarm, or None; SourceError if the node is silent or gone.
    """

    def __init__(self, node: Node, cid_of: Callable[[FileRequest], str | None] = lambda request: None) -> None:
        self.node, self.cid_of = node, cid_of
        self._here: dict[tuple[str, str], bool] = {}
        self._asking = threading.Lock()

    def in_tree(self, request: FileRequest) -> str | None:
        """In its own tree."""
        key = (request.repo_id, request.commit)
        with self._asking:
            if key not in self._here:
                snapshot = self.node.stat(f"{MFS_ROOT}/{layout.snapshot_path(*key)}", offline=True)
                self._here[key] = snapshot is not None
        if not self._here[key]:
            return None
        found = self.node.stat(f"{MFS_ROOT}/{layout.snapshot_path(*key, request.path)}", offline=True)
        return None if found is None or found.get("Size") != request.entry.size else f"/ipfs/{found['Hash']}"

    def give_up(self, request: FileRequest) -> None:
        """Ask other sources from now on: it cannot give what its tree lists, as where its store is lost."""
        self._here[request.repo_id, request.commit] = False

    def by_cid(self, request: FileRequest) -> str | None:
        """By the CID that a lock file gives."""
        cid = self.cid_of(request)
        return f"/ipfs/{cid}" if cid else None
