"""The other machines of the fleet: one that has a file gives it, one that is fetching it is followed meanwhile.

The agent of this machine says who they are. A file that nobody has or fetches is claimed for this machine: then the
next sources are asked as ever, and the others follow us. Nobody is waited for longer than some idle timeouts without a
byte.
"""

from __future__ import annotations

import time
from pathlib import Path

from ...errors import SourceError
from ...fleet.claim import WITHHELD
from ...fleet.client import AgentClient, NotHere, blob_target
from ...fleet.local_agent import LEAST, find_agent
from ...hub.client import is_offline
from ...net.http import Sink, prepare
from ...session import session
from ...stats import stats
from ...store import layout, partial
from ...store.verify import Mismatch
from ...store.writer import Writer
from ..assembly import is_shared
from ..claims import Asked, Claims, read_member
from ..givers import name_of
from ..helping import help_fetch
from ..holders import Holders
from ..pace import Pace, SlowerThanHub
from ..stripes import Piece
from ..watched import CRAWL, Watched
from . import FileRequest, Kind, hub_range, report_corrupt

_PATIENCE = 3.0  # idle timeouts without a byte, for all that are followed together
_TRIES = 3  # that are followed without a mebibyte from any
_PAUSE = 0.05  # seconds until one whose bytes have not begun is asked again
_LOST = 64  # that are named to the agent


class Members:
    """Supplies a file from other members. `claim`: where there is none it may be claimed for this machine."""

    kind = Kind.MEMBERS
    label = "fleet"

    def __init__(self, root: Path, idle_timeout: float, *, claim: bool = False) -> None:
        self.root, self.idle_timeout, self.claim = root, max(idle_timeout, LEAST), claim
        self.takes_whole = False  # at this moment, from one who has it whole
        self.gave_way = False  # to the Hub, which is quicker

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
        return (_PATIENCE + 1) * self.idle_timeout + 1.0

    def prepare(self) -> None:
        prepare()

    def fetch(self, request: FileRequest, writer: Writer) -> str:
        if request.entry.size == 0:
            return "no source: it is empty"
        agent = find_agent(self.root, self.idle_timeout)
        file = (layout.repo_folder(request.repo_id), request.entry.etag)
        blobs = self.root / layout.blob_path(request.repo_id, request.entry.etag)
        asked = session.part(Claims).ask(file, request.entry.size, blobs.parent, agent)
        try:
            return _Road(self, agent.client, asked, request, writer).take()
        except SlowerThanHub:
            self.gave_way = True
            raise
        finally:
            self.takes_whole = False


class _Changed(SourceError):
    """Another is to be followed, or nobody."""


