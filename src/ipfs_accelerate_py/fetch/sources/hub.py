"""The Hugging Face Hub, through its own client: the last to be asked for bytes."""

from __future__ import annotations

import contextlib
import errno
import time
from pathlib import Path
from typing import Any

from ... import state
from ...errors import SourceError
from ...hub import client
from ...hub.client import CLOSED
from ...hub.pieces import download_loop
from ...hub.unwell import status_of
from ...repo import Repo
from ...store import partial
from ...store.fs import DISK_ERRORS
from ...store.sidecar import blobs_folder
from ...store.verify import Mismatch
from ...store.writer import NotWritten, Writer
from .. import claims, progress
from ..assembly import Assembly, Yielded, is_shared
from . import FileRequest, Kind, hub_small, report_corrupt

_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.EIO)  # a file system that has none; ENOSYS the client knows
_PIECE_RATE = 1e6  # bytes per second, at which a Hub that is well gives a piece at least
_AGAIN = 1.0  # seconds until a Hub that could not go on with a file is asked to once more


class _HubFile:
    """A writer as the file that huggingface_hub writes to."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    def tell(self) -> int:
        return self._writer.size

    def seek(self, position: int) -> None:
        """It goes back to the beginning when the server ignored the range, and truncates."""

    def truncate(self) -> None:
        self._writer.start()
        self._writer.begin("the Hub")


class _Bar:
    """A bar of ours as the client's, for a file that comes in several downloads."""

    def __init__(self, bar: progress.Bar) -> None:
        self.update = bar.advance


def _find_claim(request: FileRequest) -> claims.Asked | None:
    """The claim on a file, where other machines of a fleet may follow: its bytes come to the store, in order."""
    if not request.entry.sha256 or request.entry.size < partial.WORTH_KEEPING:
        return None
    return claims.find_ours(Repo.parse(request.repo_id).folder, request.entry.etag)


class _Lost(SourceError):
    """What came is not there any more."""


class _BrokenOff(SourceError):
    """A download that began and did not end, or that is not where the client has put it."""


class _NoLocks(SourceError):
    """The scratch folder lies on a file system without locks."""


