"""Signed requests from this agent to others, for the event loop: small JSON documents both ways."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp

from ..errors import SourceDown, SourceError
from ..fleet.client import read_answer
from ..fleet.signing import TIME_HEADER, Signer, read_offset
from ..log import warn_once

_LIMIT = 4 << 20  # bytes of an answer
_HEADERS = {"Accept-Encoding": "identity", "Content-Type": "application/json"}


class Calls:
    """Asks other agents. Connections are kept."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._session: aiohttp.ClientSession | None = None
        self._offsets: dict[str, float] = {}  # URL -> how much the clock there is ahead, in seconds

    async def post(self, url: str, path: str, document: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The answer of the agent at a URL. SourceDown where it does not answer in time, SourceError for a refusal."""
        try:
            return await asyncio.wait_for(self._post(url, path, json.dumps(document).encode()), seconds)
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError, UnicodeError) as error:  # a name that is none
            raise SourceDown(f"{url} does not answer: {error or type(error).__name__}") from error

    async def _post(self, url: str, path: str, body: bytes) -> dict[str, Any]:
        for again in (False, True):
            signature = self._signer.sign("POST", path, body, self._offsets.get(url, 0.0))
            headers = {**_HEADERS, "Authorization": signature}
            async with self._open().post(url + path, data=body, headers=headers, allow_redirects=False) as answer:
                if answer.status == 401 and not again and self._learn_clock(url, answer.headers.get(TIME_HEADER)):
                    continue
                if answer.status != 200:
                    break
                data = bytearray()
                async for chunk in answer.content.iter_chunked(1 << 16):
                    data += chunk
                    if len(data) > _LIMIT:
                        raise SourceError(f"the answer of {url} is larger than {_LIMIT} bytes")
                return read_answer(bytes(data), url)
        raise SourceError(f"{url} refuses {path}: {answer.status}", _hint(answer.status))

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=64, limit_per_host=4), trust_env=False, auto_decompress=False
            )
        return self._session

    def _learn_clock(self, url: str, text: str | None) -> bool:
        """Take over how much the clock of another machine is ahead; return whether there is anything to learn."""
        offset = read_offset(text)
        if offset is None:
            return False
        self._offsets[url] = offset
        warn_once(f"the clock of this machine and that of {url} differ by {offset:+.0f} s; set them by NTP")
        return True


def _hint(status: int) -> str | None:
    if status == 401:
        return "it is in another fleet: join with an invitation from the fleet that it is in now"
    return None
