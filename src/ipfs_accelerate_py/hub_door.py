"""The door at which transformers asks for exact file names: what it wants is made present before it looks.

Each function here serves one function of `transformers.utils.hub` or of the client behind it (see `serving.door`).
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import aside, rewriting
from .aside import check_brought, say_revision, stand_aside
from .errors import Unavailable, VerificationError
from .libraries import transformers as library
from .rewriting import Asked
from .serving import (
    callers_kwargs,
    door,
    is_store,
    name_arguments,
    note_learnt,
    parameters_of,
    plan,
    remember_refusal,
    resolve,
)
from .storage import layout
from .storage.filling import fill, mark_missing
from .storage.resolution import HUB
from .storage.resolver import Resolution, hub_is_resting
from .storage.store import Store
from .storage_wrapper import StorageWrapper, get_storage_wrapper

_MAIN_TEMPLATE = "chat_template.jinja"
_ANY_NAME = "?"  # no file's: is the whole listing known?

# -- files ----------------------------------------------------------------------------------------------------------


def cached_files(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Make each wanted file present, then let the original find them all in the cache.

    Where the whole load runs without us, what it brings is looked at all the same.
    """
    if aside.current() is None:
        return _cached_files(wrapped, instance, args, kwargs)
    return check_brought(wrapped(*args, **kwargs))


@door
def _cached_files(storage: StorageWrapper, asked: Asked, wrapped: Any, named: dict[str, Any]) -> Callable[[], Any]:
    from .storage.sources.hub import is_offline

    resolution = resolve(storage, asked, named.get("_commit_hash"))
    subfolder = named.get("subfolder") or ""
    paths = [os.path.join(subfolder, name).replace(os.sep, "/") for name in named["filenames"]]
    local_only = asked.local_only or is_offline()
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
    if not is_store(storage, asked.cache_dir):
        cache_dir = Path(str(asked.cache_dir)).expanduser()
        named_by = rewriting.plain_revision(asked.revision) or layout.DEFAULT_REVISION
        fill(Store(cache_dir), storage.store, resolution, present, named_by)
    mark_missing(Store(cache_dir), resolution, missing)
    pinned = rewriting.pin(rewriting.plain_revision(asked.revision), resolution.commit, asked.repo_id)
    served = {**named, "cache_dir": str(cache_dir), "revision": pinned, "force_download": False}
    # Everything that the commit has is there: nobody is to be asked for what it has not.
    served["local_files_only"] = True
    if "_commit_hash" in parameters_of(wrapped):  # 4.57; 5 reads the commit from the revision
        served["_commit_hash"] = resolution.commit
        absent = [path for path in paths if path in missing]
        if absent and named.get("_raise_exceptions_for_missing_entries", True):
            return lambda: library.say_missing(asked.repo_id, str(pinned), subfolder, absent)
    return lambda: wrapped(**served)


def _run_aside(
    storage: StorageWrapper, resolution: Resolution, error: Unavailable | None, wrapped: Any, named: dict[str, Any]
) -> Any:
    """Nobody could say, or nobody had the bytes: the original tries, and what it brings is checked as far as it can be.

    Where this machine settled the commit, and no Hub, the original is held to it: a load is of one commit.
    """
    kept = callers_kwargs(storage, named)
    revision, confirmed = rewriting.plain_revision(named.get("revision")), resolution.word == HUB
    if error is None:
        kept["revision"] = rewriting.pin_original(revision, resolution.commit, resolution.repo_id, confirmed=confirmed)
    settled_by_us = not (confirmed and rewriting.has_pins())  # then plain's errors do not name the commit
    paths = [os.path.join(named.get("subfolder") or "", name).replace(os.sep, "/") for name in named["filenames"]]
    if hub_is_resting() and storage.is_seen(resolution, paths, kept.get("cache_dir")):
        kept["local_files_only"] = True  # what the original would say in the end, when the Hub is as it was

    def run(**more: Any) -> Any:
        with stand_aside(error), say_revision(revision, resolution.commit if settled_by_us else None):
            return wrapped(**{**kept, **more})

    again = None if kept.get("local_files_only") else functools.partial(run, force_download=True)
    return check_brought(run(), again, storage, resolution)


