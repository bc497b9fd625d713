"""Names and listings according to trusted publishers, whose trees the node reads.

A publisher that is connected and silent is reconnected, once, and then left for the next. Silent publishers are asked
again, with the long idle timeout, when no other publisher has the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..errors import SourceDown, SourceError, UnsafeName
from ..log import get_logger
from ..store import layout
from ..store.tree import MAX_BYTES, Tree, tree_from_json
from .fleet_tree import PeerTrees
from .obstacles import report_obstacles
from .rpc_errors import NodeAnswer
from .swarm import reconnect_once

T = TypeVar("T")


class NodeTrees:
    """Asks publishers in turn. `quick`: the idle timeout, in seconds, while there is another publisher.

    `failures`: publisher -> why it gave no answer. SourceError if the node itself does not answer.
    """

    def __init__(self, trees: PeerTrees, quick: float) -> None:
        self._trees, self._quick = trees, quick
        self.failures: dict[str, str] = {}
        self._reached: set[str] = set()

    def prepare(self) -> None:
        """Import what asking needs."""
        self._trees.prepare()

    def known_commit(self, repo_id: str, revision: str) -> tuple[str, str] | None:
        """The commit of a revision according to the first trusted publisher that knows it, and that publisher."""

        def read(raw: bytes) -> str:
            commit = raw.decode("ascii", "replace").strip()
            if not layout.is_commit(commit):
                raise ValueError(f"it gives {commit[:60]!r} as a commit of {repo_id}: not used")
            return commit

        return self._ask_each(layout.ref_path(repo_id, revision), 256, read)

    def known_tree(self, repo_id: str, commit: str) -> tuple[Tree, str] | None:
        """The listing of a commit, by the first trusted publisher that has it; a hostile name refuses it whole."""

        def read(raw: bytes) -> Tree:
            try:
                return tree_from_json(commit, raw)
            except (UnsafeName, ValueError) as error:
                raise ValueError(f"its listing of {repo_id} is refused: {error}") from error

        return self._ask_each(layout.tree_path(repo_id, commit), MAX_BYTES, read)

    def _ask_each(self, path: str, limit: int, read: Callable[[bytes], T]) -> tuple[T, str] | None:
        names = self._trees.publishers()
        longest = self._trees.node.rpc.idle_timeout
        silent: list[str] = []
        quick = min(self._quick, longest)
        for name in names:
            found = self._ask(name, path, limit, quick, read, silent)
            if found is None and name in silent and reconnect_once(self._trees.node, name, quick):
                silent.remove(name)
                found = self._ask(name, path, limit, quick, read, silent)
            if found is not None:
                return found, name
        for name in silent if longest > quick else []:
            found = self._ask(name, path, limit, longest, read, [])
            if found is not None:
                return found, name
        if not self._reached:
            for what in report_obstacles(self._trees.node):
                self.failures[f"the node at {self._trees.node.address}"] = what
        return None

    def _ask(
        self, name: str, path: str, limit: int, idle_timeout: float, read: Callable[[bytes], T], silent: list[str]
    ) -> T | None:
        """The answer of a publisher, or None: it has no such file, sends what cannot be used, or is `silent`."""
        try:
            raw = self._trees.read(name, path, limit, idle_timeout)
            self._reached.add(name)
            return read(raw)
        except ValueError as error:
            self.failures[name] = str(error)
            get_logger().warning("publisher %s: %s", name, error)
        except SourceDown:
            raise
        except SourceError as error:
            if not isinstance(error, NodeAnswer) or "deadline" in str(error):
                silent.append(name)
            elif "no link named" in str(error):
                self._reached.add(name)
            self.failures[name] = str(error)
            get_logger().info("publisher %s: %s", name, error)
        return None
