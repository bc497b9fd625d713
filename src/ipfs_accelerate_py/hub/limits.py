"""What the Hub says of its limits: an answer 429 tells for how long it is not to be asked, and who asked is told so.

It counts the requests to its API and those for files apart, by address or, with a token, by user:
https://huggingface.co/docs/hub/rate-limits. The client waits for these times within itself, and tells of them only when
all its retries are used up; so its session is watched, as soon as anybody wants to know.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from ..session import session
from .unwell import TOO_MANY

API, FILES = "api", "files"
_API = ("/api/models/", "/api/datasets/", "/api/spaces/")
# As huggingface_hub 2.x reads it: https://www.ietf.org/archive/id/draft-ietf-httpapi-ratelimit-headers-09.html
_LIMIT = re.compile(r'"\w+"\s*;\s*r\s*=\s*(\d{1,9})\s*;\s*t\s*=\s*(\d{1,9})')
_SECONDS = re.compile(r"\d{1,9}")
Tell = Callable[[str, float], object]  # what the limit is about, and the seconds. It neither raises nor takes time


class Listeners:
    """Who wants to know of this process's limits, by a name."""

    def __init__(self) -> None:
        self.by_name: dict[str, Tell] = {}


def _endpoint() -> str:
    from huggingface_hub import constants

    return str(constants.ENDPOINT)


def read_wait(headers: Mapping[str, str]) -> float | None:
    """The seconds that an answer 429 asks to wait; None if it does not say.

    A number of `Retry-After`, or a date by the Hub's own clock; `RateLimit` before it where nothing remains of it.
    """
    named = {name.lower(): value for name, value in headers.items()}
    limit = _LIMIT.search(named.get("ratelimit", ""))
    if limit is not None and int(limit[1]) == 0:
        return float(limit[2])
    text = named.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        until = parsedate_to_datetime(text).timestamp()
        now = parsedate_to_datetime(named["date"]).timestamp() if "date" in named else time.time()
        return max(0.0, until - now)
    return None


def about(kind: str, authorization: str | None) -> str:
    """Whose allowance it is, for which requests of which Hub: a digest, so that no token leaves this process."""
    text = "\n".join((_endpoint(), kind, authorization or ""))
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]


def about_request(kind: str, token: str | bool | None) -> str:
    """The same for a request that is not sent yet."""
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    return about(kind, build_hf_headers(token=token).get("authorization"))


def waits_itself() -> bool:
    """Return whether this client's line waits after an answer 429, and asks again; 0.x raises at once."""
    import huggingface_hub.utils

    return hasattr(huggingface_hub.utils, "parse_ratelimit_headers")


def listen(name: str, tell: Tell) -> None:
    """From now on `tell` is told what the Hub asks this process to wait."""
    session.part(Listeners).by_name[name] = tell


def watch() -> None:
    """Look at what the client's session of this thread is answered, if anybody listens."""
    if not session.part(Listeners).by_name:
        return
    from huggingface_hub import get_session

    with contextlib.suppress(Exception):  # a session of the user's own may have other ways
        watched: Any = get_session()
        hooks = watched.event_hooks if hasattr(watched, "event_hooks") else watched.hooks
        if _look not in hooks["response"]:
            hooks["response"].append(_look)


def _look(answer: Any, *_: object, **__: object) -> None:
    if answer.status_code != TOO_MANY:
        return
    with contextlib.suppress(Exception):
        kind, seconds = _kind_of(str(answer.request.url)), read_wait(answer.headers)
        if kind is not None and seconds:
            subject = about(kind, answer.request.headers.get("authorization"))
            for tell in list(session.part(Listeners).by_name.values()):
                tell(subject, seconds)


def _kind_of(url: str) -> str | None:
    """What kind of a request has this URL; None for others, whose limits are no others' matter."""
    if not url.startswith(root := _endpoint()):
        return None
    path = url[len(root) :].partition("?")[0]
    if "/resolve/" in path or path.startswith("/api/resolve-cache/"):
        return FILES
    return API if path.startswith(_API) else None
