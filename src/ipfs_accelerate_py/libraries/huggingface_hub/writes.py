"""The program's own writes to the Hub: what it has changed there is not answered from memory afterwards.

Whatever `HfApi` writes, in either line of huggingface_hub, it sends by two functions that its modules look up at each
call, `get_session` and `http_backoff`: commits (and so uploads, `push_to_hub`, CommitScheduler), branches, tags,
settings, moves, deletions, in threads as well, and through methods that a program took hold of before we came.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from ...hub.breaker import close_hub_breaker
from ...patching.proxies import ClientProxy, Wrapper
from ...repo import KINDS, Repo, is_repo_id
from ...resolve import resolver

_WRITING = ("post", "put", "patch", "delete", "request")
_READING = ("paths-info", "preupload")  # asked by POST
_REPOS = ("fromRepo", "toRepo", "repository")  # keys of a request's body that name whole repos


class WatchedSession(ClientProxy):
    """A session that notes which repos are written to."""

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.__wrapped__, name)
        return Wrapper(value, http_backoff) if name in _WRITING else value


def get_session(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The session of huggingface_hub's API."""
    return WatchedSession(wrapped(*args, **kwargs))


def http_backoff(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Send a request; also after an error the Hub may have done what was asked."""
    try:
        answer = wrapped(*args, **kwargs)
        close_hub_breaker()
        return answer
    finally:
        with suppress(Exception):  # the program's own request is done, whatever its arguments were
            url = kwargs.get("url") or next(arg for arg in args if "/api/" in str(arg))
            for repo_id in set(written_to(str(url), kwargs.get("json"))):
                resolver.forget_repo(repo_id)


def written_to(url: str, body: object) -> Iterator[str]:
    """The keys of the repos that such a request may change. A name has one part or two: both are taken."""
    _, _, path = urlsplit(url).path.partition("/api/")
    plural, *parts = [unquote(part) for part in path.split("/")]
    kinds = [kind for kind in KINDS if f"{kind}s" == plural]
    names: list[object] = []
    if kinds and not set(parts[1:3]) & set(_READING):
        names = ["/".join(parts[:1]), "/".join(parts[:2])]
    if (kinds or plural == "repos") and isinstance(body, dict):
        names += [body.get(key) for key in _REPOS]
        if plural == "repos":
            kinds = [kind for kind in KINDS if kind == (body.get("type") or "model")]
            if body.get("name"):
                names.append("/".join(str(body[key]) for key in ("organization", "name") if body.get(key)))
    yield from (Repo(kind, name).key for kind in kinds for name in names if isinstance(name, str) and is_repo_id(name))
