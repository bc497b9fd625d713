"""Files that the node of this machine's fleet refers to in the store, in place of copies of its own.

Kubo keeps what came from peers, and adds no reference to a block that it has: a file that came over bitswap would lie
on the disk twice for as long as it is published. In a node that the user has beside a fleet other things may hang on
such blocks: there it stays so.
https://github.com/ipfs/boxo/blob/main/filestore/filestore.go, `Put`
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..fleet.folder import FleetFolder
from ..ipfs.node import Node
from ..log import get_logger
from ..store.store import Store

_RAW = "bafkrei"  # how the CID of a block begins that has content and no links
_AT_ONCE = 100  # CIDs in a question


def place(store: Store, node: Node, blob: Path, target: str) -> None:
    """Make an MFS path a file of the store, by reference. NodeAnswer where the node does not allow that."""
    cid = node.place(blob, target, nocopy=True)
    repo = node.repo_path()
    if repo is None or repo.resolve() != FleetFolder(store.root).repo.resolve():
        return
    if copies := [block for some in _batches(node, cid) for block in _find_copies(node, some)]:
        get_logger().info(
            "%s: %d blocks came from peers; the node refers to the file in their place", blob, len(copies)
        )
        node.remove(target)
        for at in range(0, len(copies), _AT_ONCE):
            node.ask("block/rm", *copies[at : at + _AT_ONCE], force=True)
        node.place(blob, target, nocopy=True)


def _batches(node: Node, cid: str) -> Iterator[list[str]]:
    """The blocks of a file that have content."""
    found = dict.fromkeys([cid, *(str(row.get("Ref")) for row in node.ask("refs", cid, recursive=True, unique=True))])
    raw = [block for block in found if block.startswith(_RAW)]
    for at in range(0, len(raw), _AT_ONCE):
        yield raw[at : at + _AT_ONCE]


def _find_copies(node: Node, blocks: list[str]) -> list[str]:
    """Those that the node keeps itself."""
    referred = set()
    for row in node.ask("filestore/ls", *blocks):
        key = row.get("Key")
        if row.get("Status") == 0 and isinstance(key, dict):
            referred.add(key.get("/"))
    return [block for block in blocks if block not in referred]
