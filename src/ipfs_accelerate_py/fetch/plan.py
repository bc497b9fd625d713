"""Which sources are asked for a file, and in what order."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..config.settings import Settings, is_given
from ..errors import SettingsError, Unresolved
from ..fleet.folder import FleetFolder
from ..hub.breaker import close_hub_breaker, is_hub_breaker_open
from ..hub.client import LARGE, ask_commit, ask_commit_id
from ..ipfs import node
from ..log import warn_once
from ..net import timeouts
from ..net.addresses import is_private_host
from ..net.futures import has_ended, submit
from ..stats import stats
from ..store import layout
from ..store.layout import Own
from ..store.resolution import Resolution
from ..store.store import Store
from ..store.tree import Entry
from . import health
from .claims import was_yielded
from .sources import FileRequest, Kind, Source, find_class
from .sources.gateway import Gateway
from .sources.node import IPFSNode
from .sources.peer_gateways import PeerGateways

if TYPE_CHECKING:
    from .sources.members import Members

_YIELDS = 3  # to other machines that fetch a file, before it is fetched here all the same


class Plan:
    """The sources for the files of one resolution, from the nearest to the Hub.

    A closed repo's name is sent to the Hub only. While it is not known whether a repo is public, its name stays within
    the private networks of the user.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        resolution: Resolution,
        token: str | bool | None,
        local_only: bool,
        force: bool,
    ) -> None:
        self.store, self.settings, self.resolution = store, settings, resolution
        self.token, self.local_only, self.force = token, local_only, force
        self._far: list[Source] | None = None
        self._opening = threading.Lock()
        self._ipfs: IPFSNode | None = None
        self._peer_gateways: PeerGateways | None = None

    def for_file(self, entry: Entry) -> Iterator[Source]:
        """The sources for a file; the later ones are only made when they are needed."""
        size = entry.size
        if not self.force:
            yield find_class(Kind.LOCAL_CACHES)(self.settings.lower, self.store.stat_cache)
        if self.local_only:
            return
        if (members := self._members(size)) is not None:
            yield members
        # A node is many peers, and leaves out corrupt peers itself.
        far = [source for source in self._open_far() if source.kind is Kind.NODE or source.label not in stats().liars]
        far = health.order(far, size)
        if self._peer_gateways is not None and size >= health.LARGE:
            far = [self._peer_gateways, *far]
        left_alone = [source for source in far if health.is_breaker_open(source.label, size)]
        yield from (source for source in far if source not in left_alone)
        hub_was_down = is_hub_breaker_open()
        if not hub_was_down:
            yield self._hub()
            for _ in range(_YIELDS):  # another machine turned out to fetch it
                if members is None or not was_yielded(layout.repo_folder(self.resolution.repo_id), entry.etag):
                    break
                yield members
                yield self._hub()
            if members is not None and members.gave_way:  # the Hub, which is quicker, has failed
                yield members
        yield from left_alone
        if hub_was_down and self._hub_is_back():
            yield self._hub()

    def _members(self, size: int) -> Members | None:
        """The fleet, if this machine is in one, for what is not known to be closed; an object for each file."""
        if self.resolution.public is False or self.settings.fleet == "off":
            return None
        if not FleetFolder(self.store.root).exists():
            return None
        # others may follow only where this machine may give
        claim = self.settings.publish != "off" and self.resolution.public is True
        members: Members = find_class(Kind.MEMBERS)(self.store.root, self.settings.timeout, claim=claim)
        return None if health.is_breaker_open(members.label, size) else members

    def _hub(self) -> Source:
        root = None if self.settings.fleet == "off" else self.store.root
        hub: Source = find_class(Kind.HUB)(self.store.own_folder / Own.HUB, root, public=self.resolution.public is True)
        return hub

    def _open_far(self) -> list[Source]:
        with self._opening:
            if self._far is None:
                self._far = self._make_far()
        return self._far

    def _make_far(self) -> list[Source]:
        self._miss_lower()
        if self.resolution.public is False:
            return []
        return [*self._node(), *self._gateways(), *self._mirrors()]

    def _miss_lower(self) -> None:
        """Warn of caches that the user has named and that are not there. They may lie on a mount that hangs."""
        if not is_given("lower"):
            return
        looking = submit(lambda: [str(folder) for folder in self.settings.lower if not folder.is_dir()])
        for folder in looking.result() if has_ended(looking, self.settings.timeout) else ():
            warn_once(f"IPFS_ACCELERATE_LOWER: there is no folder {folder}; going on without it")

    def _node(self) -> Iterator[Source]:
        try:
            ipfs = node.open_node(self.settings, timeouts.IDLE)
        except SettingsError as error:
            warn_once(f"{error}: {error.hint}")
            return
        if ipfs is not None:
            known_public = self.resolution.public is True
            self._ipfs = IPFSNode(
                ipfs,
                self.settings.publishers,
                ask_swarm=known_public,
                peer_idle_timeout=self.settings.timeout,
                cid_of=self._cid_of,
            )
            self._peer_gateways = PeerGateways(self._ipfs, timeouts.IDLE)
            yield self._ipfs

    def _gateways(self) -> Iterator[Source]:
        settings = self.settings
        named = [name for name in settings.publishers if name != "swarm"]
        if settings.gateways and not named and self._ipfs is None and settings.lock is None:
            warn_once(
                "IPFS_ACCELERATE_GATEWAYS is of no use alone: gateways are asked by the names of publishers, by those "
                "that a node finds, or by the CIDs of a lock file; set IPFS_ACCELERATE_PUBLISHERS, for example"
            )
        for url in self.settings.gateways:
            gateway = Gateway(url, self._names, timeouts.IDLE, self._cid_of)
            if gateway.is_near or self.resolution.public:
                yield gateway

    def _names(self) -> list[str]:
        """The names whose trees a gateway is asked for: publishers of the settings, and holders that our node found."""
        names = [name for name in self.settings.publishers if name != "swarm"]
        if self._ipfs is not None:
            names += self._ipfs.holders_so_far(layout.repo_folder(self.resolution.repo_id))
        return list(dict.fromkeys(names))

    def _cid_of(self, request: FileRequest) -> str | None:
        return self.resolution.cids.get(request.path)

    def _mirrors(self) -> Iterator[Source]:
        for url in self.settings.mirrors:
            if self.resolution.public or _is_near(url):
                yield find_class(Kind.MIRROR)(url)

    def _hub_is_back(self) -> bool:
        """Return whether the Hub answers one small question. Then the original call would load its bytes unchecked."""
        repo_id, commit, timeout = self.resolution.repo_id, self.resolution.commit, self.settings.timeout
        ask = ask_commit_id if len(self.resolution.tree.files) > LARGE else ask_commit
        asking = submit(lambda: ask(repo_id, commit, self.token, timeout))
        try:
            if not has_ended(asking, timeout):
                return False
            asking.result()
        except Unresolved:
            return False
        close_hub_breaker()
        return True


def _is_near(url: str) -> bool:
    """Return whether a mirror lies on this machine or in a private network."""
    scheme, _, _ = url.partition("://")
    if scheme in ("file", "local"):
        return True
    if scheme == "s3":
        url = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    return is_private_host(urlsplit(url).hostname or "")
