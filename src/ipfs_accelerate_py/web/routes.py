"""The routes of the page, and who is let in: on the local site alone, whoever brings the token.

The URL with the token is opened once; it leaves a cookie that no script can read and no other site can send. Cookies do
not know ports, so that each agent of a machine has one with its port in the name.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from .exposition import CONTENT_TYPE

TOKEN = "token"  # in the query
_FILES = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.svg": ("page.svg", "image/svg+xml"),
}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_REFUSAL = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>The fleet's page needs its token</title>
<h1>This page needs its token</h1>
<p>Run <code>ipfs-accelerate fleet status</code> on this machine. It prints the whole URL,
which you open once.
</html>
"""


@dataclass(frozen=True)
class Page:
    """What the routes show. `token`: lets in who knows it; `port`: of the local site; `read`: the document that the
    page shows; `read_metrics`: the text for Prometheus; `note_refusal`: is told of each request without the token.
    """

    token: str
    port: int
    read: Callable[[], Awaitable[dict[str, Any]]]
    read_metrics: Callable[[], Awaitable[str]]
    note_refusal: Callable[[], None]

    @property
    def cookie(self) -> str:
        """The name of its cookie."""
        return f"ipfs_accelerate_fleet_{self.port}"


def add_routes(app: web.Application, page: Page) -> None:
    """The routes of the page. request["local"] says whether a request came to the local site."""
    folder = Path(__file__).parent
    for path, (name, kind) in _FILES.items():
        app.router.add_get(path, partial(_give_file, page, (folder / name).read_bytes(), kind))
    app.router.add_get("/page.json", partial(_give_document, page))
    app.router.add_get("/metrics", partial(_give_metrics, page))


async def _give_file(page: Page, content: bytes, kind: str, request: web.Request) -> web.Response:
    if request.path == "/" and TOKEN in request.query:
        if not _is_let_in(page, request, request.query[TOKEN]):
            return _refuse(page)
        response = web.Response(status=303, headers={**_HEADERS, "Location": "/"})
        response.set_cookie(page.cookie, page.token, httponly=True, samesite="Strict")
        return response
    if not _is_let_in(page, request, request.cookies.get(page.cookie, "")):
        return _refuse(page)
    return web.Response(body=content, content_type=kind, charset="utf-8", headers=_HEADERS)


async def _give_document(page: Page, request: web.Request) -> web.Response:
    if not _is_let_in(page, request, request.cookies.get(page.cookie, "")):
        return _refuse(page)
    return web.json_response(await page.read(), headers=_HEADERS)


async def _give_metrics(page: Page, request: web.Request) -> web.Response:
    cookie = request.cookies.get(page.cookie, "")
    if not _is_let_in(page, request, request.query.get(TOKEN, cookie)):
        return _refuse(page)
    text = await page.read_metrics()
    return web.Response(body=text.encode(), headers={**_HEADERS, "Content-Type": CONTENT_TYPE})


def _is_let_in(page: Page, request: web.Request, token: str) -> bool:
    """Return whether the token is the right one, here or as a bearer's; HTTPNotFound on the members' site."""
    if not request.get("local"):
        raise web.HTTPNotFound
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    given = bearer.strip() if scheme.lower() == "bearer" else token
    return hmac.compare_digest(given.encode("utf-8", "replace"), page.token.encode())


def _refuse(page: Page) -> web.Response:
    page.note_refusal()
    return web.Response(status=403, text=_REFUSAL, content_type="text/html", headers=_HEADERS)
