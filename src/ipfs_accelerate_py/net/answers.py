"""Answers of HTTP servers that are not trusted: status, length, where in the file they begin, and their next bytes."""

from __future__ import annotations

import re
from typing import Any

from ..errors import SourceDown, SourceError

_CHUNK = 1 << 18
_CHUNK_WHOLE = 1 << 13  # for a urllib3 that gives a chunk only when it is full
_OUT_OF_ORDER = (407, 429, 502, 503)


def root_of(error: BaseException) -> BaseException:
    """The error at the bottom of a chain, which is the shortest account of what has happened."""
    while (below := error.__cause__ or error.__context__) is not None:
        error = below
    return error


def read_next(answer: Any, *, small: bool = False) -> bytes:
    """The next bytes, as soon as there are some. A server that falls silent in a `small` answer counts as down."""
    try:
        if hasattr(answer.raw, "read1"):
            return bytes(answer.raw.read1(_CHUNK, decode_content=False))
        return bytes(answer.raw.read(_CHUNK_WHOLE, decode_content=False))
    except Exception as error:  # urllib3's errors of a stream that breaks
        name = type(error).__name__
        if small and "Timeout" in name:
            raise SourceDown(f"it broke off: {name}") from error
        raise SourceError(f"it broke off: {name}") from error


def check(answer: Any) -> None:
    """Raise SourceError, and close the answer, unless it is the file, or a part of it, as it is."""
    status = answer.status_code
    if status in (200, 206):
        if answer.headers.get("Content-Encoding", "identity") == "identity":
            return
        answer.close()
        raise SourceError("it sent an encoding that was not asked for")
    with answer:
        if status in (401, 403) and not _is_about_one_file(answer):
            raise SourceDown(
                f"it answered {status}", "give the right name and password in its URL: https://NAME:PASSWORD@HOST"
            )
        raise (SourceDown if status in _OUT_OF_ORDER else SourceError)(f"it answered {status}")


def _is_about_one_file(answer: Any) -> bool:
    """Return whether a 403 is about this file alone: storage services answer so for a missing file if we may not list.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, "Permissions"
    """
    try:
        return answer.status_code == 403 and b"<Code>AccessDenied</Code>" in read_next(answer)
    except SourceError:
        return False


def refuse_longer(answer: Any, size: int, left: int) -> None:
    """SourceError for what is too long to be the file: the page of a login or of an error is often longer."""
    length = answer.headers.get("Content-Length", "")
    if length.isascii() and length.isdigit() and len(length) < 20 and int(length) > left:
        more = size - left + int(length)
        raise SourceError(f"it reports {more} bytes for the file, more than its {size}")


def start_of(answer: Any) -> int | None:
    """Where an answer begins in the file: at 0, if it is no part. RFC 9110, section 14.4."""
    if answer.status_code != 206:
        return 0
    said = re.match(r"\s*bytes (\d{1,19})-", answer.headers.get("Content-Range", ""), re.ASCII | re.IGNORECASE)
    return int(said[1]) if said else None
