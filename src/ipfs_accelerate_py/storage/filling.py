"""Fill a cache folder of the caller's own with files of our store, as huggingface_hub would have filled it."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import IPFSAccelerateError
from ..log import get_logger
from . import layout
from .resolver import Resolution
from .store import Store


def fill(target: Store, store: Store, resolution: Resolution, paths: Iterable[str], revision: str) -> None:
    """Let files that are present in `store` be present in `target` too: by link or copy, verified, with the ref."""
    repo_id, commit = resolution.repo_id, resolution.commit
    target.verified = store.verified  # what was read is remembered in our own store alone
    for path in paths:
        entry = resolution.tree.files[path]
        if target.find_blob(repo_id, entry) is None:
            with target.receive(repo_id, entry) as receiver:
                blob = store.path(layout.blob_path(repo_id, entry.etag))
                receiver.adopt(blob, known=store.verified.is_known(entry.etag, blob.stat()))
                receiver.finish(target.path(layout.blob_path(repo_id, entry.etag)))
                store.verified.remember(entry.etag, blob.stat())
        if target.find(repo_id, commit, path, entry) is None:
            target.link(repo_id, commit, path, entry)
    if not layout.is_commit(revision):
        target.write_ref(repo_id, revision, commit)


def mark_missing(store: Store, resolution: Resolution, paths: Iterable[str]) -> None:
    """Write down, where that is possible, which files the commit does not have."""
    for path in paths:
        try:
            store.mark_missing(resolution.repo_id, resolution.commit, path)
        except (OSError, IPFSAccelerateError) as error:  # a store that is read-only, a name that no repo can have
            get_logger().debug("not marked as missing: %s", error)