def hf_hub_download(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What the original asks for right after us: where the client has just failed, it fails alike, and at once."""
    why = aside.current()
    if why is not None and why.hub_error is not None:
        raise why.hub_error
    return wrapped(*args, **kwargs)


snapshot_download = hf_hub_download


# -- words ----------------------------------------------------------------------------------------------------------


@door
def has_file(storage: StorageWrapper, asked: Asked, wrapped: Any, named: dict[str, Any]) -> Callable[[], Any]:
    """Has the commit such a file? Its tree knows, or the mark of what the Hub did not have."""
    from .storage.sources.hub import is_offline

    local_only = asked.local_only or is_offline()
    path = named["filename"]
    resolution, _, unknown = storage.look_up(resolve(storage, asked), [path], token=asked.token, local_only=local_only)
    if unknown:
        return _ask_original(storage, resolution, local_only, wrapped, named)
    return lambda: path in resolution.tree


@door
def list_repo_templates(
    storage: StorageWrapper, asked: Asked, wrapped: Any, named: dict[str, Any]
) -> Callable[[], Any]:
    """The chat templates besides the main one."""
    resolution = _with_listing(storage, asked, named)
    if not resolution.tree.complete and not _was_asked_before(storage, resolution):
        return _ask_original(storage, resolution, bool(named.get("local_files_only")), wrapped, named)
    folder = "additional_chat_templates/"
    found = [path.removeprefix(folder) for path in resolution.tree.files if path.startswith(folder)]
    return lambda: [path for path in found if path.endswith(".jinja") and "/" not in path]


def _with_listing(storage: StorageWrapper, asked: Asked, named: dict[str, Any]) -> Resolution:
    """The resolution of a call that asks for names: with the whole listing, where that is to be had."""
    from .storage.sources.hub import is_offline

    local_only = asked.local_only or is_offline()
    resolution = resolve(storage, asked)
    if not resolution.tree.complete:
        resolution, _, _ = storage.look_up(resolution, [_ANY_NAME], token=asked.token, local_only=local_only)
        note_learnt(resolution)
    return resolution


def _was_asked_before(storage: StorageWrapper, resolution: Resolution) -> bool:
    """Has a tokenizer of this commit been loaded on this machine, while the Hub is unwell now?

    A tokenizer asks for the names of its templates first, and then for the main one: where it is known whether the
    commit has that, the others are here already. A Hub that is unwell would not say more.
    """
    _, _, unknown = storage.look_up(resolution, [_MAIN_TEMPLATE], token=None, local_only=True)
    return hub_is_resting() and not unknown


def _ask_original(
    storage: StorageWrapper, resolution: Resolution, local_only: bool, wrapped: Any, named: dict[str, Any]
) -> Callable[[], Any]:
    """Let the original ask: nobody here knows it. With local files alone, ours count as well."""
    if not local_only:
        kept = callers_kwargs(storage, named)
        return lambda: _aside(wrapped, kept)
    pinned = rewriting.pin(None, resolution.commit, resolution.repo_id)
    local = {"cache_dir": str(storage.get_cache_dir()), "revision": pinned, "local_files_only": True}
    return lambda: wrapped(**{**named, **local})


def _aside(wrapped: Any, kwargs: dict[str, Any]) -> Any:
    with stand_aside():
        return wrapped(**kwargs)


def resolve_revision(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """transformers 5 asks this once per load; the answer is a str equal to what was asked."""
    why = aside.current()
    if why is not None and why.waited:  # the same question, to a Hub that has just been waited for
        return wrapped(*args, **{**kwargs, "local_files_only": True})
    return _resolve_revision(wrapped, instance, args, kwargs)


@door
def _resolve_revision(storage: StorageWrapper, asked: Asked, wrapped: Any, named: dict[str, Any]) -> Callable[[], Any]:
    resolution = resolve(storage, asked)
    return lambda: rewriting.pin(rewriting.plain_revision(asked.revision), resolution.commit, asked.repo_id)


@door
def list_repo_files(storage: StorageWrapper, asked: Asked, wrapped: Any, named: dict[str, Any]) -> Callable[[], Any]:
    """The names of all files of a commit."""
    resolution = _with_listing(storage, asked, named)
    if not resolution.tree.complete and not _was_asked_before(storage, resolution):
        return lambda: _aside(wrapped, named)
    return lambda: list(resolution.tree.files)


@door
def list_repo_tree(storage: StorageWrapper, asked: Asked, wrapped: Any, named: dict[str, Any]) -> Callable[[], Any]:
    """The files below a folder of the repo, as huggingface_hub's own objects."""
    from huggingface_hub.hf_api import RepoFile

    if named.get("expand"):
        return lambda: wrapped(**named)
    resolution = _with_listing(storage, asked, named)
    if not resolution.tree.complete and not _was_asked_before(storage, resolution):
        return lambda: _aside(wrapped, named)
    folder = (named.get("path_in_repo") or "").strip("/")
    prefix = f"{folder}/" if folder else ""
    rows = []
    for path, entry in resolution.tree.files.items():
        if path.startswith(prefix) and (named.get("recursive") or "/" not in path[len(prefix) :]):
            lfs = {"oid": entry.sha256, "size": entry.size, "pointerSize": 0} if entry.sha256 else None
            rows.append(RepoFile(path=path, size=entry.size, oid=entry.blob_id or "", lfs=lfs))
    return lambda: iter(rows)


@door
def model_info(storage: StorageWrapper, asked: Asked, wrapped: Any, named: dict[str, Any]) -> Callable[[], Any]:
    """The few words about a repo that loading needs: commit, tags, task, library."""
    from huggingface_hub.hf_api import ModelInfo

    if set(named) - {"repo_id", "revision", "token", "timeout"}:
        return lambda: wrapped(**named)
    resolution = _with_listing(storage, asked, named)
    info = resolution.tree.info
    unknown = "tags" not in info or not resolution.tree.complete
    if unknown and not _was_asked_before(storage, resolution):
        return lambda: _aside(wrapped, named)
    siblings = [{"rfilename": path} for path in resolution.tree.files]
    known = {"tags": [], **info}
    return lambda: ModelInfo(
        id=asked.repo_id, sha=resolution.commit, private=False, downloads=0, likes=0, siblings=siblings, **known
    )


def patch_mistral_regex(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """4.57 asks the Hub for the tags of a repo here, and fails if it is silent; the tree's copy of them is enough.

    Returns the tokenizer as it is unless it descends from Mistral's, as the original does.
    """
    named = name_arguments(wrapped, args, kwargs)
    if not named.get("_is_local") and (asked := plan((named.get("pretrained_model_name_or_path"),), named)):
        try:
            tags = resolve(get_storage_wrapper(), asked, named.get("_commit_hash")).tree.info.get("tags")
        except Exception:
            tags = None
        if tags is not None and not any(tag.startswith("base_model:") and "mistralai" in tag for tag in tags):
            return named["tokenizer"]
    return wrapped(*args, **kwargs)


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
