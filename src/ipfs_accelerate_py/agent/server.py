"""The agent's two sites, of one application: for the other members, and for the programs of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

from ..errors import FleetError
from ..log import get_logger
from . import blobs, find, gossip, holdings, waits
from .access import LARGE_BODY, check_access
from .agent import AGENT, Agent
from .status import page, report

LOCAL = "127.0.0.1"
_CONNECTIONS = 1024  # at once
_FIRST = 10.0  # seconds that a connection has for its first request that is let in
_KEPT = 75.0  # seconds that a connection is kept between two requests
_END = 5.0  # seconds that streams get when the agent ends


ROUTES = (blobs, find, gossip, holdings, report, page, waits)  # the modules that answer, with a function `add_routes`


def make_app(agent: Agent) -> web.Application:
    """The application of an agent."""
    app = web.Application(middlewares=[check_access], client_max_size=LARGE_BODY)
    app[AGENT] = agent
    app.on_response_prepare.append(_tell_no_server)
    for module in ROUTES:
        module.add_routes(app)
    return app


@contextlib.asynccontextmanager
async def serve(agent: Agent) -> AsyncIterator[None]:
    """Listen at both sites for as long as this context lasts. FleetError where an address or a port cannot be had."""
    runner = web.AppRunner(make_app(agent), access_log=None, handle_signals=False, shutdown_timeout=_END)
    await runner.setup()
    servers: list[asyncio.Server] = []
    try:
        for host, port in ((agent.fleet.listen, agent.fleet.ports.agent), (LOCAL, agent.fleet.ports.local)):
            servers.append(await _listen(runner, agent, host, port))
        yield
    finally:
        for server in servers:
            server.close()
        await runner.cleanup()


async def _listen(runner: web.AppRunner, agent: Agent, host: str, port: int) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    manager = runner.server
    assert manager is not None

    def connect() -> _Connection:
        return _Connection(
            manager,
            agent,
            loop=loop,
            access_log=None,
            keepalive_timeout=_KEPT,
            lingering_time=0.0,
            auto_decompress=False,
        )

    try:
        return await loop.create_server(connect, host, port, backlog=256)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise FleetError(
                f"port {port} at {host} is in use by another program",
                "end that program ('ss -ltnp' shows it), or leave the fleet and join again, which takes free ports",
            ) from None
        raise FleetError(
            f"this machine cannot listen at {host}, port {port}: {error.strerror or error}",
            "where its address has changed, leave the fleet and join again",
        ) from None


class _Connection(web.RequestHandler):
    """A connection. One that brings no request that is let in is closed before it costs anything."""

    __slots__ = ("_agent", "_watch")

    def __init__(self, manager: web.Server, agent: Agent, **options: Any) -> None:
        super().__init__(manager, **options)
        self._agent = agent
        self._watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        if self._agent.connections >= _CONNECTIONS:
            self._agent.counts.note_refusal("connections")
            transport.abort()
        self._agent.connections += 1
        super().connection_made(transport)
        self._watch = asyncio.get_running_loop().call_later(_FIRST, self._look, transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._agent.connections -= 1
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def _look(self, transport: asyncio.Transport) -> None:
        if not self._agent.is_known(transport):
            self._agent.counts.note_refusal("silent")
            transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What is no HTTP gets no answer."""
        self._agent.counts.note_refusal("malformed")
        get_logger().debug("no request: %s", exc or message or status)
        if self.transport is not None:
            self.transport.abort()
        return web.Response(status=400)


async def _tell_no_server(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.popall("Server", None)
    response.headers.popall("Date", None)
    if response.status == 401:
        response.headers.popall("Content-Type", None)
