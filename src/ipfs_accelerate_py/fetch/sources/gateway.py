"""HTTP gateways of IPFS: the trees of known publishers as paths below `/ipns/`, and files with a known CID.

Format: https://specs.ipfs.tech/http-gateways/path-gateway/
A peer's own gateway is the fastest road there is between two machines; what it gives is checked like anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote

from ...config.forms import without_secrets
from ...errors import SourceDown, SourceError
from ...net.http import HTTPReader, prepare
from ...store import layout
from ...store.writer import Writer
from . import FileRequest, Kind


class Gateway:
    """A gateway. `names` are the IPNS names whose trees are asked for, `cid_of` knows the CIDs of some files."""

    kind = Kind.GATEWAY
    own_pace = None

    def __init__(
        self,
        url: str,
        names: Callable[[], Iterable[str]],
        idle_timeout: float,
        cid_of: Callable[[FileRequest], str | None] = lambda request: None,
    ) -> None:
        self.url = url
        self.label = f"gateway {without_secrets(url)}"
        self._names, self._cid_of = names, cid_of
        self._reader = HTTPReader(url, idle_timeout)
        self.is_near = self._reader.is_near

    def prepare(self) -> None:
        prepare()

    def fetch(self, request: FileRequest, writer: Writer) -> str:
        reasons = []
        for path in self._paths(request):
            try:
                self._reader.copy(path, writer, request.entry.size, self.label)
                return self.label
            except SourceDown:
                raise
            except SourceError as error:
                reasons.append(str(error))
        raise SourceError("; ".join(dict.fromkeys(reasons)) or "no publisher is known whose tree could be asked for")

    def _paths(self, request: FileRequest) -> Iterator[str]:
        if cid := self._cid_of(request):
            yield f"/ipfs/{cid}"
        snapshot = quote(layout.snapshot_path(request.repo_id, request.commit, request.path))
        yield from (f"/ipns/{name}/{snapshot}" for name in self._names() if name != "swarm")

    def read(self, path: str, limit: int, accept: str) -> bytes:
        """A small answer of a media type, at most `limit` bytes; SourceError, SourceDown if it was silent or slow."""
        return self._reader.read(path, limit, accept)
