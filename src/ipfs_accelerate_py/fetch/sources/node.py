"""The IPFS node of this machine, and peers over it: by the trees they publish under their names, all verified."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from ...errors import SourceDown, SourceError
from ...ipfs import swarm
from ...ipfs.fleet_tree import PeerTrees
from ...ipfs.node import Node
from ...ipfs.rpc_errors import NodeAnswer
from ...net import timeouts
from ...stats import stats
from ...store import layout
from ...store.verify import Mismatch
from ...store.writer import Writer
from . import FileRequest, Kind, report_corrupt
from .node_local import OwnContent

_NEIGHBOURS = 8  # connected peers that are tried when no holder is known
_ITSELF = "the node itself"


class _Tries:
    """The results of asking for a file: reasons for failures, and wrong bytes."""

    def __init__(self, request: FileRequest, writer: Writer) -> None:
        self.request, self.writer = request, writer
        self.reasons: list[str] = []
        self.wrong: Mismatch | None = None


class IPFSNode:
    """Supplies what the node has itself, then bytes from `/ipns/<peer>/models--*/...` of trusted publishers and of the
    peers that provide the model.
    """

    kind = Kind.NODE
    label = "node"
    own_pace = None

    def __init__(
        self,
        node: Node,
        publishers: tuple[str, ...] = (),
        *,
        ask_swarm: bool = False,
        peer_idle_timeout: float | None = None,
        cid_of: Callable[[FileRequest], str | None] = lambda request: None,
    ) -> None:
        self.node = node
        self.trees = PeerTrees(node, publishers)
        self.own = OwnContent(node, cid_of)
        self._peer_idle_timeout = peer_idle_timeout  # in seconds, while there is another peer
        self._ask_swarm = ask_swarm  # whether the repo's name may be looked up in a public swarm
        self._holders: dict[str, list[str]] = {}

    def prepare(self) -> None:
        self.node.rpc.prepare()

    # -- bytes ------------------------------------------------------------------------------------------------------
    def fetch(self, request: FileRequest, writer: Writer) -> str:
        if request.entry.size == 0:
            return "no source: it is empty"  # Kubo waits for ever for the empty block of a peer
        tries = _Tries(request, writer)
        if self._ask_itself(tries):
            return _ITSELF
        folder = layout.repo_folder(request.repo_id)
        silent = []
        for name in self.suppliers(folder):
            if f"peer {name}" not in stats().liars:
                # The only peer gets more time at once: to ask anew would cost what was done so far.
                others = len(set(self.trees.publishers()) | set(self.holders_so_far(folder))) > 1
                idle_timeout = (
                    self._peer_idle_timeout
                    if others or not self._peer_idle_timeout
                    else max(self._peer_idle_timeout, timeouts.IDLE_ONLY_PEER)
                )
                if self._ask_peer(tries, name, idle_timeout):
                    return f"peer {name}"
                silent += [name] if idle_timeout else []
        for name in silent:  # now with the long idle timeout
            swarm.reconnect_once(self.node, name)
            if f"peer {name}" not in stats().liars and self._ask_peer(tries, name, None):
                return f"peer {name}"
        if tries.wrong is not None:
            raise tries.wrong
        raise SourceError("; ".join(dict.fromkeys(tries.reasons)) or "no peer announces that it holds this model")

    def _ask_itself(self, tries: _Tries) -> bool:
        """Take the file from what the node has, without the swarm; return whether that worked."""
        path = self.own.in_tree(tries.request)
        if path is not None:
            if self._take(tries, _ITSELF, lambda: path, None, offline=True):
                return True
            self.own.give_up(tries.request)
        cid = self.own.by_cid(tries.request)
        return cid is not None and self._take(tries, _ITSELF, lambda: cid, None, offline=True)

    def _ask_peer(self, tries: _Tries, name: str, idle_timeout: float | None) -> bool:
        """Take the file from a peer; return whether that worked."""
        request = tries.request
        snapshot = layout.snapshot_path(request.repo_id, request.commit, request.path)
        return self._take(tries, f"peer {name}", lambda: f"{self.trees.root(name)}/{snapshot}", idle_timeout)

    def _take(
        self, tries: _Tries, giver: str, path: Callable[[], str], idle_timeout: float | None, *, offline: bool = False
    ) -> bool:
        """Take the file from an IPFS path; False if that did not work, for `reasons` or because of `wrong` bytes."""
        writer = tries.writer
        if giver in stats().liars:
            return False
        try:
            at = path()
            try:
                self._copy(giver, at, writer, idle_timeout, offline)
            except Mismatch:
                if len(writer.givers) < 2:
                    raise
                writer.start()  # what another source began may be what is wrong: this peer is asked for the whole
                self._copy(giver, at, writer, idle_timeout, offline)
            return True
        except SourceDown:
            raise
        except SourceError as error:
            if not (offline and isinstance(error, NodeAnswer)):  # that the node itself lacks it is no failure
                tries.reasons.append(str(error))
        except Mismatch as mismatch:  # a corrupt peer is not asked again; the others are
            tries.wrong = mismatch
            report_corrupt(giver, tries.request.path, mismatch)
            writer.start()
        return False

    def _copy(self, giver: str, path: str, writer: Writer, idle_timeout: float | None, offline: bool) -> None:
        for data in self.node.stream(path, writer.begin(giver), idle_timeout, offline=offline):
            writer.write(data)
        if writer.size < writer.entry.size:
            raise SourceError(f"{giver} broke off after {writer.size} bytes")
        writer.check()

    def suppliers(self, folder: str) -> Iterator[str]:
        """The publishers, then the peers that announce that they hold a model."""
        yield from self.trees.publishers()
        if folder not in self._holders:
            self._holders[folder] = self._look_up(folder)
        known = set(self.trees.publishers())
        yield from (name for name in self._holders[folder] if name not in known)

    def _look_up(self, folder: str) -> list[str]:
        """The peers that announce a model; in a private swarm, if there are none, the peers that we are connected to.

        A node that has just joined finds no holders for some seconds; its peers' trees it can read at once.
        """
        private = swarm.is_private(self.node)
        if not (self._ask_swarm or private):
            return []
        own = self.node.peer_id()
        found: list[str] = []
        with contextlib.suppress(NodeAnswer):
            found = [name for name in swarm.holders(self.node, folder) if name != own]
        if not found and private:
            found = [name for name in swarm.peers(self.node) if name != own][:_NEIGHBOURS]
        return found

    def holders_so_far(self, folder: str) -> list[str]:
        """The peers that are known by now to hold a model; no request is made."""
        return self._holders.get(folder, [])
