"""HTTP gateways of IPFS: the trees of known publishers as paths below `/ipns/`, and files with a known CID.

Format: https://specs.ipfs.tech/http-gateways/path-gateway/
A peer's own gateway is the fastest road there is between two machines; what it gives is checked like anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from ...errors import SourceDown, SourceError
from ...setting_forms import without_password
from .. import layout
from ..receiver import Receiver
from ..rpc import is_private_host
from . import Wanted

_CONNECT = 0.25  # seconds, on this machine and in private networks
_CONNECT_FAR = 3.0
_CHUNK = 1 << 18
_REDIRECTS = 4


class Gateway:
    """One gateway. `names` are the IPNS names whose trees are asked for, `cid_of` knows the CIDs of some files."""

    name = "gateway"
    is_patient = False

    def __init__(
        self,
        url: str,
        names: Callable[[], Iterable[str]],
        silence: float,
        cid_of: Callable[[Wanted], str | None] = lambda wanted: None,
    ) -> None:
        self.url, self.silence = url, silence
        self.label = f"gateway {without_password(url)}"
        self._names, self._cid_of = names, cid_of
        self.is_near = is_private_host(urlsplit(url).hostname or "")

    def prepare(self) -> None:
        import requests  # noqa: F401

    def fetch(self, wanted: Wanted, receiver: Receiver) -> str:
        reasons = []
        for path in self._paths(wanted):
            try:
                self._copy(path, receiver)
                return self.label
            except SourceDown:
                raise
            except SourceError as error:
                reasons.append(str(error))
        raise SourceError("; ".join(dict.fromkeys(reasons)) or "no publisher is known whose tree could be asked for")

    def _paths(self, wanted: Wanted) -> Iterator[str]:
        if cid := self._cid_of(wanted):
            yield f"/ipfs/{cid}"
        snapshot = quote(layout.snapshot_path(wanted.repo_id, wanted.commit, wanted.path))
        yield from (f"/ipns/{name}/{snapshot}" for name in self._names() if name != "swarm")

    def _copy(self, path: str, receiver: Receiver) -> None:
        size = receiver.entry.size
        at = receiver.begin(self.label)
        with self._ask(path, at) as answer:
            if at and (answer.status_code != 206 or not _starts_at(answer.headers.get("Content-Range"), at)):
                receiver.start()
                receiver.begin(self.label)
            self._refuse_strange(answer, size)
            chunks = answer.iter_content(_CHUNK)
            while data := self._next(chunks):
                receiver.write(data)
        if receiver.size < size:
            raise SourceError(f"it broke off after {receiver.size} of {size} bytes")

    @staticmethod
    def _refuse_strange(answer: Any, size: int) -> None:
        """Say early what cannot be the file: the page of a login or of an error is often longer."""
        length = answer.headers.get("Content-Length", "")
        if length.isascii() and length.isdigit() and len(length) < 20 and int(length) > size:
            raise SourceError(f"it says that the file has {length} bytes, which are more than its {size}")

    @staticmethod
    def _next(chunks: Iterator[bytes]) -> bytes:
        try:
            return next(chunks, b"")
        except Exception as error:  # requests' and urllib3's errors of a stream that breaks
            raise SourceError(f"it broke off: {type(error).__name__}") from error

    def read(self, path: str, limit: int, accept: str) -> bytes:
        """A small answer of a media type, at most `limit` bytes; SourceError."""
        data = bytearray()
        with self._ask(path, 0, accept) as answer:
            chunks = answer.iter_content(_CHUNK)
            while chunk := self._next(chunks):
                data += chunk
                if len(data) > limit:
                    raise SourceError(f"its answer is larger than {limit} bytes")
        return bytes(data)

    def _ask(self, path: str, at: int, accept: str = "*/*") -> Any:
        import requests

        session = requests.Session()
        parts = urlsplit(self.url)
        own = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        session.auth = own or _leave_alone  # what ~/.netrc says is for others
        session.trust_env = not self.is_near  # a proxy for the outer world must not stand before the local network
        headers = {"User-Agent": "ipfs_accelerate_py", "Accept-Encoding": "identity", "Accept": accept}
        if at:
            headers["Range"] = f"bytes={at}-"
        timeout = (_CONNECT if self.is_near else _CONNECT_FAR, self.silence)
        url = self.url + path
        for _ in range(_REDIRECTS):
            try:
                answer = session.get(url, headers=headers, timeout=timeout, stream=True, allow_redirects=False)
            except requests.RequestException as error:
                raise SourceDown(f"it does not answer: {type(error).__name__}") from error
            except ValueError as error:  # headers that are no text
                raise SourceError(f"its answer cannot be read: {type(error).__name__}") from error
            if not answer.is_redirect:
                break
            answer.close()
            url = self._follow(url, answer.headers["Location"])
        if answer.status_code not in (200, 206):
            answer.close()
            kind = SourceDown if answer.status_code in (429, 502, 503) else SourceError
            raise kind(f"it answered {answer.status_code}")
        if answer.headers.get("Content-Encoding", "identity") != "identity":  # a few bytes might become gigabytes
            answer.close()
            raise SourceError("it sent an encoding that was not asked for")
        return answer

    def _follow(self, url: str, location: str) -> str:
        """A gateway may send us to a host below its own (`<cid>.ipfs.<host>`); anybody else is told nothing."""
        try:
            target = urljoin(url, location)
            ours, other = urlsplit(self.url), urlsplit(target)
            other_port = other.port
        except ValueError:
            raise SourceError("it sends us to what is no URL") from None
        host = ours.hostname or ""
        below = other.hostname == host or (other.hostname or "").endswith("." + host)
        if not below or other_port != ours.port or (ours.scheme == "https" and other.scheme != "https"):
            raise SourceError(f"it sends us elsewhere, to {other.scheme}://{other.hostname}")
        return target


def _leave_alone(request: Any) -> Any:
    return request


def _starts_at(header: str | None, at: int) -> bool:
    """Does `Content-Range: bytes <at>-...` begin where we asked? RFC 9110, section 14.4."""
    return header is not None and header.strip().lower().startswith(f"bytes {at}-")
