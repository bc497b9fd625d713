"""Files and small answers over HTTP, for gateways and for mirrors on a web server: taken as they come, and no more.

`identity` is asked for, and what is packed all the same is refused: a few bytes might become gigabytes. The only login
is that of the URL; ~/.netrc is not read.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote, urljoin, urlsplit

from ..errors import SourceDown, SourceError
from . import timeouts
from .addresses import is_private_host
from .answers import check, read_next, refuse_longer, root_of, start_of

_REDIRECTS = 8
_BEGINNING = 1 << 16  # bytes of an answer that is looked at
_HEADERS = {"User-Agent": "ipfs_accelerate_py", "Accept-Encoding": "identity", "Accept": "*/*"}


class Sink(Protocol):
    """What takes the bytes of a file as they come: `store.writer` has one."""

    @property
    def size(self) -> int:
        """The bytes that it has."""
        ...

    def begin(self, giver: str) -> int:
        """A source begins to give; returns the offset at which it is to begin."""
        ...

    def start(self) -> None:
        """Forget what came: the next bytes are the first."""
        ...

    def write(self, data: bytes) -> None:
        """The next bytes."""
        ...


def prepare() -> None:
    """Import what asking needs."""
    import requests  # noqa: F401


@dataclass(frozen=True)
class Answer:
    """An answer of whatever status: its headers, and how its body begins."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class HTTPReader:
    """Reads below one URL. `roams`: other hosts may be followed to, as storage services ask; none is shown our login.

    `idle_timeout`: seconds without a byte. Errors: SourceError, SourceDown where the server is down; ValueError for
    what is no URL. For servers with another kind of login there are `session`, `check` and `follow` to override.
    """

    def __init__(self, url: str, idle_timeout: float, *, roams: bool = False) -> None:
        self.url, self.idle_timeout, self._roams = url, idle_timeout, roams
        parts = urlsplit(url)
        self.is_near = is_private_host(parts.hostname or "")
        self._login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None

    def copy(self, path: str, sink: Sink, size: int, giver: str, *, cut: bool = False) -> None:
        """Put the file of `size` bytes at a path into the sink, from where that is; `cut`: the file is longer."""
        at = sink.begin(giver)
        if at and at == size:
            return
        answer, start = self._open(path, at, size if cut else None)
        with answer:
            if start != at:
                sink.start()
                sink.begin(giver)
            refuse_longer(answer, size, size - start)
            while data := read_next(answer):
                sink.write(data)
        if sink.size < size:
            raise SourceError(f"it broke off after {sink.size} of {size} bytes")

    def read(self, path: str, limit: int, accept: str) -> bytes:
        """A small answer of a media type, at most `limit` bytes."""
        data = bytearray()
        end = time.monotonic() + 2 * self.idle_timeout  # an answer that drips is never silent
        with self.ask("GET", path, 0, accept) as answer:
            while chunk := read_next(answer, small=True):
                data += chunk
                if len(data) > limit:
                    raise SourceError(f"its answer is larger than {limit} bytes")
                if time.monotonic() > end:
                    raise SourceDown(f"it gave {len(data)} bytes of its answer in {2 * self.idle_timeout:g} s")
        return bytes(data)

    def look(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer of any status, and its first 64 KiB. OSError if there is none, TimeoutError if it is silent."""
        import requests

        try:
            with self._send(path, {**_HEADERS, **(headers or {})}, self.idle_timeout) as answer:
                body = bytearray()
                while len(body) < _BEGINNING and (data := read_next(answer)):
                    body += data
                return Answer(answer.status_code, bytes(body[:_BEGINNING]), answer.headers)
        except requests.ReadTimeout:
            raise TimeoutError(f"silent for {self.idle_timeout:g} s") from None
        except (requests.RequestException, SourceError, ValueError) as error:
            raise OSError(str(root_of(error))) from error

    def _open(self, path: str, at: int, end: int | None = None) -> tuple[Any, int]:
        """The answer, and where in the file it begins: at `at`, or at 0 where the server gives no parts."""
        answer = self.ask("GET", path, at, end=end)
        start = start_of(answer)
        if at and start not in (0, at):
            answer.close()
            answer = self.ask("GET", path)
            start = start_of(answer)
        if start not in (0, at):
            answer.close()
            raise SourceError("it sent another part than was asked for")
        return answer, start

    def ask(self, method: str, path: str, at: int = 0, accept: str = "*/*", end: int | None = None) -> Any:
        """The open answer, with the file from `at` on, up to `end`."""
        import requests

        headers = {**_HEADERS, "Accept": accept}
        if at or end is not None:
            headers["Range"] = f"bytes={at}-{'' if end is None else end - 1}"
        try:
            connect = timeouts.CONNECT_NEAR if self.is_near else timeouts.CONNECT_FAR
            answer = self._send(path, headers, connect, method)
        except SourceError:
            raise
        except requests.RequestException as error:
            raise SourceDown(f"it does not answer: {type(error).__name__}") from error
        except ValueError as error:  # headers that are no text
            raise SourceError(f"its answer cannot be read: {type(error).__name__}") from error
        except OSError as error:  # a bundle of certificates that is not there
            raise SourceDown(f"it cannot be asked: {error}") from error
        self.check(answer)
        return answer

    def check(self, answer: Any) -> None:
        """Raise SourceError, and close the answer, unless it is the file, or a part of it, as it is."""
        check(answer)

    def _send(self, path: str, headers: Mapping[str, str], connect: float, method: str = "GET") -> Any:
        """The open answer, whatever its status; `connect`: seconds for a connection. SourceError if it leads away."""
        url = self.url + path
        for _ in range(_REDIRECTS):
            answer = self.session(url).request(
                method, url, headers=headers, timeout=(connect, self.idle_timeout), stream=True, allow_redirects=False
            )
            if not answer.is_redirect:
                break
            answer.close()
            url = self.follow(url, answer.headers["Location"])
        return answer

    def session(self, url: str) -> Any:
        """What a request to a URL is sent by."""
        import requests

        session = requests.Session()
        session.auth = self._login if self._login and self._is_ours(url) else _leave_alone
        # A proxy for the internet must not stand before the local network; certificates are the same for all hosts.
        session.trust_env = not is_private_host(urlsplit(url).hostname or "")
        bundles = map(os.environ.get, ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"))
        session.verify = next(filter(None, bundles), True)
        return session

    def follow(self, url: str, location: str) -> str:
        """Where a redirect leads: a gateway's only to hosts below its own, and none from a public to a private host."""
        try:
            target = urljoin(url, location)
            other = urlsplit(target)
            known = self._is_ours(target)
        except ValueError:
            raise SourceError("it redirects to what is no URL") from None
        inwards = is_private_host(other.hostname or "") and not self.is_near
        if not known and (not self._roams or inwards or other.scheme not in ("http", "https")):
            raise SourceError(f"it redirects to another host, {other.scheme}://{other.hostname}")
        return target

    def _is_ours(self, url: str) -> bool:
        """Return whether a URL may see our login: our host, or `<cid>.ipfs.<host>` of a gateway, and our port."""
        ours, other = urlsplit(self.url), urlsplit(url)
        host = ours.hostname or ""
        same = other.hostname == host or (not self._roams and (other.hostname or "").endswith("." + host))
        return same and other.port == ours.port and other.scheme in (ours.scheme, "https")


def _leave_alone(request: Any) -> Any:
    return request
