"""A name and a revision -> a commit, and what each of its files must be. Asked once per process and minute.

A lock file comes first; else everybody who may know (see `question`).
"""

from __future__ import annotations

import threading
import time

from ..errors import Unresolved
from ..settings import Settings
from . import hub_rest, layout, policy
from .hub_rest import REST, end_rest, endpoint, hub_is_resting
from .lock_file import read_lock_file
from .question import Question
from .resolution import LOCK, Resolution
from .sources import hub
from .store import Store

__all__ = ["Resolution", "end_rest", "forget", "hub_is_resting", "resolve"]
REMEMBER = 60.0  # seconds that one resolution serves all the parts of a repo
_known: dict[tuple[str, ...], tuple[float, Resolution]] = {}
_failed: dict[tuple[str, ...], tuple[float, Unresolved]] = {}
_locks: dict[tuple[str, ...], threading.Lock] = {}


def forget() -> None:
    """Forget what this process has learnt (not what is on disk)."""
    _known.clear()
    _failed.clear()
    hub_rest.forget()


def resolve(
    store: Store,
    settings: Settings,
    repo_id: str,
    revision: str | None = None,
    *,
    token: str | bool | None = None,
    local_only: bool = False,
) -> Resolution:
    """Resolve; Unresolved if nobody could say (`answered`: the Hub said no). Raises UnsafeName for a bad name."""
    revision = revision or layout.DEFAULT_REVISION
    if settings.lock is not None and (locked := read_lock_file(settings.lock).find(repo_id, revision)) is not None:
        public = policy.known_access(store, repo_id)
        return Resolution(repo_id, revision, locked.tree, LOCK, public, locked.cids)
    key = (str(store.root), repo_id, revision, str(token), str(local_only), endpoint())
    learnt = _known.get(key)
    if learnt and time.monotonic() - learnt[0] < REMEMBER:
        return learnt[1]
    layout.repo_folder(repo_id)
    layout.check_path(revision, "revision")
    question = Question(store, settings, repo_id, revision, token)
    # Threads that want the same wait for the first one's answer; never for ever, for a fork may leave a lock behind.
    lock = _locks.setdefault(key, threading.Lock())
    held = lock.acquire(timeout=hub.patience() + settings.timeout)
    failed_key = (*key, *map(str, settings.lower))  # the folders of this call may know it
    failed = _failed.get(failed_key)
    try:
        learnt = _known.get(key)
        if learnt and time.monotonic() - learnt[0] < REMEMBER:
            return learnt[1]
        if failed and time.monotonic() - failed[0] < REST:
            raise failed[1]
        found = question.ask_here() if local_only else question.ask_all()
        if found is None:
            raise Unresolved(f"{repo_id}@{revision} is not known on this machine")
        _known[key] = (time.monotonic(), found)
        return found
    except Unresolved as error:
        # Nobody knew it a moment ago: who asks again soon does not wait for them again.
        if not error.answered and not local_only and (failed is None or error is not failed[1]):
            _failed[failed_key] = (time.monotonic(), error)
        raise
    finally:
        if held:
            lock.release()
