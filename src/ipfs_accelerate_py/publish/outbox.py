"""The outbox: what is still to be published, as empty files in the store, and the detached process that publishes it.

A user's program only leaves a note and, unless the process is at work, starts it; it never waits for it. The process
decides by `eligibility` what may leave this machine, publishes, and ends when no note has come for a while.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ..config.settings import Settings, read_settings
from ..detached import start_module
from ..errors import IPFSAccelerateError
from ..files import make_folder
from ..ipfs import node, swarm
from ..ipfs.address import node_address
from ..log import get_logger
from ..net import timeouts
from ..store import layout
from ..store.layout import Own
from ..store.resolution import Resolution
from ..store.store import Store
from ..store.visibility import known_access
from . import eligibility, publisher

_LINGER = 3.0  # seconds without a note after which the process ends
_TRIES = 3
_PAUSE = 60.0  # seconds without a new process after something could not be published
_LOG_LIMIT = 1 << 20


def leave_note(store: Store, settings: Settings, resolution: Resolution, paths: list[str]) -> None:
    """If these files should be published in the background and are not yet, leave a note, and start the process."""
    if settings.force_local or resolution.public is False or not eligibility.is_wanted(settings, resolution.repo_id):
        return
    address = node_address(settings.node)
    if not resolution.tree.complete or address is None:
        return
    repo_id, commit = resolution.repo_id, resolution.commit
    if set(paths) <= publisher.published_paths(store, repo_id, commit, address):
        return
    if store.read_tree(repo_id, commit) is None:  # another cache has the listing, which the process does not look into
        store.write_tree(repo_id, resolution.tree)
    note = _notes(store) / layout.repo_folder(repo_id) / commit
    make_folder(note.parent)
    note.touch()
    if not _is_paused(store) and not is_at_work(store):
        start_process(store)


def leave_withdrawal(store: Store, settings: Settings, repo_id: str) -> None:
    """Leave a note that what was published of a repo is to be withdrawn: it is no longer public on the Hub."""
    if not publisher.published_commits(store, repo_id) or node_address(settings.node) is None:
        return
    note = _withdrawals(store) / layout.repo_folder(repo_id)
    make_folder(note.parent)
    note.touch()
    if not is_at_work(store):
        start_process(store)


def withdraw_closed(store: Store, settings: Settings) -> Callable[[str], None]:
    """The function for the resolver to call with a repo that is not public on the Hub. It never raises."""

    def withdraw(repo_id: str) -> None:
        try:
            leave_withdrawal(store, settings, repo_id)
        except Exception as error:
            get_logger().warning("%s may have to be withdrawn from the node: %s", repo_id, error)

    return withdraw


def is_at_work(store: Store) -> bool:
    """Return whether a process is working off the notes of this store now."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(_lock(store), timeout=0):
            return False
    except Timeout:
        return True


def start_process(store: Store) -> None:
    """Start the process, detached: the user's program neither waits for it nor has to reap it."""
    start_module("ipfs_accelerate_py.publish.outbox", [str(store.root)], os.environ)


def work_off(store: Store, stopped: threading.Event | None = None) -> bool:
    """Publish what the notes ask for until none is left and none has come for a while. One process at a time.

    With `stopped`, the process of an agent: until that is set; False at once where another process is at work.
    """
    from filelock import FileLock, Timeout

    try:
        with FileLock(_lock(store), timeout=0):
            quiet_since = began = time.monotonic()
            tries: dict[Path, int] = {}
            while (time.monotonic() - quiet_since < _LINGER) if stopped is None else not stopped.is_set():
                if stopped is not None and time.monotonic() - began > _PAUSE:
                    began, tries = time.monotonic(), {}
                notes = [note for note in _all_notes(store) if tries.get(note, 0) < _TRIES]
                for note in notes:
                    quiet_since = time.monotonic()
                    work = _withdraw_note if note.parent == _withdrawals(store) else _publish_note
                    tries[note] = 0 if work(store, note) else tries.get(note, 0) + 1
                failed = any(tries[note] for note in notes)
                if stopped is None:
                    time.sleep(1.0 if failed else 0.1)
                else:
                    stopped.wait(1.0 if failed or not notes else 0.1)
    except Timeout:
        return False
    return True