class _Road:
    """How one file comes from the members."""

    def __init__(
        self, source: Members, client: AgentClient, asked: Asked, request: FileRequest, writer: Writer
    ) -> None:
        self._source, self._client, self._asked, self._request = source, client, asked, request
        self._writer = writer
        self._pace = Pace(request.entry.size, self._ask_hub, patient=source.gave_way)
        self._holders = Holders(client, asked, writer, self._report, self._pace)
        self._arrived = 0  # bytes that whoever fetches it says it has
        self._lost, self._reasons = self._holders.lost, self._holders.reasons
        self._patience = _PATIENCE * source.idle_timeout  # seconds
        self._tries, self._tried_at = 0, 0

    def take(self) -> str:
        """The giver; SourceError or Mismatch."""
        while True:
            holders, follow = self._find()
            if (giver := self._take_whole(holders)) is not None:
                return giver
            if self._asked.is_ours:
                raise self._holders.wrong or SourceError("it is for this machine to fetch it")
            if follow is None or self._patience <= 0 or self._tries >= _TRIES:
                raise self._holders.wrong or SourceError("; ".join(dict.fromkeys(self._reasons)) or "no member has it")
            if self._follow(*follow):
                return name_of(follow[0])

    def _find(self, slow: str = "") -> tuple[list[tuple[str, str]], tuple[str, str] | None]:
        """Those that may have it whole, and the one to follow, if any: peer id and URL each."""
        claim = self._source.claim and not is_offline()
        answer = self._asked.find(claim=claim, arrived=self._writer.size, lost=self._lost[-_LOST:], slow=slow)
        holders, claimed = answer.get("holders"), answer.get("claim")
        arrived = claimed.get("arrived") if isinstance(claimed, dict) else None
        self._arrived = arrived if isinstance(arrived, int) else 0
        found = [row for each in holders if (row := read_member(each))] if isinstance(holders, list) else []
        return [row for row in found if self._may_give(row[0])], None if self._asked.is_ours else read_member(claimed)

    def _may_give(self, peer: str) -> bool:
        return peer not in self._lost and name_of(peer) not in stats().liars

    def _take_whole(self, holders: list[tuple[str, str]]) -> str | None:
        self._source.takes_whole = bool(holders)
        try:
            return self._holders.take(holders)
        finally:
            self._source.takes_whole = False

    def _report(self, peer: str, where: str, mismatch: Mismatch) -> None:
        """A member gave wrong bytes."""
        report_corrupt(name_of(peer), self._request.path, mismatch)
        name = ", ".join(filter(None, (self._request.repo_id, self._request.path, where)))
        self._asked.note_corrupt(peer, f"{name}: {mismatch}")

    # -- from one who is fetching it --------------------------------------------------------------------------------
    def _follow(self, peer: str, url: str) -> bool:
        if not self._may_give(peer) and name_of(peer) in stats().liars:
            self._lost.append(peer)
            self._tries += 1
            return False
        if self._source.claim and is_shared(self._request.entry.size) and not is_offline():
            help_fetch(self._asked, lambda segment: hub_range.copy(self._request, segment, self._source.root))
        sink = Watched(self._writer, self._source.idle_timeout, lambda slow: self._look_at(peer, slow), self._judge)
        try:
            self._pace.start(name_of(peer), self._writer.size)
            self._copy_as_it_comes(peer, url, sink)
            return True
        except _Changed:
            self._note_wait(sink)
            return False
        except SlowerThanHub:
            if self._asked.help is not None:  # what comes from the Hub now is for us
                self._asked.help.end()
            raise
        except Mismatch as mismatch:  # it may have passed on what another gave it: nobody is blamed
            if self._holders.wrong is not None:
                raise
            self._holders.wrong = mismatch
            self._writer.start()
        except SourceError as error:
            self._holders.note(peer, error)
        self._note_wait(sink)
        if self._writer.size - self._tried_at >= partial.WORTH_KEEPING or self._writer.size < self._tried_at:
            self._tries, self._tried_at = 0, self._writer.size
        self._tries += 1
        self._lost.append(peer)
        return False

    def _note_wait(self, sink: Watched) -> None:
        """Take the time without a byte from what is left for all of them; bytes that came give some back."""
        if sink.gave:
            self._patience = max(self._patience, 2 * self._source.idle_timeout)
        self._patience -= time.monotonic() - sink.last

    def _copy_as_it_comes(self, peer: str, url: str, sink: Watched) -> None:
        """It may not have begun: its bytes are waited for."""
        end = sink.last + min(self._patience, self._source.idle_timeout)
        while True:
            left = end - time.monotonic()
            try:
                return self._copy(peer, url, sink, min(left, self._source.idle_timeout / 2))
            except NotHere:
                if self._writer.cancelled or left <= _PAUSE:
                    raise
                holders, follow = self._find()  # whom we follow may have given up, or have it whole
                if holders or follow is None or follow[0] != peer:
                    raise _Changed("it is too slow") from None
                time.sleep(_PAUSE)

    def _copy(self, peer: str, url: str, sink: Sink, wait: float) -> None:
        size = self._request.entry.size
        self._client.copy(url, blob_target(*self._asked.file, size, wait), sink, size, name_of(peer))
        self._writer.check()

    def _judge(self, at: int) -> None:
        """Raises SlowerThanHub."""
        self._pace.note(at, self._is_behind)

    def _is_behind(self) -> bool:
        """Return whether whoever fetches it has much that has not come here: then it is not the Hub that is slow."""
        try:
            holders, _ = self._find()
        except SourceError:
            return False
        return bool(holders) or self._arrived - self._writer.size > WITHHELD

    def _ask_hub(self, piece: Piece) -> None:
        if is_offline():
            raise SourceError("the Hub is not to be asked")
        hub_range.copy(self._request, piece, self._source.root)

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
