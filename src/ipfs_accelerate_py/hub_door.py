"""The door at which transformers asks for exact file names: what it wants is made present before it looks.

Each function here serves one function of `transformers.utils.hub` or of the client behind it (see `serving.door`).
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import rewriting
from .errors import Unavailable, VerificationError
from .libraries import transformers as library
from .rewriting import Asked
from .serving import (
    callers_kwargs,
    door,
    is_store,
    name_arguments,
    parameters_of,
    plan,
    remember_refusal,
    resolve,
    stand_aside,
)
from .storage import layout
from .storage.filling import fill, mark_missing
from .storage.resolver import Resolution, hub_is_resting
from .storage.store import Store
from .storage.verify import Mismatch, verify_file
from .storage_wrapper import StorageWrapper, get_storage_wrapper

# -- files ----------------------------------------------------------------------------------------------------------


@door
def cached_files(storage: StorageWrapper, asked: Asked, wrapped: Any, named: dict[str, Any]) -> Callable[[], Any]:
    """Make each wanted file present, then let the original find them all in the cache."""
    from .storage.sources.hub import is_offline

    resolution = resolve(storage, asked, named.get("_commit_hash"))
    subfolder = named.get("subfolder") or ""
    paths = [os.path.join(subfolder, name).replace(os.sep, "/") for name in named["filenames"]]
    local_only = asked.local_only or is_offline()
    force = bool(named.get("force_download")) and not local_only
    try:
        present = storage.make_present(resolution, paths, token=asked.token, local_only=local_only, force=force)
    except Unavailable as error:
        return functools.partial(_run_aside, storage, resolution, error, wrapped, named)
    missing = [path for path in paths if path not in present]
    cache_dir = storage.get_cache_dir()
    if not is_store(storage, asked.cache_dir):
        cache_dir = Path(str(asked.cache_dir)).expanduser()
        named_by = rewriting.plain_revision(asked.revision) or layout.DEFAULT_REVISION
        fill(Store(cache_dir), storage.store, resolution, present, named_by)
    if resolution.tree.complete:
        mark_missing(Store(cache_dir), resolution, missing)
    pinned = rewriting.pin(rewriting.plain_revision(asked.revision), resolution.commit, asked.repo_id)
    served = {**named, "cache_dir": str(cache_dir), "revision": pinned, "force_download": False}
    # Everything that the commit has is there: nobody is to be asked for what it has not.
    served["local_files_only"] = True
    if "_commit_hash" in parameters_of(wrapped):  # 4.57; 5 reads the commit from the revision
        if named.get("resume_download") is None or named.get("_commit_hash"):
            served["_commit_hash"] = resolution.commit
        else:  # so that it comes to the client, which warns of that argument
            served["revision"] = resolution.commit
        if missing and resolution.tree.complete and named.get("_raise_exceptions_for_missing_entries", True):
            return lambda: library.say_missing(asked.repo_id, str(pinned), subfolder, missing)
    return lambda: wrapped(**served)


def _run_aside(
    storage: StorageWrapper, resolution: Resolution, error: Unavailable, wrapped: Any, named: dict[str, Any]
) -> Any:
    """No source had the bytes: the original tries, and what it brings of the commit that we know is checked as well."""
    with stand_aside(error):
        files = wrapped(**callers_kwargs(storage, named))
    for file in files or ():
        folder, _, path = Path(file).as_posix().rpartition(f"/snapshots/{resolution.commit}/")
        entry = resolution.tree.files.get(path) if folder else None
        if entry is not None:
            try:
                verify_file(Path(file), entry)
            except Mismatch as mismatch:
                refusal = VerificationError(
                    f"{resolution.repo_id}: {path} was not loaded: commit {resolution.commit} has {mismatch.expected}, "
                    f"and {file} is {mismatch.actual}",
                    "remove that file and load again",
                )
                remember_refusal(refusal)
                raise refusal from None
    return files


# -- words ----------------------------------------------------------------------------------------------------------


@door
def has_file(storage: StorageWrapper, asked: Asked, wrapped: Any, named: dict[str, Any]) -> Callable[[], Any]:
    """Has the commit such a file? Its tree knows."""
    resolution = resolve(storage, asked)
    if not resolution.tree.complete and named["filename"] not in resolution.tree:
        return _from_cache(storage, resolution, wrapped, named)
    return lambda: named["filename"] in resolution.tree


@door
def list_repo_templates(
    storage: StorageWrapper, asked: Asked, wrapped: Any, named: dict[str, Any]
) -> Callable[[], Any]:
    """The chat templates besides the main one."""
    resolution = resolve(storage, asked)
    if not resolution.tree.complete:
        return _from_cache(storage, resolution, wrapped, named)
    folder = "additional_chat_templates/"
    found = [path.removeprefix(folder) for path in resolution.tree.files if path.startswith(folder)]
    return lambda: [path for path in found if path.endswith(".jinja") and "/" not in path]


def _from_cache(
    storage: StorageWrapper, resolution: Resolution, wrapped: Any, named: dict[str, Any]
) -> Callable[[], Any]:
    """Let the original look in the store alone: the tree is not known well enough to answer for it."""
    pinned = rewriting.pin(None, resolution.commit, resolution.repo_id)
    local = {"cache_dir": str(storage.get_cache_dir()), "revision": pinned, "local_files_only": True}
    return lambda: wrapped(**{**named, **local})


@door
def resolve_revision(storage: StorageWrapper, asked: Asked, wrapped: Any, named: dict[str, Any]) -> Callable[[], Any]:
    """transformers 5 asks this once per load; the answer is a str equal to what was asked."""
    resolution = resolve(storage, asked)
    return lambda: rewriting.pin(rewriting.plain_revision(asked.revision), resolution.commit, asked.repo_id)


@door
def list_repo_files(storage: StorageWrapper, asked: Asked, wrapped: Any, named: dict[str, Any]) -> Callable[[], Any]:
    """The names of all files of a commit."""
    resolution = resolve(storage, asked)
    return lambda: list(resolution.tree.files)


@door
def list_repo_tree(storage: StorageWrapper, asked: Asked, wrapped: Any, named: dict[str, Any]) -> Callable[[], Any]:
    """The files below a folder of the repo, as huggingface_hub's own objects."""
    from huggingface_hub.hf_api import RepoFile

    if named.get("expand"):
        return lambda: wrapped(**named)
    resolution = resolve(storage, asked)
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
    resolution = resolve(storage, asked)
    info = resolution.tree.info
    if "tags" not in info and not hub_is_resting():
        return lambda: wrapped(**named)
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
