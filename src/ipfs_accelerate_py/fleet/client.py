"""Signed requests to agents, for threads: small JSON documents both ways, and blobs. Connections are kept."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from ..errors import SourceDown, SourceError
from ..log import say_once
from ..net import timeouts
from ..net.answers import read_next
from ..net.futures import has_ended, submit
from ..net.http import HTTPReader, Sink
from ..session import Recent
from .signing import TIME_HEADER, Signer, read_offset

if TYPE_CHECKING:
    from requests import Session

ROOT = "/fleet/1/"
_LIMIT = 4 << 20  # bytes of an answer
_CONNECTIONS = 16  # to one agent
_GRACE = 0.5  # seconds that an answer has beyond its budget before it is left alone
_PEERS = 64  # whose connections are kept
_OTHER_FLEET = "it is in another fleet: join with an invitation from the fleet that it is in now"


class NotHere(SourceError):
    """The agent does not have what was asked for, or not yet."""


def blob_target(
    folder: str, etag: str, size: int, wait: float = 0.0, run: int | None = None, *, whole: bool = False
) -> str:
    """Where an agent has a blob; `folder` is the repo's, such as models--org--name.

    `wait`: the seconds for which the agent is to wait for a blob that is not there yet; `run`: where the range begins
    that it fetches ahead, of which some is wanted; `whole`: a blob that is still arriving is not.
    """
    options = {"size": size, "wait": f"{wait:.2f}" if wait > 0 else None, "run": run, "whole": 1 if whole else None}
    query = urlencode({name: value for name, value in options.items() if value is not None})
    return f"{ROOT}blobs/{quote(folder)}/{quote(etag)}?{query}"


class AgentClient:
    """Asks agents. `idle_timeout`: seconds without a byte after which an agent counts as silent. For many threads.

    SourceDown where an agent does not answer, SourceError where it refuses or does not have what was asked for.
    """

    def __init__(self, signer: Signer, idle_timeout: float) -> None:
        self.signer, self.idle_timeout = signer, idle_timeout
        self._sessions: Recent[str, Session] = Recent(_PEERS)
        self._offsets: Recent[str, float] = Recent()  # URL -> how much the clock there is ahead, in seconds
        self._lock = threading.Lock()

    def post(self, url: str, path: str, document: Mapping[str, Any], seconds: float | None = None) -> dict[str, Any]:
        """The JSON object that an agent answers. `seconds`: for the whole, in place of the idle timeout."""
        budget = self.idle_timeout if seconds is None else seconds
        asking = submit(lambda: self._post(url, path, document, budget))
        if not has_ended(asking, budget + _GRACE):  # headers that drip are never silent
            raise SourceDown(f"{url} does not end its answer")
        return asking.result()

    def _post(self, url: str, path: str, document: Mapping[str, Any], budget: float) -> dict[str, Any]:
        from requests import RequestException

        end = time.monotonic() + budget
        connect = min(timeouts.CONNECT_NEAR, budget)
        try:
            with self.session(url).post(
                url + path,
                data=json.dumps(document).encode(),
                headers={"Accept-Encoding": "identity", "Content-Type": "application/json"},
                timeout=(connect, budget),
                stream=True,
                allow_redirects=False,
            ) as answer:
                check(answer, url)
                data = bytearray()
                while chunk := read_next(answer, small=True):
                    data += chunk
                    if len(data) > _LIMIT:
                        raise SourceError(f"the answer of {url} is larger than {_LIMIT} bytes")
                    if time.monotonic() > end:
                        raise SourceDown(f"{url} does not end its answer")
        except (RequestException, OSError) as error:
            raise SourceDown(f"{url} does not answer: {type(error).__name__}") from error
        return read_answer(bytes(data), url)

    def head(self, url: str, path: str) -> Mapping[str, str]:
        """The headers of the answer to HEAD."""
        with _Reader(self, url).ask("HEAD", path) as answer:
            return dict(answer.headers)

    def copy(self, url: str, path: str, sink: Sink, size: int, giver: str, *, ends: bool = False) -> None:
        """Put a blob of `size` bytes into the sink, from `sink.size` on; where it `ends` later, that much of it."""
        _Reader(self, url).copy(path, sink, size, giver, cut=ends)

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            sessions = list(self._sessions.values())
            self._sessions.clear()
        for session in sessions:
            session.close()

    def session(self, url: str) -> Session:
        """The connections to an agent; what is sent over them is signed."""
        import requests
        from requests.adapters import HTTPAdapter

        with self._lock:
            session = self._sessions.get(url)
            if session is None:
                session = self._sessions[url] = requests.Session()
                session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=_CONNECTIONS))
                session.trust_env = False  # no proxy stands between members, and ~/.netrc is not theirs
                session.auth = lambda request: self._sign(url, request)
        return session

    def _sign(self, url: str, request: Any) -> Any:
        signature = self.signer.sign(request.method, request.path_url, request.body or b"", self._offsets.get(url, 0.0))
        request.headers["Authorization"] = signature
        request.register_hook("response", lambda answer, **options: self._sign_again(url, answer, options))
        return request

    def _sign_again(self, url: str, answer: Any, options: dict[str, Any]) -> Any:
        """Where an agent refuses a signature for the clock, sign by the clock there and ask once more."""
        offset = read_offset(answer.headers.get(TIME_HEADER))
        if answer.status_code != 401 or offset is None:
            return answer
        self._offsets[url] = offset
        say_once(f"the clock of this machine and that of {_host(url)} differ by {offset:+.0f} s; set them by NTP")
        answer.raw.read(1)  # it is empty: read to its end, its connection can be used again
        answer.close()
        request = answer.request.copy()
        request.headers["Authorization"] = self.signer.sign(
            request.method, request.path_url, request.body or b"", offset
        )
        again = answer.connection.send(request, **options)
        again.history.append(answer)
        again.request = request
        return again


class _Reader(HTTPReader):
    """Reads from one agent, over the client's connections."""

    def __init__(self, client: AgentClient, url: str) -> None:
        try:
            super().__init__(url, client.idle_timeout)
        except ValueError as error:
            raise SourceError(f"{url!r} is no URL of an agent") from error
        self._client = client

    def session(self, url: str) -> Session:
        return self._client.session(self.url)

    def check(self, answer: Any) -> None:
        check(answer, self.url)

    def follow(self, url: str, location: str) -> str:
        raise SourceError("an agent sends us nowhere else")


def check(answer: Any, url: str) -> None:
    """Raise SourceError, and close the answer, unless an agent gives what it was asked for."""
    status = answer.status_code
    if status in (200, 206) and answer.headers.get("Content-Encoding", "identity") == "identity":
        return
    answer.close()
    if status == 401 and TIME_HEADER in answer.headers:
        raise SourceDown(f"the clock of this machine and that of {url} differ too much", "set them by NTP")
    if status == 401:
        raise SourceDown(f"{url} does not know our signature", _OTHER_FLEET)
    if status == 404:
        raise NotHere("it does not have it")
    reasons = {
        403: "it does not give files of this repo, which is not known to be public there",
        503: "it is busy",
    }
    raise SourceError(reasons.get(status, f"it answered {status}"))


def read_answer(data: bytes, url: str) -> dict[str, Any]:
    """The JSON object that an agent has answered; SourceError for what is none."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise SourceError(f"the answer of {url} cannot be read")
    return document


def _host(url: str) -> str:
    return urlsplit(url).hostname or url