def _withdraw_note(store: Store, note: Path) -> bool:
    repo_id = layout.repo_of(note.name) or note.name
    log = logging.getLogger(__name__)
    try:
        ipfs = node.open_node(read_settings(), timeouts.IDLE)
        if ipfs is not None:
            with publishing(store):
                publisher.withdraw(store, ipfs, repo_id)
            log.info("withdrew %s: it is no longer public on the Hub", repo_id)
    except IPFSAccelerateError as error:
        log.warning("%s is not withdrawn yet: %s", repo_id, error)
        return False
    note.unlink(missing_ok=True)
    return True


def _publish_note(store: Store, note: Path) -> bool:
    """Publish a commit; False if it should be tried again. The note is removed when nothing was added meanwhile.

    After a commit that could not be published, or may not be, loads do not start the process again for a while.
    """
    left_at = note.stat().st_mtime_ns
    repo_id = layout.repo_of(note.parent.name) or note.parent.name
    log = logging.getLogger(__name__)
    try:
        settings = read_settings()
        ipfs = node.open_node(settings, timeouts.IDLE)
        tree = store.read_tree(repo_id, note.name)
        done = False
        # Which kinds are wanted was for the process that left the note to say: its settings may be others than ours.
        if ipfs is not None and tree is not None and settings.publish != "off":
            if settings.publish == "auto" and not swarm.is_private(ipfs):
                log.info("%s is not published: the node is not in a private swarm", repo_id)
            else:
                public = known_access(store, repo_id) or eligibility.prove_public(store, repo_id, timeouts.IDLE)
                if public is None:
                    log.warning("%s is not published yet: the Hub does not answer whether it is public", repo_id)
                    _pause(store)
                    return False
                if public is False:
                    make_folder(_withdrawals(store))
                    (_withdrawals(store) / layout.repo_folder(repo_id)).touch()
                if public:
                    refs = store.revisions_at(repo_id, note.name)
                    with publishing(store):
                        log.info("published %s", publisher.publish(store, ipfs, repo_id, tree, refs))
                    done = True
                else:
                    log.info("%s is not published: it is private, gated or unknown to the Hub", repo_id)
    except IPFSAccelerateError as error:
        log.warning("%s is not published yet: %s", repo_id, error)
        _pause(store)
        return False
    if not done:
        _pause(store)
    if note.stat().st_mtime_ns == left_at or not done:
        note.unlink(missing_ok=True)
    return True


@contextlib.contextmanager
def publishing(store: Store) -> Iterator[None]:
    """One publication at a time: the second waits for the first."""
    from filelock import FileLock

    with FileLock(_lock(store).with_name("publish.lock"), timeout=600):
        yield


def _pause(store: Store) -> None:
    (store.own_folder / Own.OUTBOX_PAUSE).touch()


def _is_paused(store: Store) -> bool:
    try:
        return 0 <= time.time() - (store.own_folder / Own.OUTBOX_PAUSE).stat().st_mtime < _PAUSE
    except OSError:
        return False


def _notes(store: Store) -> Path:
    return store.own_folder / Own.OUTBOX


def _withdrawals(store: Store) -> Path:
    return store.own_folder / Own.WITHDRAWALS


def _all_notes(store: Store) -> list[Path]:
    return [*_withdrawals(store).glob("*"), *_notes(store).glob("*/*")]


def _lock(store: Store) -> Path:
    make_folder(store.own_folder)
    return store.own_folder / Own.OUTBOX_LOCK


def main() -> None:
    """`python -m ipfs_accelerate_py.publish.outbox STORE`: what `start_process` starts."""
    store = Store(Path(sys.argv[1]))
    log = store.own_folder / Own.OUTBOX_LOG
    big = log.exists() and log.stat().st_size > _LOG_LIMIT
    logging.basicConfig(
        filename=log, filemode="w" if big else "a", level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    work_off(store)
    if _all_notes(store) and not is_at_work(store):
        work_off(store)  # a note that came between our last look and the end of our lock


if __name__ == "__main__":
    main()
