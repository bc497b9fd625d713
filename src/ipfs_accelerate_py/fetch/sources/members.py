"""The other machines of the fleet: one that has a file gives it, one that is fetching it is followed meanwhile.

The agent of this machine says who they are. A file that nobody has or fetches is claimed for this machine: then the
next sources are asked as ever, and the others follow us. Nobody is waited for longer than some idle timeouts without a
byte.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import FleetError, SourceDown, SourceError
from ...fleet.client import ROOT, AgentClient, NotHere, blob_target
from ...fleet.folder import Fleet, FleetFolder, read_agent
from ...fleet.signing import Signer
from ...hub.client import is_offline
from ...net.http import Sink, prepare
from ...session import Recent, session
from ...stats import stats
from ...store import layout, partial
from ...store.verify import Mismatch
from ...store.writer import Writer
from ..claims import Asked, Claims
from . import FileRequest, Kind, report_corrupt

SLOW = 64 << 10  # bytes per second; whoever is followed and gives less may be replaced: see `fetch.hedge`
CRAWL = 1 << 10  # bytes per second, below which nobody is followed
_CRAWLS = 10.0  # seconds of that
_FIRST = 2.0  # seconds at least in which the bytes of one that is followed begin to come
_PATIENCE = 5.0  # seconds at least without a byte, for all that are followed together; three idle timeouts, if more
_TRIES = 3  # that are followed without a mebibyte from any
_PAUSE = 0.05  # seconds until one whose bytes have not begun is asked again
_LOST = 64  # that are named to the agent


class Members:
    """Supplies a file from other members. `claim`: where there is none it may be claimed for this machine."""

    kind = Kind.MEMBERS
    label = "fleet"

    def __init__(self, root: Path, idle_timeout: float, *, claim: bool = False) -> None:
        self.root, self.idle_timeout, self.claim = root, idle_timeout, claim
        self.takes_whole = False  # at this moment, from one who has it whole

    @property
    def own_pace(self) -> Members | None:
        """One who has it whole is as quick as any source; whom we follow is as quick as the Hub is, which is not to be
        asked a second time for that.
        """
        return None if self.takes_whole else self

    def seen_so_far(self, request: FileRequest) -> object:
        """Nothing beside what is in the writer."""
        return None

    def may_be_silent(self, request: FileRequest, budget: float) -> float:
        """It gives up by itself before that."""
        return _patience(budget) + budget + 1.0

    def prepare(self) -> None:
        prepare()

    def fetch(self, request: FileRequest, writer: Writer) -> str:
        if request.entry.size == 0:
            return "no source: it is empty"
        agent = _find_agent(self.root, self.idle_timeout)
        file = (layout.repo_folder(request.repo_id), request.entry.etag)
        blobs = self.root / layout.blob_path(request.repo_id, request.entry.etag)
        asked = session.part(Claims).ask(file, request.entry.size, blobs.parent, agent.post)
        try:
            return _Road(self, agent.client, asked, request, writer).take()
        finally:
            self.takes_whole = False


class _Agent(NamedTuple):
    """The agent of this machine, and who asks it."""

    url: str
    client: AgentClient
    seconds: float

    def post(self, route: str, document: dict[str, Any]) -> dict[str, Any]:
        """Its answer."""
        return self.client.post(self.url, ROOT + route, {**document, "seconds": self.seconds}, self.seconds)


class _Fleets:
    """What this process has read of fleets, by store: the fleet as it was, and its client."""

    def __init__(self) -> None:
        self.known: Recent[tuple[Path, float], tuple[float, Fleet, AgentClient]] = Recent(8)


def _find_agent(root: Path, idle_timeout: float) -> _Agent:
    """SourceDown where there is none."""
    folder, known = FleetFolder(root), session.part(_Fleets).known
    if (place := read_agent(folder)) is None:
        raise SourceDown("there is no agent of the fleet on this machine", "start it: 'fleet start'")
    try:
        written = folder.facts.stat().st_mtime
        if (root, idle_timeout) not in known or known[root, idle_timeout][0] != written:
            fleet = folder.read()
            client = AgentClient(Signer(fleet.key, fleet.peer), idle_timeout)
            known[root, idle_timeout] = (written, fleet, client)
    except (FleetError, OSError) as error:
        raise SourceDown(str(error), getattr(error, "hint", None)) from None
    return _Agent(f"http://127.0.0.1:{place.port}", known[root, idle_timeout][2], idle_timeout)


class _Changed(SourceError):
    """Another is to be followed, or nobody."""


class _Road:
    """How one file comes from the members."""

    def __init__(
        self, source: Members, client: AgentClient, asked: Asked, request: FileRequest, writer: Writer
    ) -> None:
        self._source, self._client, self._asked, self._request = source, client, asked, request
        self._writer = writer
        self._lost: list[str] = []
        self._wrong: Mismatch | None = None
        self._reasons: list[str] = []
        self._patience = _patience(source.idle_timeout)
        self._tries, self._tried_at = 0, 0

    def take(self) -> str:
        """The giver; SourceError or Mismatch."""
        while True:
            holders, follow = self._find()
            for peer, url in holders:
                if self._take_whole(peer, url, last=len(holders) < 2):
                    return _name(peer)
            if self._asked.is_ours:
                raise self._wrong or SourceError("it is for this machine to fetch it")
            if follow is None or self._patience <= 0 or self._tries >= _TRIES:
                raise self._wrong or SourceError("; ".join(dict.fromkeys(self._reasons)) or "no member has it")
            if self._follow(*follow):
                return _name(follow[0])

    def _find(self, slow: str = "") -> tuple[list[tuple[str, str]], tuple[str, str] | None]:
        """Those that may have it whole, and the one to follow, if any: peer id and URL each."""
        claim = self._source.claim and not is_offline()
        answer = self._asked.find(claim=claim, arrived=self._writer.size, lost=self._lost[-_LOST:], slow=slow)
        holders, claimed = answer.get("holders"), answer.get("claim")
        found = [row for each in holders if (row := _row(each))] if isinstance(holders, list) else []
        return [row for row in found if self._may_give(row[0])], None if self._asked.is_ours else _row(claimed)

    def _may_give(self, peer: str) -> bool:
        return peer not in self._lost and _name(peer) not in stats().liars

    # -- from one who has it ----------------------------------------------------------------------------------------
    def _take_whole(self, peer: str, url: str, *, last: bool) -> bool:
        self._source.takes_whole = True
        try:
            try:
                self._copy(peer, url, self._writer)
            except Mismatch:
                if len(self._writer.givers) < 2:
                    raise
                self._writer.start()  # what another began may be what is wrong: this one is asked for the whole
                self._copy(peer, url, self._writer)
            return True
        except Mismatch as mismatch:
            self._wrong = mismatch
            report_corrupt(_name(peer), self._request.path, mismatch)
            self._asked.note_corrupt(peer, f"{self._request.repo_id}, {self._request.path}: {mismatch}")
            self._writer.start()
        except SourceError as error:
            self._note(peer, error)
        finally:
            self._source.takes_whole = False
        self._lost.append(peer)
        return False

    def _copy(self, peer: str, url: str, sink: Sink, wait: float = 0.0) -> None:
        size = self._request.entry.size
        self._client.copy(url, blob_target(*self._asked.file, size, wait), sink, size, _name(peer))
        self._writer.check()

    def _note(self, peer: str, error: SourceError) -> None:
        if self._writer.cancelled:
            raise error
        self._reasons.append(f"{_name(peer)}: {error}")

    # -- from one who is fetching it --------------------------------------------------------------------------------
    def _follow(self, peer: str, url: str) -> bool:
        if not self._may_give(peer) and _name(peer) in stats().liars:
            self._lost.append(peer)
            self._tries += 1
            return False
        sink = _Watched(self._writer, self._source.idle_timeout, lambda slow: self._look_at(peer, slow))
        try:
            self._copy_as_it_comes(peer, url, sink)
            return True
        except _Changed:
            return False
        except Mismatch as mismatch:  # it may have passed on what another gave it: nobody is blamed
            if self._wrong is not None:
                raise
            self._wrong = mismatch
            self._writer.start()
        except SourceError as error:
            self._note(peer, error)
        if self._writer.size - self._tried_at >= partial.WORTH_KEEPING or self._writer.size < self._tried_at:
            self._tries, self._tried_at = 0, self._writer.size
        self._tries += 1
        if sink.gave:
            self._patience = max(self._patience, 2 * self._source.idle_timeout)
        self._patience -= time.monotonic() - sink.last
        self._lost.append(peer)
        return False

    def _copy_as_it_comes(self, peer: str, url: str, sink: _Watched) -> None:
        """It may not have begun: its bytes are waited for."""
        end = sink.last + min(self._patience, max(self._source.idle_timeout, _FIRST))
        while True:
            left = end - time.monotonic()
            try:
                return self._copy(peer, url, sink, min(left, self._source.idle_timeout / 2))
            except NotHere:
                if self._writer.cancelled or left <= _PAUSE:
                    raise
                time.sleep(_PAUSE)

    def _look_at(self, peer: str, slow: bool) -> None:
        """It gives slowly (or crawls): is there another, or are the bytes ours to fetch from here on? Then _Changed."""
        if not slow:
            self._patience = 0.0
            raise SourceError(f"less than {CRAWL} bytes per second")
        try:
            _, follow = self._find(slow=peer)
        except SourceError:
            return
        if follow is None or follow[0] != peer:
            raise _Changed("it is too slow")


class _Watched:
    """A writer that is looked at while somebody gives it bytes. `look(slow)`: it was slow for an idle timeout (True),
    or crawled for longer (False).
    """

    def __init__(self, writer: Writer, idle_timeout: float, look: Callable[[bool], None]) -> None:
        self._writer, self._window, self._look = writer, idle_timeout, look
        self.gave = False
        self.last = self._since = self._crawls_since = time.monotonic()
        self._moved = self._crawled = 0

    @property
    def size(self) -> int:
        return self._writer.size

    def begin(self, giver: str) -> int:
        return self._writer.begin(giver)

    def start(self) -> None:
        self._writer.start()

    def write(self, data: bytes) -> None:
        self._writer.write(data)
        if not self.gave:  # what came before is nothing that it has to do with
            self.gave, self._since, self._crawls_since = True, time.monotonic(), time.monotonic()
        self.last = now = time.monotonic()
        self._moved += len(data)
        self._crawled += len(data)
        if now - self._since > self._window:
            slow = self._moved < SLOW * (now - self._since) and self.size < self._writer.entry.size
            self._since, self._moved = now, 0
            if slow:
                self._look(True)
        if now - self._crawls_since > _CRAWLS:
            crawls = self._crawled < CRAWL * (now - self._crawls_since)
            self._crawls_since, self._crawled = now, 0
            if crawls:
                self._look(False)


def _patience(idle_timeout: float) -> float:
    return max(_PATIENCE, 3 * idle_timeout)


def _name(peer: str) -> str:
    return f"member {peer}"


def _row(value: object) -> tuple[str, str] | None:
    """The peer id and URL in what an agent says; None where there are none."""
    if not isinstance(value, dict):
        return None
    peer, url = value.get("peer"), value.get("url")
    known = isinstance(peer, str) and isinstance(url, str) and url.startswith("http://")
    return (peer, url) if known else None  # type: ignore[return-value]
