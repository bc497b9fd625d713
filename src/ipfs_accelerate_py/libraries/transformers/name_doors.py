"""The door at which transformers asks for names: which files there are, which commit a revision is, what a repo is.

What the tree of the commit can answer is answered from it; what is not known here the original asks itself.
Each function here serves one function of `transformers.utils.hub` or of the client behind it (see `calls.door`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...hub.breaker import is_hub_breaker_open
from ...patching import arguments, calls, fallback
from ...patching.arguments import LoadRequest
from ...patching.calls import callers_kwargs, door, is_local_only, name_arguments, note_learnt, plan, resolve
from ...patching.fallback import stand_aside
from ...storage_wrapper import StorageWrapper, get_storage_wrapper
from ...store.resolution import Resolution
from ..huggingface_hub.objects import make_info, make_row

_MAIN_TEMPLATE = "chat_template.jinja"
_TEMPLATES = "additional_chat_templates/"
_ANY_NAME = "?"  # no file's: asks whether the whole listing is known


@door
def has_file(storage: StorageWrapper, asked: LoadRequest, wrapped: Any, named: dict[str, Any]) -> Callable[[], Any]:
    """Serves `has_file`: by the tree of the commit, or by the mark of what the Hub did not have."""
    path, local_only = named["filename"], is_local_only(asked)
    resolution, _, unknown = storage.look_up(resolve(storage, asked), [path], token=asked.token, local_only=local_only)
    if not unknown:
        return lambda: path in resolution.tree
    if local_only:
        return lambda: path in storage.names_seen(resolution)
    kept = callers_kwargs(storage, named)
    return lambda: _aside(wrapped, kept)


@door
def list_repo_templates(
    storage: StorageWrapper, asked: LoadRequest, wrapped: Any, named: dict[str, Any]
) -> Callable[[], Any]:
    """The chat templates besides the main one."""
    resolution = _with_listing(storage, asked)
    names = set(resolution.tree.files)
    if not resolution.tree.complete:
        if not is_local_only(asked) and not _was_asked_before(storage, resolution):
            kept = callers_kwargs(storage, named)
            return lambda: _aside(wrapped, kept)
        names |= storage.names_seen(resolution)
    found = [name.removeprefix(_TEMPLATES) for name in sorted(names) if name.startswith(_TEMPLATES)]
    return lambda: [name for name in found if name.endswith(".jinja") and "/" not in name]


def _with_listing(storage: StorageWrapper, asked: LoadRequest) -> Resolution:
    """The resolution of a call that asks for names: with the whole listing, where that is to be had."""
    resolution = resolve(storage, asked)
    if not resolution.tree.complete:
        local_only = is_local_only(asked)
        resolution, _, _ = storage.look_up(resolution, [_ANY_NAME], token=asked.token, local_only=local_only)
        note_learnt(resolution)
    return resolution


def _was_asked_before(storage: StorageWrapper, resolution: Resolution) -> bool:
    """Return whether the Hub fails or is silent, and a tokenizer of this commit was loaded on this machine before.

    A tokenizer asks for the names of its templates first, and then for the main one: where it is known whether the
    commit has that, the others are here already. Such a Hub would not tell more.
    """
    _, _, unknown = storage.look_up(resolution, [_MAIN_TEMPLATE], token=None, local_only=True)
    return is_hub_breaker_open() and not unknown


@door
def try_to_load_from_cache(
    storage: StorageWrapper, asked: LoadRequest, wrapped: Any, named: dict[str, Any]
) -> Callable[[], Any]:
    """Asked for code before it is loaded: what was not there is new, and warned of. Plain would look into its cache."""
    resolution, path = resolve(storage, asked), named["filename"]
    if path in resolution.tree and storage.is_seen(resolution, [path], None):
        storage.make_present(resolution, [path], token=asked.token, local_only=True)
    # by the commit: the store learns what a branch points to from the Hub, and plain's cache knew it
    return lambda: wrapped(**{**named, "revision": resolution.commit})


def _aside(wrapped: Any, kwargs: dict[str, Any]) -> Any:
    with stand_aside():
        return wrapped(**kwargs)


def resolve_revision(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """transformers 5 asks this once per load; the answer is a str equal to what was asked."""
    why = fallback.current()
    if why is not None and why.waited:  # the same question, to a Hub that has just been waited for
        return wrapped(*args, **{**kwargs, "local_files_only": True})
    if 1 <= len(args) <= 2 and kwargs.get("repo_type") in (None, "model"):  # as each class asks for what it is given
        settled = calls.settled_revision(args[0], args[1] if len(args) == 2 else kwargs.get("revision"))
        if settled is not None:
            return settled
    return _resolve_revision(wrapped, instance, args, kwargs)


@door
def _resolve_revision(
    storage: StorageWrapper, asked: LoadRequest, wrapped: Any, named: dict[str, Any]
) -> Callable[[], Any]:
    resolution = resolve(storage, asked)
    calls.say_unreachable(resolution, asked)
    return lambda: arguments.pin(arguments.plain_revision(asked.revision), resolution.commit, asked.repo_id)


@door
def list_repo_files(
    storage: StorageWrapper, asked: LoadRequest, wrapped: Any, named: dict[str, Any]
) -> Callable[[], Any]:
    """The names of all files of a commit."""
    resolution = _with_listing(storage, asked)
    if not resolution.tree.complete and not _was_asked_before(storage, resolution):
        return lambda: _aside(wrapped, named)
    return lambda: list(resolution.tree.files)


@door
def list_repo_tree(
    storage: StorageWrapper, asked: LoadRequest, wrapped: Any, named: dict[str, Any]
) -> Callable[[], Any]:
    """The files below a folder of the repo, as huggingface_hub's own objects."""
    if named.get("expand"):
        return lambda: wrapped(**named)
    resolution = _with_listing(storage, asked)
    if not resolution.tree.complete and not _was_asked_before(storage, resolution):
        return lambda: _aside(wrapped, named)
    folder = (named.get("path_in_repo") or "").strip("/")
    prefix = f"{folder}/" if folder else ""
    rows = []
    for path, entry in resolution.tree.files.items():
        if path.startswith(prefix) and (named.get("recursive") or "/" not in path[len(prefix) :]):
            rows.append(make_row(path, entry))
    return lambda: iter(rows)


@door
def model_info(storage: StorageWrapper, asked: LoadRequest, wrapped: Any, named: dict[str, Any]) -> Callable[[], Any]:
    """The few words about a repo that loading needs: commit, tags, task, library."""
    if set(named) - {"repo_id", "revision", "token", "timeout"}:
        return lambda: wrapped(**named)
    resolution = _with_listing(storage, asked)
    unknown = "tags" not in resolution.tree.info or not resolution.tree.complete
    if unknown and not _was_asked_before(storage, resolution):
        return lambda: _aside(wrapped, named)
    return lambda: make_info(resolution)


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
