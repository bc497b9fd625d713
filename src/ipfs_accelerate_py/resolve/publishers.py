"""A commit according to trusted publishers, which the node, else gateways, ask within one time budget."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Protocol

from ..config.settings import Settings
from ..errors import SettingsError, SourceError
from ..ipfs import node
from ..ipfs.fleet_tree import PeerTrees
from ..ipfs.node_trees import NodeTrees
from ..ipfs.signed_trees import SignedTrees
from ..log import get_logger
from ..net import timeouts
from ..net.futures import has_ended, submit
from ..store.store import Store
from ..store.tree import Tree


class Authority(Protocol):
    """A way to ask publishers. `failures`: publisher -> why it gave no answer. Errors are SourceError."""

    failures: dict[str, str]

    def prepare(self) -> None:
        """Import what asking needs."""
        ...

    def known_commit(self, repo_id: str, revision: str) -> tuple[str, str] | None:
        """The commit (40 hex digits) of a revision, according to the first publisher that knows it, and its name."""
        ...

    def known_tree(self, repo_id: str, commit: str) -> tuple[Tree, str] | None:
        """The listing of a commit according to the first publisher that has it, and its name."""
        ...


class Publishers:
    """The publishers of the settings. `failures`: receives publisher -> why it gave no answer."""

    def __init__(self, store: Store, settings: Settings, failures: dict[str, str]) -> None:
        self._store, self._settings, self._failures = store, settings, failures

    def find(self, repo_id: str, revision: str, commit: str | None, idle_timeout: float) -> tuple[Tree, str] | None:
        """The listing of `commit`, or else of the revision's commit by the first publisher that knows it; and its name.

        `idle_timeout`: in seconds, per publisher. Never raises.
        """
        if not self._settings.publishers:
            return None
        asked = list(self._open(idle_timeout))
        for authority in asked:
            with contextlib.suppress(SourceError, SettingsError):  # it is raised again when they are asked
                authority.prepare()
        asking = submit(lambda: self._ask(asked, repo_id, revision, commit))
        deadline = timeouts.PUBLISHERS * idle_timeout  # there may be many, and a wait for every one
        if not has_ended(asking, deadline):
            get_logger().warning("publishers cannot be asked: they took more than %g s", deadline)
            self._failures["publishers"] = f"silent for {deadline:g} s"
            return None
        return asking.result()

    def _ask(
        self, asked: Iterable[Authority], repo_id: str, revision: str, commit: str | None
    ) -> tuple[Tree, str] | None:
        for authority in asked:
            try:
                answer = (commit, "") if commit else authority.known_commit(repo_id, revision)
                kept = self._store.read_tree(repo_id, answer[0]) if answer else None
                listing = (kept, "") if kept else authority.known_tree(repo_id, answer[0]) if answer else None
            except (SourceError, SettingsError) as error:
                text = " - ".join(filter(None, (str(error), error.hint)))
                get_logger().warning("publishers cannot be asked: %s", text)
                self._failures["publishers"] = text
                continue
            self._failures |= authority.failures
            if answer is not None and listing is not None:
                return listing[0], answer[1] or listing[1]
        return None

    def _open(self, idle_timeout: float) -> Iterator[Authority]:
        """The ways to ask publishers: the node, else gateways."""
        try:
            ipfs = node.open_node(self._settings, idle_timeout)
            if ipfs is not None:
                yield NodeTrees(PeerTrees(ipfs, self._settings.publishers), self._settings.timeout)
        except SettingsError as error:
            get_logger().warning("publishers cannot be asked: %s - %s", error, error.hint)
        if self._settings.gateways:
            yield SignedTrees(self._settings.gateways, self._settings.publishers, idle_timeout)
