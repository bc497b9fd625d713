"""What only looks into the cache: what is here and verified is shown there first, then the original looks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...patching.calls import is_store
from ...store import layout
from . import presence
from .requests import Call, path_in_repo
from .serving import door, resolve


@door
def try_to_load_from_cache(call: Call) -> Callable[[], Any] | None:
    """Serves `huggingface_hub.try_to_load_from_cache`."""
    path = path_in_repo(call.named)
    if path is None:
        return None
    call = call.here
    resolution = resolve(call)
    entry = resolution.tree.files.get(path)
    found = entry and call.storage.store.find(resolution.repo_id, resolution.commit, path, entry)
    if not found:
        return (lambda: None) if entry and presence.is_wrong(call, resolution, path) else None
    cache_dir = presence.place(call, resolution, {path: found}, ())
    if is_store(call.storage, cache_dir):  # the cache cannot show it
        return lambda: call.wrapped(**{**call.named, "cache_dir": cache_dir, "revision": resolution.commit})
    return None


@door
def get_cached_repo_tree(call: Call) -> Callable[[], Any] | None:
    """Serves `huggingface_hub.get_cached_repo_tree`: a listing that is kept in the store counts as cached."""
    if call.local_dir is not None:
        return None
    resolution = resolve(call.here)
    repo = call.cache / layout.repo_folder(resolution.repo_id)
    if repo.is_dir() and presence.keep_listing(repo, resolution):
        return lambda: call.wrapped(**{**call.named, "revision": resolution.commit})
    return None
