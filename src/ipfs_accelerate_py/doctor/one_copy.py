"""Whether a model is on disk once: the node is asked to take a small file of the store by reference."""

from __future__ import annotations

import contextlib
from pathlib import Path

from ..errors import SourceError
from ..ipfs.node import Node
from ..store.store import Store
from .check import Result, good
from .folders import scratch_of

# Always the same: `add` leaves a block for the folder that it thinks around a file, until the node's next collection.
_CONTENT = b"ipfs_accelerate_py asks whether a file can be taken by reference\n"


def check_one_copy(node: Node, home: Path) -> Result:
    """A second copy is no failure, since all works with it; the hint shows how to avoid it."""
    repo = node.repo_path()
    if repo is None:
        return good("the node's repo is not on this machine, so it keeps copies of its own")
    parent = repo.resolve().parent
    if not home.resolve().is_relative_to(parent):
        return good(
            f"the node keeps a second copy of what is published: the store is not below {parent}",
            f"set IPFS_ACCELERATE_HOME to a folder below {parent}, or move the node's repo next to the store",
        )
    store = Store(home)
    with store.writing(), scratch_of(store) as scratch:
        file = scratch / "file"
        file.write_bytes(_CONTENT)
        try:
            cid = node.add(file, nocopy=True)
        except SourceError as error:
            return good(
                f"the node keeps a second copy of what is published: {error}",
                "ipfs config --json Experimental.FilestoreEnabled true, then ipfs shutdown and ipfs daemon",
            )
        with contextlib.suppress(SourceError):
            node.rpc.ask("block/rm", cid)
    return good("the node took a file of the store by reference, and forgot it again")
