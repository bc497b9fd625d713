"""Who answers for a repo: the first in rank of the members that are there, the next where that one does not answer.

Each agent answers for its share of the repos, from its own directory, and passes on what the programs of its machine
ask.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import SourceError
from ..fleet.members import rank
from ..log import get_logger
from .agent import Agent

SECONDS = 1.5  # that those who answer for a repo have together
_SHARE = 2 / 3  # of what is left of them for each
_TRIES = 3  # members that are asked; then the agent answers itself
Answer = Callable[[str, dict[str, Any]], dict[str, Any]]  # from the peer id of who asks, and what it asks


class Trackers:
    """Those who answer for the repos. `answers`: by path, how this machine answers from its own directory."""

    def __init__(self, agent: Agent, answers: Mapping[str, Answer]) -> None:
        self.agent, self._answers = agent, answers
        self._sending: set[asyncio.Task[Any]] = set()

    def there(self) -> list[str]:
        """The peer ids of the members that are there, this machine among them."""
        return [*(member.peer for member in self.agent.members.alive()), self.agent.fleet.peer]

    def ranked(self, folder: str) -> list[str]:
        """The same in the order in which they answer for a repo."""
        return rank(folder, self.there())

    def answer(self, path: str, peer: str, document: dict[str, Any]) -> dict[str, Any]:
        """What this machine answers a member. HTTPBadRequest for a question that cannot be read."""
        return self._answers[path](peer, document)

    async def ask(self, path: str, folder: str, document: dict[str, Any], seconds: float = SECONDS) -> dict[str, Any]:
        """Ask the one that answers for a repo, in the name of this machine. HTTPBadRequest as for `answer`."""
        own, end = self.agent.fleet.peer, time.monotonic() + seconds
        for peer in self.ranked(folder)[:_TRIES]:
            if peer == own:
                break
            member = self.agent.members.get(peer)
            if member is None or not member.agent:
                continue
            try:
                return await self.agent.calls.post(
                    member.agent, path, document, max(0.1, _SHARE * (end - time.monotonic()))
                )
            except SourceError as error:
                self.agent.members.note_lost(peer)
                get_logger().info("%s; another member answers for %s", error, folder)
        return self.answer(path, own, document)

    def tell(self, path: str, folder: str, document: dict[str, Any]) -> None:
        """Tell the one that answers for a repo, in the background."""
        task = asyncio.get_running_loop().create_task(self.ask(path, folder, document))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
