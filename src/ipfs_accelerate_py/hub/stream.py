"""An answer of the Hub that is read in pieces, by huggingface_hub's own HTTP client: requests in 0.x, httpx since."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from . import limits

_PIECE = 1 << 16  # bytes


@contextlib.contextmanager
def get(
    url: str, headers: Any, timeout: float, params: dict[str, Any] | None = None
) -> Iterator[tuple[Any, Iterator[bytes]]]:
    """A request under way, sent once: the answer, and its body in pieces. Redirects are followed."""
    from huggingface_hub import get_session

    limits.watch()
    session: Any = get_session()
    options = {"params": params, "headers": headers, "timeout": timeout}
    if callable(session.stream):  # in requests it is a setting
        with session.stream("GET", url, **options) as answer:
            yield answer, answer.iter_bytes(_PIECE)
    else:
        with session.get(url, stream=True, **options) as answer:
            yield answer, answer.iter_content(_PIECE)
