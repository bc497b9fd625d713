"""The page of an agent: what it shows, read anew for those who look at it."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from ...fleet.keys import page_token
from ...store import layout
from ...web import routes
from ...web.arriving import Arrivals, Arriving
from ...web.cached import Cached
from ...web.exposition import write_metrics
from ..agent import AGENT, Agent
from .metrics import list_metrics
from .overview import make_overview
from .report import list_models, report

_STATE_SECONDS, _MODELS_SECONDS = 1.0, 6.0  # for which what was read is shown
_STATE_WAIT, _MODELS_WAIT = 5.0, 1.0


def add_routes(app: web.Application) -> None:
    """The page, its data and /metrics, on the local site."""
    agent = app[AGENT]
    reader = _Reader(agent)
    page = routes.Page(
        page_token(agent.fleet.key),
        agent.fleet.ports.local,
        reader.read,
        reader.read_metrics,
        lambda: agent.counts.note_refusal("token"),
    )
    routes.add_routes(app, page)
    app.on_cleanup.append(reader.close)


class _Reader:
    """Reads the state of the agent, and what the machines hold."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._arrivals = Arrivals(agent.store)
        self._state = Cached(self._read_state, _STATE_SECONDS)
        self._machines = Cached(lambda: list_models(agent), _MODELS_SECONDS)

    async def read(self) -> dict[str, Any]:
        """The document that the page shows. What the machines hold may be that of a moment ago, or not be there yet."""
        machines = await self._machines.get(0)
        state, arriving = await self._require_state()
        if machines is None:
            machines = await self._machines.get(_MODELS_WAIT)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, make_overview, self._agent, state, machines, arriving)

    async def read_metrics(self) -> str:
        """The text for Prometheus."""
        return write_metrics(list_metrics(*await self._require_state()))

    async def close(self, _: web.Application) -> None:
        """Read no more."""
        await self._state.close()
        await self._machines.close()

    async def _require_state(self) -> tuple[dict[str, Any], list[Arriving]]:
        state = await self._state.get(_STATE_WAIT)
        if state is None:
            raise web.HTTPServiceUnavailable
        return state

    async def _read_state(self) -> tuple[dict[str, Any], list[Arriving]]:
        return await asyncio.get_running_loop().run_in_executor(None, self._look)

    def _look(self) -> tuple[dict[str, Any], list[Arriving]]:
        state = {**report(self._agent), "version": self._agent.describe().version}
        arriving = self._arrivals.list_now()
        for claim in state.get("claims", ()):  # of other machines; those of this one are in its store
            repo_id = layout.repo_of(claim["folder"])
            if repo_id is not None and claim["peer"] != self._agent.fleet.peer:
                path, size = self._arrivals.describe(claim["folder"], claim["etag"])
                arriving.append(Arriving(repo_id, claim["etag"], path, claim["arrived"], size, 0.0, claim["peer"]))
        return state, arriving
