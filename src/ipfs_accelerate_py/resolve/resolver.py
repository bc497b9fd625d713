"""A name and a revision -> a commit, and what each of its files must be. Remembered for a few seconds.

A lock file comes first; else the other authorities (see `authorities`). For what this process itself has changed on the
Hub the Hub is asked anew (see `changes`).
"""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import replace
from functools import partial

from ..config.settings import Settings
from ..errors import Unresolved
from ..hub import client
from ..hub.breaker import is_hub_breaker_open
from ..hub.client import endpoint
from ..net import timeouts
from ..net.breaker import Breaker
from ..net.futures import has_ended
from ..session import Recent, session
from ..store import layout
from ..store.resolution import Authority, Resolution
from ..store.store import Store
from ..store.tree import Tree
from ..store.visibility import known_access
from . import changes
from .authorities import LateAnswer, OnClosed, Query
from .local import read_stamps
from .lockfile import read_lock_file

Key = tuple[str, ...]


class Resolutions:
    """What was resolved a moment ago, and what could not be."""

    def __init__(self) -> None:
        self.known: Recent[Key, tuple[float, Resolution, LateAnswer]] = Recent()
        self.failed: Breaker[Unresolved] = Breaker()
        self.locks: Recent[Key, threading.Lock] = Recent()

    def after_fork(self) -> None:
        """Another thread of the parent may have held a lock, or been waiting for the Hub."""
        self.locks.clear()
        for key, (when, found, late) in list(self.known.items()):
            self.known[key] = (when, replace(late.answer or found, asking=None), late)

    def learnt(self, key: Key) -> tuple[Resolution, LateAnswer] | None:
        """What was learnt a moment ago, which still counts, and what has come since."""
        found = self.known.get(key)
        return None if found is None or time.monotonic() - found[0] >= timeouts.RESOLUTION_TTL else found[1:]

    def recall(self, key: Key) -> Resolution | None:
        """What was learnt a moment ago; a later answer of a slow Hub takes precedence."""
        if (learnt := self.learnt(key)) is None:
            return None
        found, late = learnt
        if late.keep is not None:
            keep, late.keep = late.keep, None
            keep()
        return late.answer or found


def forget_repo(repo_id: str) -> None:
    """This process has changed the repo on the Hub: what was learnt before does not count."""
    changes.note(repo_id)
    forget_resolutions(repo_id)


def forget_resolutions(repo_id: str) -> None:
    """Note that the repo was changed on the Hub: it is asked anew."""
    memory = session.part(Resolutions)
    for key in [key for key in list(memory.known) if key[1] == repo_id]:
        memory.known.pop(key, None)
    memory.failed.close_where(lambda key: key[1] == repo_id)


def _digest(token: str | bool | None) -> str:
    """A digest that differs between tokens; a token itself is not kept."""
    return hashlib.sha256(token.encode()).hexdigest() if isinstance(token, str) else str(token)


def note_commit(store: Store, repo_id: str, revision: str | None, commit: str, token: str | bool | None) -> None:
    """The Hub has just named the commit of a revision to the program: what asks for it next need not ask again."""
    if layout.is_commit(revision) or not layout.is_commit(commit):
        return
    revision = revision or layout.DEFAULT_REVISION
    memory, key = session.part(Resolutions), _key(store, repo_id, revision, token, local_only=False)
    if (known := memory.recall(key)) is not None and known.commit != commit:
        forget_resolutions(repo_id)
    tree = store.read_tree(repo_id, commit)
    if tree is not None and tree.complete and not store.is_unconfirmed(repo_id, commit):
        found = Resolution(repo_id, revision, tree, Authority.HUB, known_access(store, repo_id))
        memory.known[key] = (time.monotonic(), found, LateAnswer())


def note_listing(
    store: Store,
    settings: Settings,
    repo_id: str,
    revision: str | None,
    answer: tuple[Tree, bool],
    asked_at: int,
    *,
    on_closed: OnClosed,
    token: str | bool | None,
) -> None:
    """The Hub has just told the program a whole listing, and whether anybody may read the repo: as if we had asked.

    It is written down when a file of the repo is wanted: many programs only ask. `asked_at`: `changes.serial` before
    the question.
    """
    revision = revision or layout.DEFAULT_REVISION
    query, (tree, public) = Query(store, settings, repo_id, revision, token, on_closed), answer
    keep = partial(query.take_answer, tree, public, asked_at, not client.has_token(token))
    if not public:
        keep()
    elif tree.is_listing and asked_at == changes.serial(repo_id):
        query.late.keep = keep
        found = query.local.resolution(tree, Authority.HUB, public)
        key = _key(store, repo_id, revision, token, local_only=False)
        session.part(Resolutions).known[key] = (time.monotonic(), found, query.late)


def is_remembered(store: Store, repo_id: str, revision: str | None, token: str | bool | None) -> bool:
    """Return whether `resolve` would answer at once, from what was learnt a moment ago."""
    key = _key(store, repo_id, revision or layout.DEFAULT_REVISION, token, local_only=False)
    return session.part(Resolutions).learnt(key) is not None


