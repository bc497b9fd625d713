"""The client's own download loop, with its retries, from where a writer is: to the end of a file, or of a range."""

from __future__ import annotations

import time
from typing import Any

from ...errors import SourceError
from ...hub import limits
from ...hub.pieces import download_loop
from ...hub.unwell import status_of
from ...repo import Repo
from ...store import partial
from ...store.verify import Mismatch
from ...store.writer import NotWritten, Writer
from .. import claims, progress
from . import FileRequest

_AGAIN = 1.0  # seconds until a Hub that could not go on with a file is asked to once more


class BrokenOff(SourceError):
    """A download that began and did not end, or that is not where the client has put it."""


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


class Bar:
    """A bar of ours as the client's, for a file that comes in several downloads."""

    def __init__(self, bar: progress.Bar) -> None:
        self.update = bar.advance


def find_claim(request: FileRequest) -> claims.Asked | None:
    """The claim on a file, where other machines of a fleet may follow: its bytes come to the store, in order."""
    if not request.entry.sha256 or request.entry.size < partial.WORTH_KEEPING:
        return None
    return claims.find_ours(Repo.parse(request.repo_id).folder, request.entry.etag)


def copy(request: FileRequest, writer: Writer, until: int | None = None, bar: Bar | None = None) -> None:
    """Download from `writer.size` on, `until` where that ends, by the client's own loop with its retries."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    at, repo = writer.begin("the Hub"), Repo.parse(request.repo_id)
    followed, headers = find_claim(request) is not None, build_hf_headers(token=request.token)
    options: dict[str, Any] = {} if bar is None else {"_tqdm_bar": bar}
    if followed and not at:  # without an answer the client asks in its own way
        options["_nb_retries"] = 0
    if until is not None and until < request.entry.size:
        headers["Range"] = f"bytes=0-{until - 1}"  # of which the loop leaves out what is there
    limits.watch()
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
            raise BrokenOff(f"the Hub broke off with the rest: {text}") from error
        raise SourceError(f"the Hub did not give the rest: {text}") from error


def give_rest(request: FileRequest, writer: Writer) -> bool:
    """Go on from what is there; False if the whole is to be asked for."""
    for pause in (0.0, _AGAIN):  # one bad answer is no reason to ask for gigabytes anew
        time.sleep(pause)
        try:
            copy(request, writer)
            writer.check()
            return True
        except Mismatch:
            return False
        except SourceError as error:
            if writer.cancelled:
                raise
            if not isinstance(error, BrokenOff):  # the client's loop has tried often enough
                return False
    return False
