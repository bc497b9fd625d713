"""Where bytes come from: one file each, behind one small protocol.

`fetch` puts the bytes of one file into the writer (`write` in order, or `adopt` a file), and raises SourceError if it
cannot (SourceDown: nobody answers there). A source that can begin anywhere goes on at `writer.begin(who)`; others call
`writer.start()` first. Nobody is trusted: the writer hashes, and raises Mismatch through `fetch` when the bytes are
wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from typing import Any, NamedTuple, Protocol

from ... import state
from ...log import get_logger
from ...store.entry import Entry
from ...store.verify import Mismatch
from ...store.writer import Writer


class Kind(str, Enum):
    """The kinds of sources. The values stand in `status --json`, under `served`."""

    LOCAL_CACHES = "lower tier"
    NODE = "node"
    GATEWAY = "gateway"
    MIRROR = "mirror"
    HUB = "hub"


class Row(NamedTuple):
    """A source: its module in this package, its class, and what a user does to have it."""

    kind: Kind
    module: str
    class_name: str
    needs: str


# From the nearest to the last. Each has a holder in tests/contract/conftest.py.
SOURCES = (
    Row(Kind.LOCAL_CACHES, "local_caches", "LocalCaches", "folders in IPFS_ACCELERATE_LOWER"),
    Row(Kind.NODE, "node", "IPFSNode", "'ipfs daemon', and IPFS_ACCELERATE_NODE if it is not the default one"),
    Row(Kind.GATEWAY, "gateway", "Gateway", "URLs in IPFS_ACCELERATE_GATEWAYS, and publishers or a lock file"),
    Row(Kind.MIRROR, "mirror", "Mirror", "URLs in IPFS_ACCELERATE_MIRRORS; for s3:// 'pip install s3fs'"),
    Row(Kind.HUB, "hub", "Hub", "nothing: it is the last to be asked"),
)


def find_class(kind: Kind) -> Any:
    """The class of a kind of source, which is imported now."""
    row = next(row for row in SOURCES if row.kind is kind)
    return getattr(import_module(f"{__package__}.{row.module}"), row.class_name)


@dataclass(frozen=True)
class FileRequest:
    """One file of one commit, and what its bytes must be. `token` is for the Hub alone."""

    repo_id: str
    commit: str
    path: str
    entry: Entry
    token: str | bool | None = None


class Source(Protocol):
    """A place that may hold the bytes.

    `label` tells it from others of its kind. `own_pace`: it has time budgets of its own, and is never given up.
    """

    kind: Kind

    @property
    def label(self) -> str:
        """Its name for people."""
        ...

    @property
    def own_pace(self) -> OwnPace | None:
        """How it can be seen to get on, if it has time budgets of its own."""
        ...

    def prepare(self) -> None:
        """Import and open what a first question needs: that time is ours, and no silence of the source."""
        ...

    def fetch(self, request: FileRequest, writer: Writer) -> str:
        """Fill the writer; returns who really gave the bytes, in words for the log. SourceError if it cannot."""
        ...


class OwnPace(Protocol):
    """Of a source with time budgets of its own; another may be asked beside it."""

    def seen_so_far(self, request: FileRequest) -> object:
        """What has come that the writer does not know of yet; another answer each time that there is more."""
        ...

    def may_be_silent(self, request: FileRequest, budget: float) -> float:
        """The seconds for which it may be well without any sign of it, where others get `budget`."""
        ...


def report_corrupt(label: str, path: str, mismatch: Mismatch) -> None:
    """Write down that a source gave wrong bytes, and say so the first time."""
    if label not in state.liars:
        get_logger().warning("%s gave wrong bytes for %s (%s): refused", label, path, mismatch)
    state.liars[label] = f"{path}: {mismatch}"