def _key(store: Store, repo_id: str, revision: str, token: str | bool | None, *, local_only: bool) -> Key:
    return (str(store.root), repo_id, revision, _digest(token), str(local_only), endpoint())


def resolve(
    store: Store,
    settings: Settings,
    repo_id: str,
    revision: str | None = None,
    *,
    on_closed: OnClosed,
    token: str | bool | None = None,
    local_only: bool = False,
    fresh: bool = False,
) -> Resolution:
    """Resolve; Unresolved if no authority knows it (`answered`: the Hub refused). Raises UnsafeName for a bad name.

    `on_closed`: see `OnClosed`. `fresh`: the Hub is asked, and waited for as plain huggingface_hub does.
    """
    revision = revision or layout.DEFAULT_REVISION
    if settings.lock is not None and (locked := read_lock_file(settings.lock).find(repo_id, revision)) is not None:
        public = known_access(store, repo_id)
        return Resolution(repo_id, revision, locked.tree, Authority.LOCK, public, locked.cids)
    memory = session.part(Resolutions)
    key = _key(store, repo_id, revision, token, local_only=local_only)
    if local_only:  # plain reads the refs each time: another program may have moved one
        key = (*key, *read_stamps(store, settings, repo_id, revision))
    fresh = fresh and not local_only and not layout.is_commit(revision)
    if not (fresh or changes.is_open(repo_id, revision)) and (known := memory.recall(key)):
        return known
    layout.repo_folder(repo_id)
    layout.check_path(revision, "revision")
    query = Query(store, settings, repo_id, revision, token, on_closed)
    # Threads that want the same wait for the first one's answer; never for ever, for a fork may leave a lock behind.
    lock = memory.locks.setdefault(key, threading.Lock())
    held = lock.acquire(timeout=client.etag_timeout() + settings.timeout)
    failed_key = (*key, *map(str, settings.lower))  # the folders of this call may know it
    failed = memory.failed.why(failed_key)
    asked_at = changes.serial(repo_id)
    try:
        fresh = fresh or (not local_only and changes.is_open(repo_id, revision) and not is_hub_breaker_open())
        if not fresh and (known := memory.recall(key)):
            return known
        if failed is not None and not fresh:
            raise failed
        found = query.local.find(alone=True) if local_only else query.ask_all(fresh)
        if found is None:
            raise Unresolved(f"{repo_id}@{revision} is not known on this machine")
        if asked_at == changes.serial(repo_id):
            memory.known[key] = (time.monotonic(), found, query.late)
        return found
    except Unresolved as error:
        # No authority knew it a moment ago: calls that follow soon do not wait for them again.
        if not error.answered and not local_only and error is not failed:
            memory.failed.open(failed_key, timeouts.OPEN_DOWN, error)
        raise
    finally:
        if held:
            lock.release()


def learn_listing(
    store: Store, settings: Settings, resolution: Resolution, token: str | bool | None, on_closed: OnClosed
) -> Resolution:
    """The same commit with its listing, if a Hub that was slow gives it after all; else what was known before.

    For files of which it is not known whether the commit has them. Waits for one more time budget, once.
    """
    kept = store.read_tree(resolution.repo_id, resolution.commit)  # its late answer was kept
    if kept is not None and _says_more(kept, resolution.tree):
        unconfirmed = store.is_unconfirmed(resolution.repo_id, resolution.commit)
        authority = Authority.PUBLISHER if unconfirmed else Authority.STORE
        found = replace(resolution, tree=kept, authority=authority, publisher="", asking=None)
    else:
        found = _wait_for_listing(store, settings, resolution, token, on_closed)
    memory = session.part(Resolutions)
    for key, (when, known, late) in list(memory.known.items()):
        if known is resolution:
            memory.known[key] = (when, found, late)
    return found


def _says_more(kept: Tree, known: Tree) -> bool:
    """Return whether a kept listing has all that is known and more, or is complete where that is not."""
    if len(kept.files) <= len(known.files) and kept.complete is known.complete:
        return False
    return kept.files.keys() >= known.files.keys()


def _wait_for_listing(
    store: Store, settings: Settings, resolution: Resolution, token: str | bool | None, on_closed: OnClosed
) -> Resolution:
    asking, answer = resolution.asking, None
    if asking is not None and has_ended(asking, settings.timeout):
        try:
            answer = asking.result()
        except Unresolved:
            return replace(resolution, asking=None)
        if answer.commit != resolution.commit:  # the branch has moved; this load stays at its commit
            query = Query(store, settings, resolution.repo_id, resolution.revision, token, on_closed)
            answer = query.ask_listing(resolution.commit)
    if answer is None or not answer.tree.files:
        return replace(resolution, asking=None) if asking is not None else resolution
    return replace(answer, revision=resolution.revision)
