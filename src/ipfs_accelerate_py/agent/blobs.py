"""Giving the blobs of the store: whole ones by sendfile, and those that are still arriving as their bytes come in."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from ..config.settings import read_settings
from ..fetch import segment
from ..publish.eligibility import may_be_given
from ..store import layout, partial
from .agent import AGENT, Agent
from .slices import send_slice, size_of_slice

PATH = "/fleet/1/blobs/{folder}/{etag}"
STATE_HEADER, ARRIVED_HEADER = "Fleet-State", "Fleet-Arrived"
WHOLE, ARRIVING = "whole", "arriving"
STREAMS = 64  # blobs that are given at once
_LAST = 1 << 16  # bytes that are kept back until the file was looked at for the last time
_UNREAD = 60.0  # seconds in which a receiver has to take something
_POLL = 0.01  # seconds between two looks at a part that does not grow
_PROBE = 0.5  # seconds without a byte after which its writer's lock is looked at, again and again
_SILENT = 30.0  # seconds without a byte after which it is given up
_RANGE = re.compile(r"bytes=([0-9]{1,18})-([0-9]{0,18})")
_MOST_WAIT = 10.0  # seconds for which a blob that is not there is waited for
_WAIT_POLL = 0.05
_SECONDS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3})?")
_SIZE = re.compile(r"[0-9]{1,18}")


def add_routes(app: web.Application) -> None:
    """GET and HEAD of a blob."""
    app.router.add_get(PATH, _give)  # with HEAD


@dataclass
class Found:
    """An open file that holds a blob, or the first `arrived` bytes of it. `changed`: when it was written to last.

    `base`: where in the blob the file begins, if that is a range that was fetched ahead.
    """

    file: int
    size: int
    arrived: int
    state: str
    changed: int
    base: int = 0

    def close(self) -> None:
        """Close the file."""
        os.close(self.file)


def find(agent: Agent, repo_id: str, etag: str, size: int, run: int | None = None) -> Found | None:
    """The blob of this name and size, whole, else arriving, or its range from `run` on; None where it is not here."""
    path = agent.store.path(layout.blob_path(repo_id, etag))
    whole = _open_whole(path, size, (agent.store.root, *agent.caches))
    return whole or (_open_arriving(path, etag, size) if run is None else _open_ahead(path, etag, size, run))


def _open_whole(path: Path, size: int, roots: tuple[Path, ...]) -> Found | None:
    try:
        real = Path(os.path.realpath(path, strict=True))
        if real != path and not any(real.is_relative_to(os.path.realpath(root)) for root in roots):
            return None
        file = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe does not hold us
    except OSError:
        return None
    status = os.fstat(file)
    if not stat.S_ISREG(status.st_mode) or status.st_size != size:
        os.close(file)
        return None
    return Found(file, size, size, WHOLE, status.st_mtime_ns)


def _open_arriving(path: Path, etag: str, size: int) -> Found | None:
    file = partial.open_growing(path.parent, etag)
    if file is None:
        return None
    status = os.fstat(file)
    if status.st_size > size:
        os.close(file)
        return None
    return Found(file, size, status.st_size, ARRIVING, status.st_mtime_ns)


def _open_ahead(path: Path, etag: str, size: int, run: int) -> Found | None:
    file = partial.open_growing(path.parent, segment.name_of(etag, run))
    if file is None:
        return None
    status = os.fstat(file)
    return Found(file, size, run + status.st_size, ARRIVING, status.st_mtime_ns, run)


async def _give(request: web.Request) -> web.StreamResponse:
    agent = request.app[AGENT]
    repo_id, etag = layout.repo_of(request.match_info["folder"]), request.match_info["etag"]
    size, run = request.query.get("size", ""), request.query.get("run", "0")
    if repo_id is None or not (layout.is_commit(etag) or layout.is_sha256(etag)):
        raise web.HTTPNotFound
    if not _SIZE.fullmatch(size) or not _SIZE.fullmatch(run):
        raise web.HTTPBadRequest
    ahead = int(run) if "run" in request.query else None
    await _wait_for_it(request, agent, repo_id, etag, ahead)
    loop = asyncio.get_running_loop()
    if not request["local"] and not await loop.run_in_executor(
        None, may_be_given, agent.store, read_settings(), repo_id
    ):
        raise web.HTTPForbidden
    if request.method != "HEAD" and agent.counts.streams >= STREAMS:
        raise web.HTTPServiceUnavailable(headers={"Retry-After": "1"})
    agent.counts.streams += 1
    try:
        found = await loop.run_in_executor(None, find, agent, repo_id, etag, int(size), ahead)
        if found is None:
            raise web.HTTPNotFound
        try:
            if found.state != WHOLE and "whole" in request.query:
                raise web.HTTPNotFound
            return await _answer(request, agent, found)
        finally:
            found.close()
    finally:
        agent.counts.streams -= 1


async def _wait_for_it(request: web.Request, agent: Agent, repo_id: str, etag: str, run: int | None) -> None:
    """Wait until a blob begins to arrive, at most for the seconds that the request gives. HTTPServiceUnavailable."""
    wait = request.query.get("wait", "0")
    end = time.monotonic() + min(_MOST_WAIT, float(wait) if _SECONDS.fullmatch(wait) else 0.0)
    path = agent.store.path(layout.blob_path(repo_id, etag))
    part = etag if run is None else segment.name_of(etag, run)

    def is_due() -> bool:
        return time.monotonic() >= end or path.exists() or partial.exists(path.parent, part)

    if is_due():
        return
    with agent.waiting.place(request["peer"]):
        while not is_due():
            transport = request.transport
            if transport is None or transport.is_closing():
                raise ConnectionResetError
            await asyncio.sleep(_WAIT_POLL)


async def _answer(request: web.Request, agent: Agent, found: Found) -> web.StreamResponse:
    first, end = 0, found.size
    headers = {STATE_HEADER: found.state, "Content-Type": "application/octet-stream"}
    if found.state == ARRIVING:
        headers[ARRIVED_HEADER] = str(found.arrived)
    status = 200
    if wanted := _read_range(request.headers.get("Range", ""), found.size):
        first, end = wanted
        if first >= end or first < found.base:
            return web.Response(status=416, headers={"Content-Range": f"bytes */{found.size}"})
        status, headers["Content-Range"] = 206, f"bytes {first}-{end - 1}/{found.size}"
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = end - first
    await response.prepare(request)
    if request.method == "HEAD" or first == end:
        await response.write_eof()
        return response
    stream = _Stream(request, agent, found)
    try:
        await (stream.send_whole if found.state == WHOLE else stream.send_arriving)(first, end)
        await response.write_eof()
    except (OSError, asyncio.TimeoutError):
        agent.counts.cut += 1
        if request.transport is not None:
            request.transport.abort()  # never an end that looks well
    return response


def _read_range(text: str, size: int) -> tuple[int, int] | None:
    """Where the wanted part begins and ends, empty where it is beyond the file; None where the whole is wanted.

    Of what RFC 9110, section 14.2, lets a server leave out, lists and suffixes are.
    """
    match = _RANGE.fullmatch(text)
    if match is None:
        return None
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first:  # an invalid one does not count
        return None
    return first, min(last + 1, size) if match[2] else size


class _Stream:
    """One blob on its way to a peer. OSError or TimeoutError where it cannot be given to its end."""

    def __init__(self, request: web.Request, agent: Agent, found: Found) -> None:
        self._request, self._agent, self._found = request, agent, found
        self._file = open(found.file, "rb", buffering=0, closefd=False)  # noqa: SIM115  # it is `found` that closes it
        self._peer = request["peer"]

    async def send_whole(self, at: int, end: int) -> None:
        """Send the bytes of a file that is not to change meanwhile."""
        while at < end:
            status = os.fstat(self._found.file)
            if (status.st_size, status.st_mtime_ns) != (self._found.size, self._found.changed):
                raise OSError("the file was changed")
            left = end - at
            at += await self._send(at, min(size_of_slice(), left - _LAST if left > _LAST else left))

    async def send_arriving(self, at: int, end: int) -> None:
        """Send the bytes of a file that grows, for as long as its writer is at work."""
        grown = probed = time.monotonic()
        while at < end:
            now = time.monotonic()
            arrived = min(self._arrived(), end)
            if arrived > at:
                at += await self._send(at, min(arrived - at, size_of_slice()))
                grown = probed = time.monotonic()
                continue
            if now - grown > _SILENT or os.fstat(self._found.file).st_nlink == 0:
                raise OSError("it was given up")
            if now - probed > _PROBE:
                probed = now
                if (
                    not partial.is_growing(self._found.file)
                    and self._found.base + os.fstat(self._found.file).st_size <= at
                ):
                    raise OSError("its writer has ended")
            transport = self._request.transport
            if transport is None or transport.is_closing():
                raise ConnectionResetError
            await asyncio.sleep(_POLL)

    def _arrived(self) -> int:
        return self._found.base + os.fstat(self._found.file).st_size

    async def _send(self, at: int, count: int) -> int:
        transport = self._request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError
        sent = await send_slice(transport, self._file, at - self._found.base, count, _UNREAD)
        self._agent.counts.note_given(self._peer, self._found.state, sent)
        if sent < count:
            raise OSError("the file has become shorter")
        return sent
