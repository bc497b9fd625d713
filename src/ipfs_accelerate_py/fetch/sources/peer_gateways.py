"""The HTTP gateways of peers, which they name in the file `gateways` at the root of their trees: one URL a line.

A peer's own gateway gives a large file faster than the exchange of blocks does. It is looked up within a
private swarm only, and only for large files.
"""

from __future__ import annotations

from ...config.forms import read_gateway
from ...errors import SourceError
from ...ipfs.swarm import is_private
from ...stats import stats
from ...store import layout
from ...store.verify import Mismatch
from ...store.writer import Writer
from . import FileRequest, Kind, report_corrupt
from .gateway import Gateway
from .node import IPFSNode

_AT_MOST = 8  # gateways of one model
_LIMIT = 4096  # bytes of the file


class PeerGateways:
    """Supplies bytes from the gateways that the holders of a model announce."""

    kind = Kind.GATEWAY
    label = "gateways of peers"
    own_pace = None

    def __init__(self, ipfs: IPFSNode, idle_timeout: float) -> None:
        self._ipfs, self._idle_timeout = ipfs, idle_timeout
        self._known: dict[str, list[Gateway]] = {}

    def prepare(self) -> None:
        self._ipfs.prepare()

    def fetch(self, request: FileRequest, writer: Writer) -> str:
        if self._ipfs.own.in_tree(request) is not None:
            raise SourceError("the node itself has it")
        folder = layout.repo_folder(request.repo_id)
        if folder not in self._known:
            self._known[folder] = self._look_up(folder)
        reasons: list[str] = []
        for gateway in self._known[folder]:
            if gateway.label in stats().liars:
                continue
            try:
                giver = gateway.fetch(request, writer)
                writer.check()
                return giver
            except SourceError as error:
                reasons.append(f"{gateway.label}: {error}")
            except Mismatch as mismatch:
                if len(writer.givers) < 2:
                    report_corrupt(gateway.label, request.path, mismatch)
                writer.start()
                reasons.append(f"{gateway.label}: wrong bytes")
        raise SourceError("; ".join(reasons) or "no peer announces a gateway")

    def _look_up(self, folder: str) -> list[Gateway]:
        found: dict[str, Gateway] = {}
        if not is_private(self._ipfs.node):
            return []
        for peer in self._ipfs.suppliers(folder):
            try:
                text = self._ipfs.trees.read(peer, "gateways", _LIMIT).decode("utf-8")
                urls = [read_gateway(url) for url in text.split()]
            except (SourceError, ValueError):  # most announce none
                continue
            for url in urls[: _AT_MOST - len(found)]:
                found.setdefault(url, Gateway(url, lambda name=peer: [name], self._idle_timeout))  # type: ignore[misc]
        return list(found.values())
