"""What the trusted publishers say of a commit: asked by the node, else through gateways, within one time budget."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

from ..config.settings import Settings
from ..errors import SettingsError, SourceError
from ..fetch.sources.gateway import Gateway
from ..fetch.sources.node import IPFSNode
from ..ipfs import node
from ..ipfs.node_trees import NodeWords
from ..ipfs.signed_trees import GatewayWords
from ..log import get_logger
from ..net.futures import Attempt
from ..store.store import Store
from ..store.tree import Tree

WORDS = 3.0  # silences that the words of all publishers together may take
Words = NodeWords | GatewayWords


class PublisherWords:
    """Asks whom the settings name. `said`: gets what became of each who could not say."""

    def __init__(self, store: Store, settings: Settings, said: dict[str, str]) -> None:
        self._store, self._settings, self._said = store, settings, said

    def find(self, repo_id: str, revision: str, commit: str | None, silence: float) -> tuple[Tree, str] | None:
        """The listing of `commit`, or of what the first who knows the revision takes for it, and who that was.

        `silence`: seconds for which one may say nothing. Never raises.
        """
        if not self._settings.publishers:
            return None
        asked = list(self._open(silence))
        for each in asked:
            with contextlib.suppress(SourceError, SettingsError):  # they will say it again when they are asked
                each.prepare()
        attempt = Attempt(lambda: self._ask(asked, repo_id, revision, commit))
        if not attempt.wait(WORDS * silence):  # each is waited for a little, and there may be many
            get_logger().warning("publishers cannot be asked: they took more than %g s", WORDS * silence)
            self._said["publishers"] = f"silent for {WORDS * silence:g} s"
            return None
        return attempt.result()

    def _ask(self, asked: Iterable[Words], repo_id: str, revision: str, commit: str | None) -> tuple[Tree, str] | None:
        for each in asked:
            try:
                answer = (commit, "") if commit else each.known_commit(repo_id, revision)
                kept = self._store.read_tree(repo_id, answer[0]) if answer else None
                listing = (kept, "") if kept else each.known_tree(repo_id, answer[0]) if answer else None
            except (SourceError, SettingsError) as error:
                text = " - ".join(filter(None, (str(error), error.hint)))
                get_logger().warning("publishers cannot be asked: %s", text)
                self._said["publishers"] = text
                continue
            self._said |= each.said
            if answer is not None and listing is not None:
                return listing[0], answer[1] or listing[1]
        return None

    def _open(self, silence: float) -> Iterator[Words]:
        """Who can tell what the publishers say: the node, else gateways."""
        try:
            ipfs = node.open_node(self._settings, silence)
            if ipfs is not None:
                yield NodeWords(IPFSNode(ipfs, self._settings.publishers), self._settings.timeout)
        except SettingsError as error:
            get_logger().warning("publishers cannot be asked: %s - %s", error, error.hint)
        if self._settings.gateways:
            gateways = [Gateway(url, tuple, silence) for url in self._settings.gateways]
            yield GatewayWords(gateways, self._settings.publishers)
