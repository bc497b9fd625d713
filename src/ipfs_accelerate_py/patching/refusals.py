"""Refusals are remembered: a library that ignores the error of a file must not go on as if there had been none.

Many catch OSError and ask for another file, or go on without. So whatever is asked next of the same commit raises the
refusal again, until the file has been got right.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import suppress

from ..errors import Unavailable, VerificationError
from ..net import timeouts
from ..session import Recent, session
from ..storage_wrapper import StorageWrapper
from ..store.resolution import Resolution

Commit = tuple[str, str, str]  # the store's folder, the repo's key, the commit


class Refusals:
    """What was refused of each commit: the error, the paths that were asked for, and when they were."""

    def __init__(self) -> None:
        self.standing: Recent[Commit, tuple[VerificationError, list[str], float]] = Recent()


def _key(storage: StorageWrapper, resolution: Resolution) -> Commit:
    return str(storage.store.root), resolution.repo_id, resolution.commit


def raise_standing(
    storage: StorageWrapper, resolution: Resolution, paths: Collection[str], token: str | bool | None
) -> None:
    """Raise what was refused of this commit, unless just that is asked for now; it is tried anew now and then."""
    standing, key = session.part(Refusals).standing, _key(storage, resolution)
    found = standing.get(key)
    if found is None or set(found[1]) <= set(paths):
        return
    error, refused, when = found
    if time.monotonic() - when < timeouts.RESOLUTION_TTL:
        raise error
    standing[key] = (error, refused, time.monotonic())
    with suppress(Unavailable):
        storage.make_present(resolution, refused, token=token)
        standing.pop(key, None)
        return
    raise error


def stands(storage: StorageWrapper, repo_id: str) -> bool:
    """Return whether anything of a repo was refused."""
    return any(key[:2] == (str(storage.store.root), repo_id) for key in list(session.part(Refusals).standing))


def remember(storage: StorageWrapper, resolution: Resolution, paths: Collection[str], error: VerificationError) -> None:
    """Keep the error of bytes that were refused."""
    session.part(Refusals).standing[_key(storage, resolution)] = (error, list(paths), time.monotonic())


def forget(storage: StorageWrapper, resolution: Resolution, paths: Collection[str]) -> None:
    """These files were got right."""
    standing, key = session.part(Refusals).standing, _key(storage, resolution)
    found = standing.get(key)
    if found is not None and set(found[1]) <= set(paths):
        standing.pop(key, None)
