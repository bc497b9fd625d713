"""The route `limit`: what one machine was told by the Hub to wait, all know. The programs of a machine ask by it, too.

It is passed on at once to those that are there, and goes round with the words of who is there (`gossip`).
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from aiohttp import web

from ..errors import SourceError
from .agent import AGENT, Agent, read_document

PATH = "/fleet/1/limit"
_SECONDS = 2.0
_AT_ONCE = 64  # members; the others learn of it by and by
_SENDING = web.AppKey("waits", set[asyncio.Task[None]])


def add_routes(app: web.Application) -> None:
    """The route, for both sites."""
    app[_SENDING] = set()
    app.router.add_post(PATH, _answer)


async def _answer(request: web.Request) -> web.Response:
    agent, document = request.app[AGENT], await read_document(request)
    local = bool(request["local"])
    if agent.waits.note(document.get("waits"), own=local) and local:
        task = asyncio.get_running_loop().create_task(_spread(agent))
        request.app[_SENDING].add(task)
        task.add_done_callback(request.app[_SENDING].discard)
    is_alone = local and not agent.members.alive()  # then each program hears it from the Hub, as without a fleet
    return web.json_response({"waits": {} if is_alone else agent.waits.left()})


async def _spread(agent: Agent) -> None:
    members = [member for member in agent.members.alive() if member.agent][:_AT_ONCE]
    await asyncio.gather(*(_tell(agent, member.agent) for member in members))


async def _tell(agent: Agent, url: str) -> None:
    document: dict[str, Any] = {"waits": agent.waits.left()}
    with contextlib.suppress(SourceError):
        await agent.calls.post(url, PATH, document, _SECONDS)
