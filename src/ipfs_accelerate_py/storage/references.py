"""What an IPFS node holds of the store by reference, and how it lets go: no reference may outlive its file.

With the filestore (`nocopy`) the node keeps, for each block, one file and an offset in it. A block that two files share
is kept for one of them only: when that one goes, the block is dropped and the other file is added again.
https://github.com/ipfs/kubo/blob/master/docs/experimental-features.md#ipfs-filestore
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import SettingsError, SourceError
from ..log import get_logger
from ..settings import Settings
from . import contents, layout, publisher
from .node import PATIENCE, Node, open_node
from .rpc import NodeAnswer
from .store import Store

_LONG = 600.0  # seconds that a node may be silent over its own collection


class References:
    """The node of the settings, as far as it has published from this store. Every method may raise SourceError."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.off = settings.node == "off"
        self.node: Node | None = None
        self.withdrawn = False  # something was, and the blocks are not collected yet
        self._names: set[str] = set()
        try:
            node = None if self.off else open_node(settings, PATIENCE)
            if node is not None:
                keys = node.rpc.ask("key/list")[0].get("Keys") or []
                self._names = {node.peer_id(), *(str(key.get("Id")) for key in keys)}
                self.node = node
        except (SourceError, SettingsError) as error:
            get_logger().warning("%s; what is published stays", error)

    def records(self) -> Iterator[tuple[str, str]]:
        """What is remembered as published."""
        folder = self.store.own_folder / "published"
        for name in sorted(contents.names(folder)):
            repo_id = contents.repo_of(name)
            for file in sorted(contents.names(folder / name)):
                if repo_id is not None and layout.is_commit(file.removesuffix(".json")):
                    yield repo_id, file.removesuffix(".json")

    def why_kept(self, repo_id: str, commit: str) -> str | None:
        """Why a published commit has to stay: its references could not be dropped. None if it may go."""
        if self.off or not publisher.published_paths(self.store, repo_id, commit):
            return None
        if self.node is None:
            return "published, and the node does not answer"
        return None if self._publisher(repo_id, commit) in self._names else "published by another node"

    def is_stale(self, repo_id: str, commit: str) -> bool:
        """Has the store lost a file that was published?"""
        paths = publisher.published_paths(self.store, repo_id, commit)
        return any(self.store.find(repo_id, commit, path) is None for path in paths)

    def withdraw(self, repo_id: str, commit: str) -> None:
        """Take a commit out of the fleet tree, if it is published there."""
        if self.node is not None and publisher.published_paths(self.store, repo_id, commit):
            last = publisher.published_commits(self.store, repo_id) == [commit]
            publisher.withdraw(self.store, self.node, repo_id, None if last else commit)
            self.withdrawn = True

    def settle(self) -> int:
        """Let the node remove what nothing holds any more, and references to files that are gone; how many those were.

        What shared a block with such a file is added again.
        """
        dangling = self._dangling()
        if self.node is not None and (self.withdrawn or dangling):
            self.node.rpc.ask("repo/gc", silence=_LONG)
            self.withdrawn = False
            dangling = self._dangling()
        if self.node is None or not dangling:
            return 0
        for cid in dangling:
            self._drop(cid)
        for repo_id, commit in self.records():
            for path in sorted(publisher.published_paths(self.store, repo_id, commit)):
                visible = self.store.find(repo_id, commit, path)
                found = self.node.stat(f"{publisher.MFS_ROOT}/{layout.snapshot_path(repo_id, commit, path)}")
                if visible and found and dangling & set(self._blocks(str(found["Hash"]), dangling)):
                    self.node.add(visible.resolve(), nocopy=True)
        get_logger().info("%d dangling references dropped from the node", len(dangling))
        return len(dangling)

    def _dangling(self) -> set[str]:
        repo = None if self.node is None else self.node.repo_path()
        if self.node is None or repo is None:
            return set()
        try:
            rows = self.node.rpc.ask("filestore/ls", silence=_LONG)
        except NodeAnswer:  # no filestore
            return set()
        # Its paths begin at the folder that holds its repo.
        below, root = repo.resolve().parent, self.store.root.resolve()
        gone = set()
        for row in rows:
            file = below / str(row.get("FilePath"))
            if file.is_relative_to(root) and not file.exists():
                gone.add(str(row["Key"]["/"]))
        return gone

    def _drop(self, cid: str) -> None:
        assert self.node is not None
        answer = self._remove_block(cid)
        if "pinned" in answer:  # by somebody else, and whatever held it cannot be whole any more
            pins = self.node.rpc.ask("pin/ls", cid)[0].get("Keys") or {}
            for pin, how in pins.items():
                root = str(how.get("Type")).rpartition(" ")[2]  # recursive | direct | indirect through <cid>
                self.node.rpc.ask("pin/rm", pin if root in ("recursive", "direct") else root)
            answer = self._remove_block(cid)
        if answer:
            get_logger().warning("the node keeps a reference to a file that is gone: %s", answer)

    def _remove_block(self, cid: str) -> str:
        assert self.node is not None
        rows = self.node.rpc.ask("block/rm", cid, force=True)
        return "; ".join(str(row["Error"]) for row in rows if row.get("Error"))

    def _blocks(self, cid: str, missing: set[str]) -> Iterator[str]:
        """The blocks of a file. Those that are missing are not asked for: the node would wait for a peer."""
        yield cid
        if self.node is not None and cid not in missing and not cid.startswith("bafkrei"):  # that is a raw block
            for row in self.node.rpc.ask("refs", cid):
                yield from self._blocks(str(row["Ref"]), missing)

    def _publisher(self, repo_id: str, commit: str) -> Any:
        try:
            return json.loads(_record(self.store, repo_id, commit).read_bytes()).get("publisher")
        except (OSError, ValueError, AttributeError):
            return None


def _record(store: Store, repo_id: str, commit: str) -> Path:
    return store.own_folder / "published" / layout.repo_folder(repo_id) / f"{commit}.json"
