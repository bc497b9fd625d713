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
from ...store.writer import Receiver
from . import Wanted


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
        self.url = url
        self.label = f"gateway {without_secrets(url)}"
        self._names, self._cid_of = names, cid_of
        self._reader = HTTPReader(url, silence)
        self.is_near = self._reader.is_near

    def prepare(self) -> None:
        prepare()

    def fetch(self, wanted: Wanted, receiver: Receiver) -> str:
        reasons = []
        for path in self._paths(wanted):
            try:
                self._reader.copy(path, receiver, wanted.entry.size, self.label)
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

    def read(self, path: str, limit: int, accept: str) -> bytes:
        """A small answer of a media type, at most `limit` bytes; SourceError, SourceDown if it was silent or slow."""
        return self._reader.read(path, limit, accept)
