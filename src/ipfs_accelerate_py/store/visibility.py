"""What this machine knows of a repo's visibility: whether it was proven to be public."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from . import layout
from .fs import past
from .layout import Own
from .store import Store

_PROOF_LASTS = 24 * 3600.0  # seconds; then the Hub is asked again before anything more is published


def remember_access(store: Store, repo_id: str, public: bool) -> None:
    """Keep what a request showed about a repo: whether it is public."""
    if known_access(store, repo_id, _PROOF_LASTS / 2) is public:
        return  # a warm load writes nothing
    with suppress(OSError):  # without a proof nothing leaves: the safe side
        store.write_file(_proof(store, repo_id), b"public" if public else b"closed")


def known_access(store: Store, repo_id: str, lasts: float = _PROOF_LASTS) -> bool | None:
    """What this machine knows: True (proven public, not long ago), False (closed), None. Makes no request."""
    proof = _proof(store, repo_id)
    try:
        word, age = proof.read_bytes(), time.time() - past(proof.stat().st_mtime)
    except OSError:
        return None
    if word == b"public":
        return True if age < lasts else None
    return False


def _proof(store: Store, repo_id: str) -> Path:
    return store.own_folder / Own.ACCESS / layout.repo_folder(repo_id)
