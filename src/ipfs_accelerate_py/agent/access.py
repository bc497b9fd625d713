"""Who is answered: members of the fleet, by their signatures. A stranger gets the same empty refusal for everything.

Below /fleet/ every request is signed, on both sites. All else is on the local site alone, for the browsers of this
machine, and its handlers check for themselves; that site is asked for by its own name only, so that no page of another
site can ask it: https://en.wikipedia.org/wiki/DNS_rebinding
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from ..fleet.signing import TIME_HEADER, Refused
from ..log import get_logger
from .agent import AGENT, Agent

ROOT = "/fleet/"
LARGE_BODY = 1 << 20  # bytes of a request at most, of the routes that say so
_BODY = 1 << 16  # of the others
_LARGE_ROUTES = {"/fleet/1/hold"}
_BODY_SECONDS = 10.0  # for a body to come
_LOCAL_NAMES = {"127.0.0.1", "localhost"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def check_access(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let members in: request["peer"] is the peer id of the signer, request["local"] whether it asks the local site."""
    agent = request.app[AGENT]
    request["local"] = is_local(request, agent)
    try:
        if request.path.startswith(ROOT) or not request["local"]:
            request["peer"] = await _check_signature(request, agent)
        elif urlsplit(f"//{request.host}").hostname not in _LOCAL_NAMES:
            raise Refused("name", "the local site was asked for by another name")
    except (Refused, ValueError) as error:
        reason = error.reason if isinstance(error, Refused) else "name"
        agent.counts.note_refusal(reason)
        get_logger().debug("refused: %s %s from %s: %s", request.method, request.path, request.remote, error)
        return _refusal(request, agent.guard.now() if reason == "clock" else None)
    agent.note_known(request.transport)
    return await _answer(request, handler, agent)


def is_local(request: web.Request, agent: Agent) -> bool:
    """Return whether a request came to the site for the programs of this machine."""
    if request.transport is None:
        return False
    address = request.transport.get_extra_info("sockname")
    return isinstance(address, tuple) and address[:2] == ("127.0.0.1", agent.fleet.ports.local)


async def _check_signature(request: web.Request, agent: Agent) -> str:
    limit = LARGE_BODY if request.path in _LARGE_ROUTES else _BODY
    if (request.content_length or 0) > limit:
        raise Refused("large", "the body is larger than any that is read")
    body = b""
    if request.can_read_body:
        try:
            body = await asyncio.wait_for(request.read(), _BODY_SECONDS)
        except (asyncio.TimeoutError, web.HTTPRequestEntityTooLarge):
            raise Refused("large", "the body did not come, or did not end") from None
        if len(body) > limit:
            raise Refused("large", "the body is larger than any that is read")
    return agent.guard.check(request.headers.get("Authorization"), request.method, request.raw_path, body)


def _refusal(request: web.Request, now: float | None) -> web.Response:
    response = web.Response(status=401)
    if now is not None:  # only one who has the key is told
        response.headers[TIME_HEADER] = f"{now:.3f}"
    if request.can_read_body:
        response.force_close()  # what is left of its body is not waited for
    return response


async def _answer(request: web.Request, handler: Handler, agent: Agent) -> web.StreamResponse:
    resource = request.match_info.route.resource
    route = f"{request.method} {resource.canonical if resource is not None else '?'}"
    try:
        response = await handler(request)
    except web.HTTPException as error:
        if not request.path.startswith(ROOT):
            agent.counts.note_request(route, error.status)
            raise
        # the text of an error is for people, who are not at the other end
        response = web.Response(status=error.status, headers=_kept(error))
    except (ConnectionError, asyncio.CancelledError):
        raise
    except Exception:
        get_logger().exception("the agent failed at %s %s", request.method, request.path)
        response = web.Response(status=500)
    agent.counts.note_request(route, response.status)
    return response


def _kept(error: web.HTTPException) -> dict[str, str]:
    names = ("Allow", "Retry-After", "Content-Range")
    return {name: error.headers[name] for name in names if name in error.headers}
