"""Telling those who answer for the repos what this machine holds: again and again, and at once when others do."""

from __future__ import annotations

import asyncio
import time
from itertools import islice

from ..log import get_logger
from ..store import layout
from ..store.store import Store
from ..store.visibility import known_access
from .agent import Agent
from .find import HOLD
from .tracker import Trackers

AGAIN = 60.0  # seconds
_ROUND = 1.0  # seconds between two looks at who answers
_LOOK = 10.0  # seconds between two looks into the store
_AT_MOST = 10_000  # repos
_IN_ONE = 1_000  # repos in a message


class Announcements:
    """What was told to whom, and when."""

    def __init__(self, agent: Agent, trackers: Trackers) -> None:
        self.agent, self._trackers = agent, trackers
        self._held: list[str] = []
        self._looked = float("-inf")
        self._there: frozenset[str] = frozenset()  # the members for whom it was worked out who answers
        self._told: dict[str, tuple[str, float]] = {}  # folder -> peer id, and when

    async def run(self) -> None:
        """Tell, until it is cancelled."""
        while True:
            await self.tell()
            await asyncio.sleep(_ROUND)

    async def tell(self) -> None:
        """Tell what is due."""
        if time.monotonic() - self._looked > _LOOK:
            loop = asyncio.get_running_loop()
            self._held = await loop.run_in_executor(None, find_held, self.agent.store)
            self._looked = time.monotonic()
            self._told = {folder: self._told[folder] for folder in self._held if folder in self._told}
            self._there = frozenset()
        there = frozenset(self._trackers.there())
        if there != self._there:
            self._there = there
            await self._tell_due()

    async def _tell_due(self) -> None:
        due: dict[str, list[str]] = {}
        for folder in self._held:
            peer, when = self._trackers.ranked(folder)[0], time.monotonic()
            if self._told.get(folder, ("", 0.0))[0] != peer or when - self._told[folder][1] > AGAIN:
                due.setdefault(peer, []).append(folder)
        for peer, folders in due.items():
            for at in range(0, len(folders), _IN_ONE):
                some = folders[at : at + _IN_ONE]
                await self._trackers.ask(HOLD, some[0], {"folders": some})
                self._told.update(dict.fromkeys(some, (peer, time.monotonic())))
        if due:
            get_logger().debug("told %d members what is here", len(due))


def find_held(store: Store) -> list[str]:
    """The folders of the repos that the store has files of, and that everybody may read."""
    found = (path for path in store.root.glob("*--*") if (path / "blobs").is_dir())
    repos = ((path.name, layout.repo_of(path.name)) for path in islice(found, _AT_MOST))
    return [folder for folder, repo_id in repos if repo_id is not None and known_access(store, repo_id) is True]