class Hub:
    """Downloads by `hf_hub_download` (its tokens, retries, resuming, xet and settings) to a scratch folder."""

    kind = Kind.HUB
    label = "hub"

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch

    @property
    def own_pace(self) -> Hub:
        """The time limits and retries of plain huggingface_hub."""
        return self

    def fetch(self, request: FileRequest, writer: Writer) -> str:
        began, wrong = time.monotonic(), False
        if not writer.size and not self._take_leftover(request, writer):
            try:
                if self._give_small(request, writer):
                    return "the Hub"
            except Mismatch:
                writer.start()
                wrong = True
        claim = _find_claim(request)
        if claim is not None and self._give_in_order(request, writer, claim):
            return "the Hub"
        waited = time.monotonic() - began
        if writer.size and claim is None and self._give_rest(request, writer):
            return "the Hub"
        before = self.seen_so_far(request)
        try:
            self._adopt(request, writer, waited)
        except (Mismatch, _BrokenOff, _Lost) as error:
            # The Hub is asked once more before it counts as corrupt: the bytes may have been damaged on the way. And
            # 4.57's client does not resume by itself when a connection breaks; the next call goes on where it ended.
            # Where nothing came at all the client has tried often enough.
            if isinstance(error, _BrokenOff) and self.seen_so_far(request) == before:
                raise
            if isinstance(error, Mismatch) and wrong:
                raise
            self._adopt(request, writer)
        except _NoLocks:  # the client cannot do without; its loop can
            writer.start()
            self._continue(request, writer)
        return "the Hub"

    def prepare(self) -> None:
        client.prepare()

    def seen_so_far(self, request: FileRequest) -> object:
        """What of a file lies in the scratch folder: a value that differs whenever more has come."""
        found = {}
        for path in blobs_folder(self.scratch, request.repo_id).glob(f"{request.entry.etag}*"):
            with contextlib.suppress(OSError):
                status = path.stat()
                found[path.name] = (status.st_size, status.st_blocks if hasattr(status, "st_blocks") else 0)
        return found

    def may_be_silent(self, request: FileRequest, budget: float) -> float:
        """Two answers have to come, and the client shows nothing of a piece before it has the whole of it."""
        from huggingface_hub import constants

        return 2 * budget + min(request.entry.size, constants.DOWNLOAD_CHUNK_SIZE) / _PIECE_RATE

    def _give_small(self, request: FileRequest, writer: Writer) -> bool:
        """Ask for a file that git holds, without a question before it; False if the client is to, in its own way."""
        try:
            return hub_small.give(request, writer)
        except hub_small.CutOff:
            try:
                self._continue(request, writer)
                writer.check()
                return True
            except _BrokenOff:
                return False

    def _take_leftover(self, request: FileRequest, writer: Writer) -> bool:
        """Begin with what a killed process had downloaded to the scratch folder; True if there was something."""
        return writer.continue_first(
            partial.find_parts(blobs_folder(self.scratch, request.repo_id), request.entry.etag)
        )

    def _give_rest(self, request: FileRequest, writer: Writer) -> bool:
        """Go on from what is there; False if the whole is to be asked for."""
        for pause in (0.0, _AGAIN):  # one bad answer is no reason to ask for gigabytes anew
            time.sleep(pause)
            try:
                self._continue(request, writer)
                writer.check()
                return True
            except Mismatch:
                return False
            except SourceError as error:
                if writer.cancelled:
                    raise
                if not isinstance(error, _BrokenOff):  # the client's loop has tried often enough
                    return False
        return False

    def _give_in_order(self, request: FileRequest, writer: Writer, claim: claims.Asked) -> bool:
        """Download the whole into the store as it comes; False if the client is to be asked in its own way, which tries
        what this loop does not, and has the words for what it is refused.
        """
        assembly = Assembly(claim, f"{request.repo_id}, {request.path}", writer)
        try:
            if is_shared(request.entry.size):
                self._assemble(request, writer, assembly)
            else:
                self._continue(request, writer)
            writer.check()
            return True
        except Mismatch:  # the bytes may have been damaged on the way
            writer.start()
            return bool(assembly.given) and self._give_alone(request, writer, assembly)
        except Yielded:
            raise
        except SourceError as error:
            status = getattr(getattr(error.__cause__, "response", None), "status_code", None)
            if writer.cancelled or status == 429:  # the loop has waited as often as the client would
                raise
            return bool(writer.size) and self._give_rest(request, writer)

    def _give_alone(self, request: FileRequest, writer: Writer, assembly: Assembly) -> bool:
        """Download the whole once more, by which it is seen which of the members has lied; False as above."""
        try:
            self._continue(request, writer)
            writer.check()
        except Mismatch:
            writer.start()
            return False
        except SourceError:
            return False
        for member, mismatch in assembly.find_liars(writer.digest):
            report_corrupt(member, request.path, mismatch)
        return True

    def _assemble(self, request: FileRequest, writer: Writer, assembly: Assembly) -> None:
        bar = progress.begin(request.path, request.entry.size)
        bar.source("hub", writer.size)
        try:
            assembly.fill(lambda until: self._continue(request, writer, until, _Bar(bar)))
        finally:
            bar.finish()

    def _adopt(self, request: FileRequest, writer: Writer, waited: float = 0.0) -> None:
        """Let the client download the whole; `waited`: seconds that the Hub was waited for just now, without use."""
        try:
            writer.adopt(self._download(request, waited), move=True)
        except FileNotFoundError as error:
            raise _Lost(f"what the Hub's client downloaded is not there any more: {error}") from error

    def _continue(
        self, request: FileRequest, writer: Writer, until: int | None = None, bar: _Bar | None = None
    ) -> None:
        """Download from `writer.size` on, `until` where that ends, by the client's own loop with its retries."""
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

        at, repo = writer.begin("the Hub"), Repo.parse(request.repo_id)
        followed, headers = _find_claim(request) is not None, build_hf_headers(token=request.token)
        options: dict[str, Any] = {} if bar is None else {"_tqdm_bar": bar}
        if followed and not at:  # without an answer the client asks in its own way
            options["_nb_retries"] = 0
        if until is not None and until < request.entry.size:
            headers["Range"] = f"bytes=0-{until - 1}"  # of which the loop leaves out what is there
        try:
            download_loop(small=followed)(
                hf_hub_url(repo.id, request.path, repo_type=repo.repo_type, revision=request.commit),
                _HubFile(writer),
                resume_size=at,
                headers=headers,
                expected_size=until or request.entry.size,
                **options,
            )
        except (Mismatch, NotWritten):
            raise
        except Exception as error:  # see `hub.client.ask_commit`
            status = status_of(error) or 0
            text = str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
            if status >= 500 or writer.size > at:
                raise _BrokenOff(f"the Hub broke off with the rest: {text}") from error
            raise SourceError(f"the Hub did not give the rest: {text}") from error

    def _download(self, request: FileRequest, waited: float = 0.0) -> Path:
        from huggingface_hub import hf_hub_download

        repo, kind = Repo.parse(request.repo_id), progress.asked_kind()
        bars: Any = {} if kind is None or not client.takes_bars() else {"tqdm_class": kind}
        try:
            with state.calling_originals():
                pointer = Path(
                    hf_hub_download(
                        repo.id,
                        request.path,
                        repo_type=repo.repo_type,
                        revision=request.commit,
                        cache_dir=self.scratch / repo.folder,
                        token=request.token,
                        etag_timeout=client.etag_timeout_after(waited),
                        **bars,
                    )
                )
        except Exception as error:  # see `hub.client.ask_commit`
            if isinstance(error, OSError) and error.errno in DISK_ERRORS:
                raise NotWritten(error.errno, error.strerror) from error
            if isinstance(error, OSError) and error.errno in _NO_LOCKS:
                raise _NoLocks(str(error)) from error
            if (status := status_of(error)) in (401, 403):
                raise SourceError(f"the Hub does not give it to us: {status}", CLOSED) from error
            broken = "IncompleteRead" in str(error) or type(error).__name__ == "ReadError"
            kind = _BrokenOff if broken else SourceError
            raise kind(f"the Hub did not give it: {type(error).__name__}: {error}") from error
        downloaded = pointer.resolve()
        with contextlib.suppress(OSError):
            pointer.unlink()
        return downloaded
