"""How the members of a fleet know of each other: each tells some others, again and again, what it knows.

A member that was not heard of for a long time is asked now and then, too: so a fleet whose network was cut in two, or
whose machines have other addresses after a night, finds itself again.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from aiohttp import web

from ..errors import FleetError, SourceError
from ..fleet.members import Member
from ..log import get_logger
from .agent import AGENT, Agent, read_document

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")

PATH = "/fleet/1/hello"
EVERY = 4.0  # seconds between two rounds
_OTHERS, _LOST = 3, 2  # members that are told in a round: some that are there, some that may be
_AT_ONCE = 32  # at the start, all that are remembered are told
_ROWS = 64  # members in one message
_SECONDS = 2.0  # that a member has for its answer
_FIND_EVERY = 60.0  # seconds between two times that the contacts are asked while other members are there
_LEAVE = 4.0  # seconds in which all are told that this machine leaves
_KEEP = 60.0  # seconds between two times that the members are written to disk when nothing has changed


def add_routes(app: web.Application) -> None:
    """The route by which others tell us."""
    app.router.add_post(PATH, _answer)


class Gossip:
    """The rounds of an agent."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self._kept = 0.0
        self._found = 0.0  # when it asked the contacts last
        self._met: set[str] = set()  # peers that Kubo was told to connect to since it was started

    async def run(self) -> None:
        """Tell all that are remembered, then some in each round, until it is cancelled."""
        members = list(self.agent.members)
        for at in range(0, len(members), _AT_ONCE):
            await self._tell(members[at : at + _AT_ONCE])
        await self._find()
        while True:
            await self._meet()
            await asyncio.sleep(EVERY * random.uniform(0.75, 1.25))
            there = {member.peer for member in self.agent.members.alive()}
            lost = [member for member in self.agent.members if member.peer not in there]
            alive = [member for member in self.agent.members if member.peer in there]
            await self._tell(_some(alive, _OTHERS) + _some(lost, _LOST))
            if not alive or time.monotonic() - self._found > _FIND_EVERY:
                await self._find()

    async def leave(self) -> None:
        """Tell all that are there that this machine leaves, and from now on nothing else: any of them may answer for
        what it held.
        """
        self.agent.is_leaving = True
        gate = asyncio.Semaphore(_AT_ONCE)

        async def tell(member: Member) -> None:
            async with gate:
                await self.tell(member)

        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.gather(*map(tell, self.agent.members.alive())), _LEAVE)

    async def _tell(self, members: Iterable[Member]) -> None:
        await asyncio.gather(*(self.tell(member) for member in members))
        self.keep()

    async def _find(self) -> None:
        """Ask the contacts: every machine that such a name leads to, some of them where it leads to many."""
        self._found = time.monotonic()
        await asyncio.gather(*(self._ask_contact(url) for url in self.agent.fleet.contacts))
        self.keep()

    async def _ask_contact(self, url: str) -> None:
        parts, fleet = urlsplit(url), self.agent.fleet
        host, port = str(parts.hostname), parts.port or fleet.ports.agent
        try:
            found = await asyncio.wait_for(
                asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM), _SECONDS
            )
        except (OSError, UnicodeError, asyncio.TimeoutError):
            self._note(url, f"{url} does not answer: there is no address of {host}")
            return
        addresses = {str(row[4][0]) for row in found}
        if port == fleet.ports.agent:
            addresses.discard(fleet.listen)
        urls = [f"http://{f'[{address}]' if ':' in address else address}:{port}" for address in sorted(addresses)]
        said = [await self._greet(each) for each in _some(urls, _OTHERS)]
        self._note(url, "" if not all(said) or not said else said[0])

    async def tell(self, member: Member) -> str:
        """Tell one member now; returns why that did not work, or nothing."""
        if not member.agent:
            return "it has no agent"
        text = await self._greet(member.agent, member.peer)
        if text:
            self.agent.members.note_lost(member.peer)
        else:
            self.agent.members.note_seen(member.peer)
        self._note(member.agent, text)
        return text

    async def _greet(self, url: str, peer: str = "") -> str:
        """Tell the agent at a URL, and take over what it tells; returns why that did not work.

        `peer`: whose agent it is to be; an address may belong to another member after a while.
        """
        document = {**describe(self.agent), "leaving": self.agent.is_leaving}
        try:
            other = take_over(self.agent, await self.agent.calls.post(url, PATH, document, _SECONDS))
        except (SourceError, FleetError) as error:
            return f"{error}; {error.hint}" if error.hint else str(error)
        except (ValueError, KeyError, TypeError, AttributeError):
            return f"the answer of {url} cannot be read"
        return f"at {url} is another member now, {other}" if peer and peer != other else ""

    def _note(self, url: str, text: str) -> None:
        if not text:
            self.agent.trouble.pop(url, None)
        elif self.agent.trouble.get(url) != text:
            self.agent.trouble[url] = text
            get_logger().info("%s", text)

    def keep(self) -> None:
        """Write the members to disk, where something has changed or now and then."""
        if self.agent.news or time.monotonic() - self._kept > _KEEP:
            self.agent.news, self._kept = False, time.monotonic()
            with contextlib.suppress(OSError):
                self.agent.folder.write_members(self.agent.members)

    async def _meet(self) -> None:
        """Let Kubo connect to the members that it was not told of."""
        kubo = self.agent.kubo
        if kubo is None or not kubo.pid:
            self._met.clear()
            return
        new = [member for member in self.agent.members.alive() if member.peer not in self._met and member.swarm]
        loop = asyncio.get_running_loop()
        for member in new[:_AT_ONCE]:
            for address in member.swarm:
                try:
                    await loop.run_in_executor(
                        None, partial(kubo.node.ask, "swarm/connect", address, idle_timeout=_SECONDS)
                    )
                    self._met.add(member.peer)
                    break
                except SourceError as error:
                    get_logger().debug("Kubo does not reach %s: %s", address, error)


def describe(agent: Agent) -> dict[str, Any]:
    """What this machine tells: itself, and some of the others; the ones that were heard of last are among them."""
    known = sorted(agent.members, key=lambda member: member.seen, reverse=True)
    rows = known[: _ROWS // 2] + _some(known[_ROWS // 2 :], _ROWS // 2)
    now = time.time()
    return {
        "member": agent.describe().to_dict(now),
        "members": [member.to_dict(now) for member in rows],
        "waits": agent.waits.left(),
    }


def take_over(agent: Agent, document: dict[str, Any]) -> str:
    """Take over what another machine tells; returns its peer id. ValueError."""
    other = Member.from_dict(document["member"])
    rows = document.get("members", [])
    if not isinstance(rows, list) or len(rows) > 16 * _ROWS:
        raise ValueError("the members it tells of cannot be read")
    found = [other]
    for row in rows:
        with contextlib.suppress(ValueError):
            found.append(Member.from_dict(row))
    agent.news |= agent.members.merge(found)
    agent.waits.note(document.get("waits"), own=False)
    return other.peer


async def _answer(request: web.Request) -> web.Response:
    agent = request.app[AGENT]
    document = await read_document(request)
    try:
        peer = take_over(agent, document)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise web.HTTPBadRequest from None
    if document.get("leaving") is True and peer == request.get("peer"):
        agent.members.forget(peer)
        agent.directory.forget(peer)
        agent.news = True
    return web.json_response(describe(agent))


def _some(rows: list[T], number: int) -> list[T]:
    return random.sample(rows, min(number, len(rows)))
