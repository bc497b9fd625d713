"""The authorities by which the bytes of a load were verified: what `status` shows by repo.

`.locks/ipfs_accelerate/vouched/<repo>/<commit>` has one authority a line, those of the last process that loaded it.
"""

from __future__ import annotations

import os
from contextlib import suppress

from ..stats import stats
from . import layout
from .layout import Own
from .resolution import Authority, Resolution
from .store import Store

NOBODY = "nobody"
MEMORY = "memory"  # what this machine learnt earlier, from the Hub itself


def shown(resolution: Resolution) -> str:
    """How the authority of a resolution is written down."""
    remembered = resolution.authority in (Authority.STORE, Authority.LOCAL_CACHES)
    return MEMORY if remembered else resolution.according_to


def note(store: Store, repo_id: str, commit: str, authority: str) -> None:
    """Write down an authority for files of a commit; where nothing can be written, only this process knows it."""
    by = stats().vouched.setdefault(repo_id, {}).setdefault(commit, [])
    if authority in by:
        return
    by.append(authority)
    path = store.own_folder / Own.VOUCHED / layout.repo_folder(repo_id) / commit
    text = "\n".join(sorted(by))
    with suppress(OSError):
        if not (os.path.exists(path) and path.read_text() == text):
            store.write_file(path, text.encode())


def read(store: Store) -> dict[str, dict[str, list[str]]]:
    """What the store remembers: {repo id: {commit: [authority, ...]}}."""
    found: dict[str, dict[str, list[str]]] = {}
    for path in sorted((store.own_folder / Own.VOUCHED).glob("*/*")):
        repo_id = layout.repo_of(path.parent.name)
        if repo_id is not None and layout.is_commit(path.name):
            with suppress(OSError, ValueError):
                found.setdefault(repo_id, {})[path.name] = path.read_text().splitlines()
    return found
