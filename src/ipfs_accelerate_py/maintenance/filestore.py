"""What an IPFS node holds of the store by reference, and how references are dropped: no reference may outlive its file.

With the filestore (`nocopy`) the node keeps, for a block, a file and an offset in it. A block that two files share is
kept for only one of them: when that file goes, the block is dropped and the other file is added again.
https://github.com/ipfs/kubo/blob/master/docs/experimental-features.md#ipfs-filestore
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..config.settings import Settings
from ..errors import SettingsError, SourceError
from ..ipfs.node import Node, open_node
from ..ipfs.rpc_errors import NodeAnswer
from ..log import get_logger
from ..net import timeouts
from ..publish import publisher
from ..store import layout, scan
from ..store.layout import Own
from ..store.store import Store

_RAW = "bafkrei"  # how the CID of a block begins that has content and no links
_LONG = 600.0  # seconds that a node may be silent over its own collection


class FilestoreReferences:
    """The node of the settings, as far as it has published from this store. Every method may raise SourceError."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.off = settings.node == "off"
        self.node: Node | None = None
        self.withdrawn = False  # something was, and the blocks are not collected yet
        self._names: set[str] = set()
        self._listed: dict[str, list[tuple[str, str]]] = {}
        try:
            node = None if self.off else open_node(settings, timeouts.IDLE)
            if node is not None:
                keys = node.rpc.ask("key/list")[0].get("Keys") or []
                self._names = {node.peer_id(), *(str(key.get("Id")) for key in keys)}
                self.node = node
        except (SourceError, SettingsError) as error:
            get_logger().warning("%s; what is published stays", error)

    def records(self) -> Iterator[tuple[str, str]]:
        """What is remembered as published."""
        folder = self.store.own_folder / Own.PUBLISHED
        for name in sorted(scan.names(folder)):
            repo_id = layout.repo_of(name)
            for file in sorted(scan.names(folder / name)):
                if repo_id is not None and layout.is_commit(file.removesuffix(".json")):
                    yield repo_id, file.removesuffix(".json")

    def why_kept(self, repo_id: str, commit: str) -> str | None:
        """Why a published commit has to stay: its references could not be dropped. None if it may go."""
        if self.off or not publisher.published_paths(self.store, repo_id, commit):
            return None
        if self.node is None:
            return "published, and the node does not answer"
        return None if self._record(repo_id, commit).get("publisher") in self._names else "published by another node"

    def is_stale(self, repo_id: str, commit: str) -> bool:
        """Return whether the store has lost a file that was published."""
        paths = publisher.published_paths(self.store, repo_id, commit)
        return any(self.store.find(repo_id, commit, path) is None for path in paths)

    def withdraw(self, repo_id: str, commit: str) -> None:
        """Take a commit out of the fleet tree, if it is published there."""
        if self.node is not None and publisher.published_paths(self.store, repo_id, commit):
            last = publisher.published_commits(self.store, repo_id) == [commit]
            publisher.withdraw(self.store, self.node, repo_id, None if last else commit)
            self.withdrawn = True

    def settle(self, going: Iterable[Path] = ()) -> int:
        """Let the node remove what nothing holds any more, and every reference to files that are gone or are `going`.

        What shares a block with such a file is added again. How many references went.
        """
        if self.node is None:
            return 0
        if self.withdrawn:
            self.node.rpc.ask("repo/gc", idle_timeout=_LONG)
            self.withdrawn = False
        cids = self._referring({path.resolve() for path in going})
        # Found before they are dropped: a block that is missing, and not just dangling, the node would seek elsewhere.
        sharers = [file for file, cid in self._published() if not cids.isdisjoint(self._blocks(cid))] if cids else []
        for cid in cids:
            self._drop(cid)
        for file in sharers:
            self.node.add(file, nocopy=True)
        if cids:
            get_logger().info("%d references dropped from the node, %d files added again", len(cids), len(sharers))
        return len(cids)

    def _referring(self, going: set[Path]) -> set[str]:
        """The blocks that the filestore keeps in files of the store that are gone or going."""
        repo = None if self.node is None else self.node.repo_path()
        if self.node is None or repo is None:
            return set()
        try:
            rows = self.node.rpc.ask("filestore/ls", idle_timeout=_LONG)
        except NodeAnswer:  # no filestore
            return set()
        # Its paths begin at the folder that holds its repo.
        below, root = repo.resolve().parent, self.store.root.resolve()
        gone: dict[Path, bool] = {}
        found = set()
        for row in rows:
            file = below / str(row.get("FilePath"))
            if file not in gone:
                gone[file] = file.is_relative_to(root) and (file in going or not file.exists())
            if gone[file]:
                found.add(str(row["Key"]["/"]))
        return found

    def _published(self) -> Iterator[tuple[Path, str]]:
        """Every file of the store that is published, and its CID in the fleet tree."""
        for repo_id, commit in self.records():
            for path in sorted(publisher.published_paths(self.store, repo_id, commit)):
                visible = self.store.find(repo_id, commit, path)
                cid = self._record(repo_id, commit).get("cid")
                for part in path.split("/"):
                    cid = dict(self._links(str(cid))).get(part) if cid else None
                if visible and cid:
                    yield visible.resolve(), cid

    def _links(self, cid: str) -> list[tuple[str, str]]:
        """(name, CID) of what a folder or file links to. `ls` and `refs` would read those too, and some may be gone."""
        assert self.node is not None
        if cid.startswith(_RAW):
            return []
        if cid not in self._listed:
            links = self.node.rpc.ask("dag/get", cid)[0].get("Links") or []
            self._listed[cid] = [(str(link.get("Name")), str(link["Hash"]["/"])) for link in links]
        return self._listed[cid]

    def _blocks(self, cid: str) -> Iterator[str]:
        """The blocks of a file; no block with content is read."""
        yield cid
        for _, below in self._links(cid):
            yield from self._blocks(below)

    def _drop(self, cid: str) -> None:
        assert self.node is not None
        answer = self._remove_block(cid)
        if "pinned" in answer:  # by another program, and whatever held it cannot be whole any more
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

    def _record(self, repo_id: str, commit: str) -> dict[str, Any]:
        path = self.store.own_folder / Own.PUBLISHED / layout.repo_folder(repo_id) / f"{commit}.json"
        try:
            found = json.loads(path.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
