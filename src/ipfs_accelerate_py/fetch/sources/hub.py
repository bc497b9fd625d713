"""The Hugging Face Hub, through its own client: the last to be asked for bytes."""

from __future__ import annotations

import contextlib
import errno
import time
from pathlib import Path
from typing import Any

from ... import state
from ...errors import SourceError
from ...fleet import heed
from ...hub import client, limits
from ...hub.client import CLOSED
from ...hub.unwell import status_of
from ...repo import Repo
from ...store import partial
from ...store.fs import DISK_ERRORS
from ...store.sidecar import blobs_folder
from ...store.verify import Mismatch
from ...store.writer import NotWritten, Writer
from .. import progress
from . import FileRequest, Kind, hub_claimed, hub_loop, hub_small
from .hub_loop import BrokenOff

_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.EIO)  # a file system that has none; ENOSYS the client knows
_PIECE_RATE = 1e6  # bytes per second, at which a Hub that is well gives a piece at least


class _Lost(SourceError):
    """What came is not there any more."""


class _NoLocks(SourceError):
    """The scratch folder lies on a file system without locks."""


class Hub:
    """Downloads by `hf_hub_download` (its tokens, retries, resuming, xet and settings) to a scratch folder."""

    kind = Kind.HUB
    label = "hub"

    def __init__(self, scratch: Path, root: Path | None = None, *, public: bool = False) -> None:
        """`root`: the store, if its machine may be in a fleet: what the Hub has asked others to wait is heeded;
        `public`: anybody may read the repo.
        """
        self.scratch, self.root, self.public = scratch, root, public

    @property
    def own_pace(self) -> Hub:
        """The time limits and retries of plain huggingface_hub."""
        return self

    def fetch(self, request: FileRequest, writer: Writer) -> str:
        if self.public and hub_small.make_empty(request, writer):
            return "the Hub's listing"
        heed.wait(self.root, limits.FILES, request.token, lambda: writer.cancelled)
        began, wrong = time.monotonic(), False
        if not writer.size and not self._take_leftover(request, writer):
            try:
                if self._give_small(request, writer):
                    return "the Hub"
            except Mismatch:
                writer.start()
                wrong = True
        claim = hub_loop.find_claim(request)
        if claim is not None and hub_claimed.give(request, writer, claim):
            return "the Hub"
        waited = time.monotonic() - began
        if writer.size and claim is None and hub_loop.give_rest(request, writer):
            return "the Hub"
        before = self.seen_so_far(request)
        try:
            self._adopt(request, writer, waited)
        except (Mismatch, BrokenOff, _Lost) as error:
            # The Hub is asked once more before it counts as corrupt: the bytes may have been damaged on the way. And
            # 4.57's client does not resume by itself when a connection breaks; the next call goes on where it ended.
            # Where nothing came at all the client has tried often enough.
            if isinstance(error, BrokenOff) and self.seen_so_far(request) == before:
                raise
            if isinstance(error, Mismatch) and wrong:
                raise
            self._adopt(request, writer)
        except _NoLocks:  # the client cannot do without; its loop can
            writer.start()
            hub_loop.copy(request, writer)
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
                hub_loop.copy(request, writer)
                writer.check()
                return True
            except BrokenOff:
                return False

    def _take_leftover(self, request: FileRequest, writer: Writer) -> bool:
        """Begin with what a killed process had downloaded to the scratch folder; True if there was something."""
        return writer.continue_first(
            partial.find_parts(blobs_folder(self.scratch, request.repo_id), request.entry.etag)
        )

    def _adopt(self, request: FileRequest, writer: Writer, waited: float = 0.0) -> None:
        """Let the client download the whole; `waited`: seconds that the Hub was waited for just now, without use."""
        try:
            writer.adopt(self._download(request, waited), move=True)
        except FileNotFoundError as error:
            raise _Lost(f"what the Hub's client downloaded is not there any more: {error}") from error

    def _download(self, request: FileRequest, waited: float = 0.0) -> Path:
        from huggingface_hub import hf_hub_download

        repo, kind = Repo.parse(request.repo_id), progress.asked_kind()
        bars: Any = {} if kind is None or not client.takes_bars() else {"tqdm_class": kind}
        limits.watch()
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
            kind = BrokenOff if broken else SourceError
            raise kind(f"the Hub did not give it: {type(error).__name__}: {error}") from error
        downloaded = pointer.resolve()
        with contextlib.suppress(OSError):
            pointer.unlink()
        return downloaded
