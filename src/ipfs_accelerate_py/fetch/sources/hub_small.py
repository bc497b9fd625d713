"""A file that git holds is asked for at once: the client's question before it (HEAD) tells what the listing has told.

What LFS holds is redirected to another server, by Xet even to another protocol, which that question is the way to.
"""

from __future__ import annotations

from typing import Any

from ...errors import SourceError
from ...hub import stream
from ...hub.client import etag_timeout, is_offline, logs_downloads
from ...hub.unwell import is_cut_off
from ...repo import Repo
from ...store.verify import Mismatch
from ...store.writer import NotWritten, Writer
from .. import progress
from . import FileRequest

_AT_MOST = 10.0  # seconds: where HF_HUB_ETAG_TIMEOUT is set, the client's own question cannot be told to be shorter


class CutOff(SourceError):
    """The Hub closed the connection and sent no answer: the client's loop may ask again at once, without a question."""


def make_empty(request: FileRequest, writer: Writer) -> bool:
    """Make a file without a byte: plain asks what it is, and no more. False where it is to be asked for."""
    if request.entry.size or is_offline() or logs_downloads():
        return False
    try:
        writer.start()
        writer.check()
    except Mismatch:  # its hash is of something
        writer.start()
        return False
    return True


def give(request: FileRequest, writer: Writer) -> bool:
    """Ask the Hub once. False: it is for the client to ask, with its retries and its errors; what came is kept.

    Raises Mismatch, CutOff.
    """
    if request.entry.sha256 or is_offline() or logs_downloads():  # of that its log would have nothing
        return False
    bar = progress.begin(request.path, request.entry.size)
    try:
        return _fill(request, writer, bar)
    except (Mismatch, NotWritten, SourceError):
        raise
    except Exception as error:  # see `hub.client.ask_commit`
        if not writer.size and is_cut_off(error):
            raise CutOff(f"the Hub sent no answer: {error}") from error
    finally:
        bar.clear() if writer.size < request.entry.size else bar.finish()
    return False


def _fill(request: FileRequest, writer: Writer, bar: progress.Bar) -> bool:
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    repo = Repo.parse(request.repo_id)
    url = hf_hub_url(repo.id, request.path, repo_type=repo.repo_type, revision=request.commit)
    with stream.get(url, build_hf_headers(token=request.token), min(etag_timeout(), _AT_MOST)) as (answer, pieces):
        if answer.status_code != 200 or not _is_a_hubs(answer):
            return False
        writer.begin("the Hub")
        bar.advance(0)
        for piece in pieces:
            writer.write(piece)
            bar.advance(len(piece))
    writer.check()
    return True


def _is_a_hubs(answer: Any) -> bool:
    """Return whether an answer has what the client wants of one: its error says what is amiss with another."""
    said = [each.headers for each in (*answer.history, answer)]
    has_etag = any(headers.get("X-Linked-Etag") or headers.get("ETag") for headers in said)
    return has_etag and any(headers.get("X-Repo-Commit") for headers in said)
