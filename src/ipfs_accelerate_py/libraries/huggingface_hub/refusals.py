"""Refused bytes stick: a library that passes over the error of a file must not end as if nothing had been.

Many catch OSError and ask for another file, or go on without. So whatever is asked next of the same commit raises the
refusal again, until the file has been got right.
"""

from __future__ import annotations

import time
from contextlib import suppress

from ...errors import Unavailable, VerificationError
from ...net import timeouts
from ...session import Recent, session
from ...store.resolution import Resolution
from .requests import Call

Commit = tuple[str, str, str]  # the store's folder, the repo's key, the commit


class Refusals:
    """What was refused of each commit: the error, the paths that were asked for, and when they were."""

    def __init__(self) -> None:
        self.standing: Recent[Commit, tuple[VerificationError, list[str], float]] = Recent()


def _key(call: Call, commit: str) -> Commit:
    return str(call.storage.store.root), call.asked.repo_id, commit


def raise_standing(call: Call, resolution: Resolution, paths: list[str]) -> None:
    """Raise what was refused of this commit, unless just that is asked for now; it is tried anew now and then."""
    standing = session.part(Refusals).standing
    key = _key(call, resolution.commit)
    found = standing.get(key)
    if found is None or set(found[1]) <= set(paths):
        return
    error, refused, when = found
    if time.monotonic() - when < timeouts.RESOLUTION_TTL:
        raise error
    standing[key] = (error, refused, time.monotonic())
    with suppress(Unavailable):
        call.storage.make_present(resolution, refused, token=call.asked.token)
        standing.pop(key, None)
        return
    raise error


def remember(call: Call, resolution: Resolution, paths: list[str], error: VerificationError) -> None:
    """Keep the error of bytes that were refused."""
    session.part(Refusals).standing[_key(call, resolution.commit)] = (error, paths, time.monotonic())


def forget(call: Call, resolution: Resolution, paths: list[str]) -> None:
    """These files were got right."""
    standing = session.part(Refusals).standing
    key = _key(call, resolution.commit)
    found = standing.get(key)
    if found is not None and set(found[1]) <= set(paths):
        standing.pop(key, None)
