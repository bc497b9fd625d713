"""Where bytes come from: a file for every kind of source, behind one small protocol.

`fetch` puts the bytes of one file into the writer (`write` in order, or `adopt` a file), and raises SourceError if it
cannot (SourceDown: it does not answer at all). A source that can begin anywhere goes on at `writer.begin(giver)`; the
others call `writer.start()` first. No source is trusted: the writer hashes, and raises Mismatch through `fetch` for
wrong bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from typing import Any, NamedTuple, Protocol

from ...log import get_logger
from ...stats import stats
from ...store.entry import Entry
from ...store.verify import Mismatch
from ...store.writer import Writer


class Kind(str, Enum):
    """The kinds of sources. The values stand in `status --json`, under `served`."""

    LOCAL_CACHES = "lower tier"
    MEMBERS = "fleet"
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


# From the nearest to the last. All have a holder in tests/contract/conftest.py.
SOURCES = (
    Row(Kind.LOCAL_CACHES, "local_caches", "LocalCaches", "folders in IPFS_ACCELERATE_LOWER"),
    Row(Kind.MEMBERS, "members", "Members", "'fleet join', and the agent of this machine"),
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
    """A file of a commit, and what its bytes must be. `token` is for the Hub alone."""

    repo_id: str
    commit: str
    path: str
    entry: Entry
    token: str | bool | None = None


class Source(Protocol):
    """What may give the bytes.

    `label` identifies it among its kind. `own_pace`: it has time limits of its own, and is never given up.
    """

    kind: Kind

    @property
    def label(self) -> str:
        """Its name for people."""
        ...

    @property
    def own_pace(self) -> OwnPace | None:
        """How its progress is seen, if it has time limits of its own."""
        ...

    def prepare(self) -> None:
        """Import and open what the first request needs: this time does not count for the idle timeout."""
        ...

    def fetch(self, request: FileRequest, writer: Writer) -> str:
        """Fill the writer; returns the name of the giver for the log. SourceError if it cannot."""
        ...


class OwnPace(Protocol):
    """Of a source with time limits of its own; another may be asked at the same time."""

    def seen_so_far(self, request: FileRequest) -> object:
        """The progress that the writer does not know of yet: a value that differs whenever there is more."""
        ...

    def may_be_silent(self, request: FileRequest, budget: float) -> float:
        """Its idle timeout in seconds, where that of others is `budget`."""
        ...


def report_corrupt(label: str, path: str, mismatch: Mismatch) -> None:
    """Note a corrupt source, and warn of it the first time."""
    if label not in stats().liars:
        get_logger().warning("%s gave wrong bytes for %s (%s): refused", label, path, mismatch)
    stats().liars[label] = f"{path}: {mismatch}"
