"""What a repo is: `model_info`, `dataset_info` and `space_info`, and through them `repo_info` and its like."""

from __future__ import annotations

from typing import Any

from ...store.resolution import Resolution
from . import freshness
from .listings import describe_lfs
from .requests import Call

_CLASSES = {"model": "ModelInfo", "dataset": "DatasetInfo", "space": "SpaceInfo"}


def _serve(kind: str, wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    call = freshness.read(wrapped, instance, args, kwargs, kind)
    if call is None:
        return wrapped(*args, **kwargs)
    named = freshness.fill_timeout(call)
    answer = freshness.ask(call, lambda: wrapped(**named), lambda known: _describe(call, known))
    call.storage.note_commit(call.asked.repo_id, call.asked.revision, answer.sha, token=call.asked.token)
    return answer


def model_info(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Serves `HfApi.model_info`."""
    return _serve("model", wrapped, instance, args, kwargs)


def dataset_info(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Serves `HfApi.dataset_info`."""
    return _serve("dataset", wrapped, instance, args, kwargs)


def space_info(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Serves `HfApi.space_info`."""
    return _serve("space", wrapped, instance, args, kwargs)


def _describe(call: Call, known: Resolution) -> Any:
    """The client's own object of what is known here: the commit, its files, and the few words kept with them."""
    from huggingface_hub import hf_api

    siblings: list[dict[str, Any]] = [{"rfilename": path} for path in known.tree.files]
    if call.named.get("files_metadata"):
        siblings = [
            {"rfilename": path, "size": entry.size, "blobId": entry.blob_id, "lfs": describe_lfs(entry)}
            for path, entry in known.tree.files.items()
        ]
    words = {"tags": [], **known.tree.info}
    numbers = {"downloads": 0, "likes": 0}
    kind = getattr(hf_api, _CLASSES[call.repo.kind])
    return kind(id=call.repo.id, sha=known.commit, private=False, siblings=siblings, **numbers, **words)
