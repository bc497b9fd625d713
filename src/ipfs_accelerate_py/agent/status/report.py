"""What the agent tells the programs and the people of its own machine: its state, and what the fleet has."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from ...errors import SourceError
from .. import holdings
from ..agent import AGENT, Agent, require_local
from ..gossip import Gossip

if TYPE_CHECKING:
    from ...fleet.members import Member

STATUS, MODELS, LEAVE = "/fleet/1/status", "/fleet/1/fleet-models", "/fleet/1/leave"
_SECONDS = 3.0
_AT_ONCE = 32


def add_routes(app: web.Application) -> None:
    """The routes of the local site."""
    app.router.add_post(STATUS, _status)
    app.router.add_post(MODELS, _models)
    app.router.add_post(LEAVE, _leave)


def report(agent: Agent) -> dict[str, Any]:
    """The state of the agent and of all that it knows of."""
    now = time.time()
    there = {member.peer for member in agent.members.alive()}
    kubo = agent.kubo
    return {
        "url": agent.url,
        "started": agent.started,
        "kubo": None
        if kubo is None
        else {"running": kubo.pid != 0, "pid": kubo.pid, "restarts": kubo.restarts, "trouble": kubo.trouble},
        "members": [
            {
                **member.to_dict(now),
                "there": member.peer in there,
                "trouble": agent.trouble.get(member.agent, ""),
                "corrupt": agent.corrupt.get(member.peer, ""),
            }
            for member in sorted(agent.members, key=lambda member: (member.name, member.peer))
        ],
        "claims": [
            {"folder": folder, "etag": etag, "peer": peer, "arrived": arrived}
            for (folder, etag), (peer, arrived) in agent.directory.claims().items()
        ],
        "contacts": {url: agent.trouble.get(url, "") for url in agent.fleet.contacts},
        "hub_wait": agent.waits.longest(),
        "waiting": len(agent.waiting),
        "models": len(holdings.find_folders(agent.store)),
        **agent.counts.to_dict(),
    }


async def list_models(agent: Agent) -> list[dict[str, Any]]:
    """What each machine of the fleet that is there holds and gave, this one first.

    Rows of name, peer, models (rows of folder, files, bytes), given (peer id -> bytes) and trouble.
    """
    loop = asyncio.get_running_loop()
    own = agent.describe()
    mine = await loop.run_in_executor(None, holdings.weigh_all, agent.store)
    others = agent.members.alive()[: 16 * _AT_ONCE]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def ask(member: Member) -> dict[str, Any]:
        row: dict[str, Any] = {**_row(member), "models": [], "given": {}}
        async with gate:
            try:
                answer = await agent.calls.post(member.agent, holdings.PATH, {}, _SECONDS)
                row["models"], row["given"] = holdings.read_rows(answer), holdings.read_given(answer)
            except (SourceError, ValueError) as error:
                row["trouble"] = str(error)
        return row

    asked: list[Awaitable[dict[str, Any]]] = [ask(member) for member in others]
    given = agent.counts.sum_given(holdings.GIVEN_ROWS)
    return [{**_row(own), "models": mine, "given": given}, *await asyncio.gather(*asked)]


def _row(member: Member) -> dict[str, Any]:
    return {"name": member.name, "peer": member.peer, "trouble": ""}


async def _status(request: web.Request) -> web.Response:
    require_local(request)
    agent = request.app[AGENT]
    return web.json_response(await asyncio.get_running_loop().run_in_executor(None, report, agent))


async def _models(request: web.Request) -> web.Response:
    require_local(request)
    return web.json_response({"machines": await list_models(request.app[AGENT])})


async def _leave(request: web.Request) -> web.Response:
    """Tell the others that this machine leaves the fleet."""
    require_local(request)
    await Gossip(request.app[AGENT]).leave()
    return web.json_response({})
