"""The door at which transformers asks for exact file names: what it wants is made present before it looks.

Each function here serves one function of `transformers.utils.hub` or of the client behind it (see `calls.door`).
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ... import state
from ...errors import Unavailable, VerificationError
from ...hf_cache.export import fill, mark_missing
from ...hf_cache.share import share
from ...hf_cache.unlisted import find_place
from ...hub.breaker import is_hub_breaker_open, is_no_hub
from ...hub.client import endpoint
from ...log import warn_once
from ...patching import arguments, fallback
from ...patching.arguments import LoadRequest
from ...patching.calls import (
    callers_kwargs,
    door,
    is_local_only,
    is_store,
    name_arguments,
    note_learnt,
    parameters_of,
    plan,
    remember_refusal,
    resolve,
    revision_of,
)
from ...patching.fallback import check_brought, say_revision, stand_aside
from ...storage_wrapper import StorageWrapper, get_storage_wrapper
from ...store import layout
from ...store.resolution import Authority, Resolution
from ...store.store import Store
from . import wording


def cached_files(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Make each wanted file present, then let the original find them all in the cache.

    Where the whole load runs without us, what it brings is looked at all the same.
    """
    if fallback.current() is None:
        return _cached_files(wrapped, instance, args, kwargs)
    return check_brought(wrapped(*args, **kwargs))


@door
def _cached_files(
    storage: StorageWrapper, asked: LoadRequest, wrapped: Any, named: dict[str, Any]
) -> Callable[[], Any]:
    resolution = resolve(storage, asked, named.get("_commit_hash"))
    paths = _paths_in_repo(named)
    local_only = is_local_only(asked)
    resolution, missing, unknown = storage.look_up(resolution, paths, token=asked.token, local_only=local_only)
    note_learnt(resolution)
    if unknown and (not local_only or storage.is_seen(resolution, unknown, asked.cache_dir)):
        return functools.partial(_run_aside, storage, resolution, None, wrapped, named)
    force = bool(named.get("force_download")) and not local_only
    try:
        present = storage.make_present(resolution, paths, token=asked.token, local_only=local_only, force=force)
    except Unavailable as error:
        return functools.partial(_run_aside, storage, resolution, error, wrapped, named)
    cache_dir = storage.get_cache_dir()
    named_by = revision_of(asked, named.get("_commit_hash"))
    if is_store(storage, asked.cache_dir):
        if storage.settings.share == "on":
            cache, deadline = wording.cache_folder(), storage.settings.timeout
            share(storage.store, cache, resolution, present, missing, named_by, replace=force, deadline=deadline)
    else:
        cache_dir = Path(str(asked.cache_dir)).expanduser()
        fill(Store(cache_dir), storage.store, resolution, present, named_by)
    if missing:
        mark_missing(Store(cache_dir), resolution, missing)
    pinned = arguments.pin(arguments.plain_revision(asked.revision), resolution.commit, asked.repo_id)
    served = {**named, "cache_dir": str(cache_dir), "revision": pinned, "force_download": False}
    # Everything that the commit has is there: no source is asked for what it has not.
    served["local_files_only"] = True
    if "_commit_hash" in parameters_of(wrapped):  # 4.57; 5 reads the commit from the revision
        if named.get("resume_download") is None or named.get("_commit_hash"):
            served["_commit_hash"] = resolution.commit
        else:  # so that it comes to the client, which warns of that argument
            served["revision"] = resolution.commit
        absent = [path for path in paths if path in missing]
        if absent and named.get("_raise_exceptions_for_missing_entries", True):
            subfolder = named.get("subfolder") or ""
            return lambda: wording.say_missing(asked.repo_id, str(pinned), subfolder, absent)
    return lambda: _find_all(wrapped, served)


def _find_all(wrapped: Any, served: dict[str, Any]) -> Any:
    """The original, which finds what it asks for: the doors of the client behind it have nothing to add."""
    with state.calling_originals():
        return wrapped(**served)


def _paths_in_repo(named: dict[str, Any]) -> list[str]:
    """The names that are asked for, as the repo has them."""
    return [os.path.join(named.get("subfolder") or "", name).replace(os.sep, "/") for name in named["filenames"]]


def _run_aside(
    storage: StorageWrapper, resolution: Resolution, error: Unavailable | None, wrapped: Any, named: dict[str, Any]
) -> Any:
    """No authority knows, or no source has the bytes: the original tries, and what it brings is checked if it can be.

    Where this machine settled the commit, and no Hub, the original is held to it: a load is of one commit.
    """
    kept = callers_kwargs(storage, named)
    revision, confirmed = arguments.plain_revision(named.get("revision")), resolution.authority is Authority.HUB
    if error is None:
        kept["revision"] = arguments.pin_original(revision, resolution.commit, resolution.repo_id, confirmed=confirmed)
    settled_by_us = not (confirmed and arguments.has_pins())  # then plain's errors do not name the commit
    paths = _paths_in_repo(named)
    if is_hub_breaker_open() and storage.is_seen(resolution, paths, kept.get("cache_dir")):
        kept["local_files_only"] = True  # what the original would say in the end, when the Hub is as it was

    def run(**more: Any) -> Any:
        with stand_aside(error), say_revision(revision, resolution.commit if settled_by_us else None):
            return wrapped(**{**kept, **more})

    again = None if kept.get("local_files_only") else functools.partial(run, force_download=True)
    files = check_brought(run(), again, storage, resolution)
    if error is not None and (error.no_hub or is_no_hub()):
        _miss_none(resolution, paths, files)
    return files


def _miss_none(resolution: Resolution, paths: list[str], files: list[str] | None) -> None:
    """A commit's own file that a stranger in the Hub's place did not give is not missing, whatever may be passed over.

    Plain fails there when it asks for names, which we know already.
    """
    brought = {place.path for file in files or () if (place := find_place(Path(file))) is not None}
    if lost := [path for path in paths if path in resolution.tree and path not in brought]:
        warn_once(
            f"{resolution.repo_id} has {', '.join(lost)}, and what answers at {endpoint()} is no Hugging Face Hub; "
            "sign in to the network if it wants that, or check HF_ENDPOINT"
        )
        wording.say_no_connection(endpoint())


def hf_hub_download(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What the original asks for right after us: where the client has just failed, it fails alike, and at once."""
    why = fallback.current()
    if why is not None and why.hub_error is not None:
        raise why.hub_error
    return wrapped(*args, **kwargs)


snapshot_download = hf_hub_download


def load_adapter(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """4.57 lets peft download the weights of an adapter: here it finds the adapter's verified files in a folder."""
    named = name_arguments(wrapped, args, kwargs)
    options = {**(named.get("adapter_kwargs") or {}), **{k: named[k] for k in ("revision", "token") if named.get(k)}}
    asked = plan((named.get("peft_model_id"),), options)
    if asked is None:
        return wrapped(*args, **kwargs)
    try:
        storage = get_storage_wrapper()
        resolution = resolve(storage, asked)
        files = [f"adapter_{name}" for name in ("config.json", "model.safetensors", "model.bin")]
        storage.make_present(resolution, files, token=asked.token, local_only=asked.local_only)
        folder = storage.store.path(layout.snapshot_path(asked.repo_id, resolution.commit))
    except VerificationError as error:
        remember_refusal(error)
        raise
    except Exception as error:
        with stand_aside(error):
            return wrapped(*args, **kwargs)
    return wrapped(**{**named, "peft_model_id": str(folder)})
