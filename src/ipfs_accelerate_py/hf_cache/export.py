"""Fill a cache folder of the caller's own with files of our store, as huggingface_hub would have filled it."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import IPFSAccelerateError, VerificationError
from ..files import make_folder
from ..log import get_logger
from ..store import layout
from ..store.resolution import Resolution
from ..store.store import Store
from ..store.tree import Entry
from ..store.verify import Mismatch, verify_file
from . import layout as hub_cache
from .refs import is_others_word


def fill(target: Store, store: Store, resolution: Resolution, paths: Iterable[str], revision: str) -> None:
    """Let files that are present in `store` be present in `target` too: by link or copy, verified, with the ref.

    What lies there already is read once, and replaced if it is not the right file; VerificationError if it cannot be.
    """
    repo_id, commit = resolution.repo_id, resolution.commit
    target.stat_cache = store.stat_cache  # what was read is remembered in our own store alone
    target.is_ours = False
    if paths := list(paths):
        make_folder(target.root)
        hub_cache.tag(target.root)
    for path in paths:
        entry = resolution.tree.files[path]
        try:
            _note_ours(store, repo_id, entry)
            if target.find_blob(repo_id, entry) is None:
                _copy_blob(target, store, repo_id, entry)
            if target.find(repo_id, commit, path, entry) is None:
                target.link(repo_id, commit, path, entry)
        except (OSError, IPFSAccelerateError):
            _refuse_damaged(target, resolution, path)
            raise
    if not layout.is_commit(revision) and not is_others_word(target.root, store, repo_id, revision, commit):
        target.write_ref(repo_id, revision, commit)


def _note_ours(store: Store, repo_id: str, entry: Entry) -> None:
    """Once a file of another program is noted for its etag, ours has to be as well, or it would be read again."""
    if not store.stat_cache.is_noted(entry.etag):
        store.stat_cache.remember(entry.etag, store.path(layout.blob_path(repo_id, entry.etag)).stat())


def _copy_blob(target: Store, store: Store, repo_id: str, entry: Entry) -> None:
    ours, theirs = (each.path(layout.blob_path(repo_id, entry.etag)) for each in (store, target))
    with target.receive(repo_id, entry) as writer:
        writer.adopt(ours, known=store.stat_cache.is_known(entry.etag, ours.stat()))
        with target.writing():
            writer.finish(theirs)
    for blob in (ours, theirs):  # one file with two names, or two with the same bytes
        store.stat_cache.remember(entry.etag, blob.stat())


def _refuse_damaged(target: Store, resolution: Resolution, path: str) -> None:
    """Raise VerificationError if what the original would load from a folder that we cannot mend is not the file."""
    visible = target.path(layout.snapshot_path(resolution.repo_id, resolution.commit, path))
    try:
        verify_file(visible, resolution.tree.files[path])
    except Mismatch as mismatch:
        raise VerificationError(
            f"{resolution.repo_id}: {path} was not loaded: commit {resolution.commit} has {mismatch.expected}, "
            f"and {visible} is {mismatch.actual}",
            "remove that file and load again",
        ) from None
    except OSError:  # there is none
        pass


def mark_missing(store: Store, resolution: Resolution, paths: Iterable[str]) -> None:
    """Write down, where that is possible, which files the commit does not have."""
    for path in paths:
        try:
            store.mark_missing(resolution.repo_id, resolution.commit, path)
        except (OSError, IPFSAccelerateError) as error:  # a store that is read-only, a name that no repo can have
            get_logger().debug("not marked as missing: %s", error)
