"""Repair a fleet tree that an older version, or a person, wrote: its small files, and its folders.

`files/write` and `files/mkdir` follow the node's own `Import.*`. Under some of them a small file begins with an empty
block, which no Kubo gives to a peer, or has a hash that readers without a node do not know.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import SourceError
from ..log import get_logger
from ..session import Recent, session
from ..store import layout
from ..store.tree import MAX_BYTES
from .cid import cid_of
from .fleet_tree import MFS_ROOT
from .node import Node

_RAW = "bafkrei"  # how the CID of one block with content begins: a small file is that
_FOLDER = "bafybei"  # and that of a folder


class Mended(Recent[str, bool]):
    """The nodes whose trees this process has mended, by address: once is enough."""


def mend(node: Node) -> None:
    """Make every listing, ref and `gateways` anew that is not what the pinned recipe gives. SourceError."""
    if node.address in session.part(Mended) or node.stat(MFS_ROOT) is None:
        return
    _make_alike(node, MFS_ROOT)
    for path in _small_files(node):
        try:
            content = node.read(f"/ipfs/{(node.stat(path) or {}).get('Hash')}", MAX_BYTES, offline=True)
        except SourceError as error:  # some of it is lost: the next publication of that model writes it again
            get_logger().info("%s cannot be mended: %s", path, error)
            continue
        if cid_of(content) != (node.stat(path) or {}).get("Hash"):
            node.place(content, path)
            get_logger().info("%s was written by an older version, and is made anew", path)
    session.part(Mended)[node.address] = True


def _small_files(node: Node) -> Iterator[str]:
    """Those that are not one raw block. Their folders become like those of every other node."""
    for name, cid, is_folder in _entries(node, MFS_ROOT):
        if name == "gateways" and not cid.startswith(_RAW):
            yield f"{MFS_ROOT}/{name}"
        if is_folder and layout.repo_of(name):
            _make_alike(node, f"{MFS_ROOT}/{name}", cid)
            for folder, below, _ in _entries(node, f"{MFS_ROOT}/{name}"):
                _make_alike(node, f"{MFS_ROOT}/{name}/{folder}", below)
                files = list(_below(node, f"{MFS_ROOT}/{name}/{folder}"))
                yield from files if folder in ("refs", "trees") else []


def _below(node: Node, folder: str) -> Iterator[str]:
    for name, cid, is_folder in _entries(node, folder):
        if is_folder:
            _make_alike(node, f"{folder}/{name}", cid)
            yield from _below(node, f"{folder}/{name}")
        elif not cid.startswith(_RAW):
            yield f"{folder}/{name}"


def _make_alike(node: Node, folder: str, cid: str | None = None) -> None:
    if not (cid or str((node.stat(folder) or {}).get("Hash"))).startswith(_FOLDER):
        node.rpc.ask("files/chcid", folder, cid_version=1, hash="sha2-256")


def _entries(node: Node, folder: str) -> list[tuple[str, str, bool]]:
    """(name, CID, is it a folder) of what lies in an MFS folder."""
    answers = node.rpc.ask("files/ls", folder, long=True)
    found = [row for answer in answers for row in answer.get("Entries") or [] if isinstance(row, dict)]
    return [(str(row.get("Name")), str(row.get("Hash")), row.get("Type") == 1) for row in found]
