"""Names and listings according to trusted publishers, by gateways: only signatures and hashes are trusted.

A gateway is not trusted. It is asked for the signed record of the publisher's name, and for blocks by their CIDs
(https://specs.ipfs.tech/http-gateways/trustless-gateway/), so it learns no repo's name and can forge nothing. What it
can do is not to answer, or to show an older record that is still valid.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timezone

from ..config.forms import without_secrets
from ..errors import SourceDown, SourceError, UnsafeName
from ..log import get_logger
from ..net import timeouts
from ..net.http import HTTPReader, prepare
from ..store import layout
from ..store.tree import MAX_BYTES, Tree, tree_from_json
from . import ipns
from .unixfs import MAX_BLOCK, BlockReader

_RECORD = "application/vnd.ipfs.ipns-record"
_BLOCK = "application/vnd.ipld.raw"


class SignedTrees:
    """Asks gateways for the answers of publishers, as `NodeTrees` asks a node. `idle_timeout`: seconds, per answer."""

    def __init__(self, gateways: Sequence[str], publishers: Sequence[str], idle_timeout: float) -> None:
        self._gateways = {f"gateway {without_secrets(url)}": HTTPReader(url, idle_timeout) for url in gateways}
        self._publishers = [name for name in publishers if name != "swarm"]
        self._roots: dict[str, tuple[float, str]] = {}
        self.failures: dict[str, str] = {}  # publisher -> why it gave no answer
        self._silent: set[str] = set()  # gateways that were silent: a resolution waits for a gateway once only

    def prepare(self) -> None:
        """Import what asking needs."""
        prepare()

    def known_commit(self, repo_id: str, revision: str) -> tuple[str, str] | None:
        """The commit of a revision according to the first trusted publisher that knows it, and that publisher."""
        for name in self._publishers:
            raw = self._read(name, layout.ref_path(repo_id, revision), 256)
            commit = "" if raw is None else raw.decode("ascii", "replace").strip()
            if layout.is_commit(commit):
                return commit, name
        return None

    def known_tree(self, repo_id: str, commit: str) -> tuple[Tree, str] | None:
        """The listing of a commit, by the first trusted publisher that has it; a hostile name refuses it whole."""
        for name in self._publishers:
            raw = self._read(name, layout.tree_path(repo_id, commit), MAX_BYTES)
            try:
                if raw is not None:
                    return tree_from_json(commit, raw), name
            except (UnsafeName, ValueError) as error:
                get_logger().warning("publisher %s: its listing of %s is refused: %s", name, repo_id, error)
        return None

    def _read(self, name: str, path: str, limit: int) -> bytes | None:
        for label, gateway in self._gateways.items():
            if label in self._silent:
                continue
            try:
                root = self._root(gateway, name)
                return BlockReader(lambda cid, at=gateway: _block(at, cid)).read(root, path, limit)  # type: ignore[misc]
            except SourceError as error:
                if isinstance(error, SourceDown):
                    self._silent.add(label)
                self.failures[f"{name} through {label}"] = str(error)
                get_logger().info("publisher %s through %s: %s", name, label, error)
        return None

    def _root(self, gateway: HTTPReader, name: str) -> str:
        known = self._roots.get(name)
        if known is None or time.monotonic() - known[0] > timeouts.NAME_TTL:
            raw = gateway.read(f"/ipns/{name}?format=ipns-record", ipns.MAX_BYTES, _RECORD)
            value, _ = ipns.read_record(name, raw, datetime.now(timezone.utc))
            known = self._roots[name] = (time.monotonic(), value.removeprefix("/ipfs/"))
        return known[1]


def _block(gateway: HTTPReader, cid: str) -> bytes:
    return gateway.read(f"/ipfs/{cid}?format=raw", MAX_BLOCK, _BLOCK)
