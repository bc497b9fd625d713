"""Make named files of a commit present in the store: have it, else each source in turn, every byte verified."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

from .. import state
from ..errors import SettingsError, SourceError, Unavailable, Unresolved, VerificationError
from ..log import get_logger
from ..settings import Settings
from . import layout, node, resolver
from .attempt import Attempt
from .resolver import Resolution
from .sources import Source, Wanted, hub, report_liar
from .sources.hub import Hub
from .sources.ipfs_node import IPFSNode
from .sources.lower_tier import LowerTier
from .store import Store
from .tree import Entry
from .verify import Mismatch

_AT_ONCE = 4  # files fetched side by side, for the shards of a large model


class Retrieval:
    """Fetches the files of one resolution. `local_only`: from this machine alone."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        resolution: Resolution,
        *,
        token: str | bool | None = None,
        local_only: bool = False,
        force: bool = False,
    ) -> None:
        self.store, self.settings, self.resolution = store, settings, resolution
        self.token, self.local_only, self.force = token, local_only or settings.force_local, force
        self._sources: list[Source] | None = None

    def make_present(self, paths: Iterable[str]) -> dict[str, Path]:
        """The visible files by path, fetched where they were not; those the commit does not have are left out.

        Raises Unavailable (no source has the bytes now), VerificationError (only wrong bytes), StoreError.
        """
        known = self.resolution.tree.files
        wanted = [path for path in dict.fromkeys(paths) if path in known]
        present: dict[str, Path] = {}
        absent = []
        for path in wanted:
            found = None if self.force else self._find(path, known[path])
            if found is None:
                absent.append(path)
            else:
                present[path] = found
        if len(absent) > 1:
            with ThreadPoolExecutor(_AT_ONCE, "ipfs_accelerate-fetch") as pool:
                present.update(zip(absent, pool.map(self._fetch, absent), strict=True))
        elif absent:
            present[absent[0]] = self._fetch(absent[0])
        return {path: present[path] for path in wanted}

    def _find(self, path: str, entry: Entry) -> Path | None:
        repo_id, commit = self.resolution.repo_id, self.resolution.commit
        found = self.store.find(repo_id, commit, path, entry)
        if found is None and self.store.find_blob(repo_id, entry):
            return self.store.link(repo_id, commit, path, entry)
        return found

    def _fetch(self, path: str) -> Path:
        from huggingface_hub.utils import WeakFileLock  # type: ignore[attr-defined]

        repo_id, entry = self.resolution.repo_id, self.resolution.tree.files[path]
        lock = self.store.root / ".locks" / layout.repo_folder(repo_id) / f"{entry.etag}.lock"
        with self.store.writing():
            lock.parent.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        with WeakFileLock(lock):
            found = None if self.force else self._find(path, entry)  # another process may have been quicker
            if found is not None:
                return found
            giver, source = self._ask_sources(path, entry)
            visible = self.store.link(repo_id, self.resolution.commit, path, entry)
        state.count(source, entry.size)
        seconds = time.monotonic() - started
        get_logger().info("%s %s: %s from %s in %.2f s", repo_id, path, _size(entry.size), giver, seconds)
        return visible

    def _ask_sources(self, path: str, entry: Entry) -> tuple[str, str]:
        repo_id, commit = self.resolution.repo_id, self.resolution.commit
        wanted = Wanted(repo_id, commit, path, entry, self.token)
        blob = self.store.path(layout.blob_path(repo_id, entry.etag))
        reasons: list[str] = []
        wrong: list[tuple[str, Mismatch]] = []
        with self.store.receive(repo_id, entry) as receiver:
            for source in chain(self._open_sources(), self._last_resort()):
                # One that gave wrong bytes is asked again for another file: the lower tier is many copies and the node
                # many peers (it leaves out those that lied), nobody replaces the Hub, and every byte is checked.
                receiver.start()
                try:
                    with self.store.writing():
                        giver = source.fetch(wanted, receiver)
                        receiver.finish(blob)
                    return giver, source.name
                except Mismatch as mismatch:
                    wrong.append((source.name, mismatch))
                    report_liar(source.name, path, mismatch)
                except (SourceError, SettingsError) as error:
                    reasons.append(f"{source.name}: {error}")
                    self._complain(source, error)
        if wrong:
            names = ", ".join(name for name, _ in wrong)
            raise VerificationError(
                f"{repo_id}: {path} was not loaded, because what was offered is not the file that commit "
                f"{commit} has: expected {entry.etag}, got {wrong[-1][1].actual} (asked: {names})",
                "the bytes are damaged on the way or at their source; remove the damaged copy if it is a cache of "
                "this machine, else try again or ask whoever runs the source",
            )
        raise Unavailable(f"{repo_id}: no source has {path} now ({'; '.join(reasons) or 'nobody was asked'})")

    def _open_sources(self) -> list[Source]:
        if self._sources is None:
            lower = [] if self.force else [LowerTier(self.settings.lower)]
            self._sources = [*lower, *([] if self.local_only else self._far_sources())]
        return self._sources

    def _far_sources(self) -> list[Source]:
        # While the Hub cannot answer, a slow peer is better than none.
        hub_rests = resolver.hub_is_resting()
        far = self._open_node(node.PATIENCE if hub_rests else None)
        return far if hub_rests else [*far, Hub(self.store.own_folder / "hub")]

    def _open_node(self, patience: float | None) -> list[Source]:
        if self.resolution.public is False:  # a closed repo's name is told to nobody but the Hub
            return []
        try:
            ipfs = node.open_node(self.settings, patience)
        except SettingsError as error:
            if str(error) not in _said:
                _said.add(str(error))
                get_logger().warning("%s: %s", error, error.hint)
            return []
        known_public = self.resolution.public is True
        return [] if ipfs is None else [IPFSNode(ipfs, self.settings.publishers, ask_swarm=known_public)]

    def _last_resort(self) -> Iterator[Source]:
        """Reached when nobody had the bytes: the node once more, now with patience, or a Hub that was left out."""
        names = [source.name for source in self._open_sources()]
        if {IPFSNode.name, Hub.name} <= set(names):  # without the Hub the node had its patience already
            yield from self._open_node(node.PATIENCE)
        elif not self.local_only and Hub.name not in names and self._hub_is_back():
            yield Hub(self.store.own_folder / "hub")

    def _hub_is_back(self) -> bool:
        """One small question, since the original call would load unchecked what a Hub that is well again gives it."""
        if not resolver.hub_is_resting():
            return True
        repo_id, commit, timeout = self.resolution.repo_id, self.resolution.commit, self.settings.timeout
        attempt = Attempt(lambda: hub.ask_commit(repo_id, commit, self.token, timeout))
        try:
            if not attempt.wait(timeout):
                return False
            attempt.result()
        except Unresolved:
            return False
        resolver.end_rest()
        return True

    def _complain(self, source: Source, error: SourceError | SettingsError) -> None:
        # A node that the user has named and that is not there is worth one line; that a peer lacks a file is not.
        named = source.name == "node" and self.settings.node not in ("auto", "off") and error.hint
        text = f"{error}; {error.hint}" if error.hint else str(error)
        if named and text not in _said:
            _said.add(text)
            get_logger().warning("%s; going on without it", text)
        else:
            get_logger().debug("%s: %s", source.name, text)


_said: set[str] = set()


def _size(size: int) -> str:
    number = float(size)
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"
