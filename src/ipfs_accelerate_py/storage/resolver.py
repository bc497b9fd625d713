"""A name and a revision -> a commit, and what each of its files must be. Asked once per process and minute.

A lock file comes first; else everybody who may know (see `question`).
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from ..errors import Unresolved
from ..settings import Settings
from . import hub_rest, layout, policy
from .hub_rest import REST, end_rest, endpoint, hub_is_resting
from .lock_file import read_lock_file
from .question import Question
from .resolution import HEARSAY, LOCK, STORE, Resolution
from .sources import hub
from .store import Store

__all__ = ["Resolution", "end_rest", "forget", "hub_is_resting", "learn_listing", "resolve"]
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


def learn_listing(store: Store, settings: Settings, resolution: Resolution, token: str | bool | None) -> Resolution:
    """The same commit with its listing, if a Hub that was slow gives it after all; else what was known before.

    For files of which it is not known whether the commit has them. Waits for one more time budget, once.
    """
    kept = store.read_tree(resolution.repo_id, resolution.commit)  # what it said meanwhile was kept
    if kept is not None and kept.files.keys() >= resolution.tree.files.keys():
        word = HEARSAY if store.is_hearsay(resolution.repo_id, resolution.commit) else STORE
        found = replace(resolution, tree=kept, word=word, asking=None)
    else:
        found = _wait_for_listing(store, settings, resolution, token)
    for key, (when, known) in list(_known.items()):
        if known is resolution:
            _known[key] = (when, found)
    return found


def _wait_for_listing(store: Store, settings: Settings, resolution: Resolution, token: str | bool | None) -> Resolution:
    asking, told = resolution.asking, None
    if asking is not None and asking.wait(settings.timeout):
        try:
            told = asking.result()
        except Unresolved:
            return replace(resolution, asking=None)
        if told.commit != resolution.commit:  # the branch has moved; this load stays at its commit
            question = Question(store, settings, resolution.repo_id, resolution.revision, token)
            told = question.ask_listing(resolution.commit)
    if told is None or not told.tree.files:
        return replace(resolution, asking=None) if asking is not None else resolution
    return replace(told, revision=resolution.revision)
