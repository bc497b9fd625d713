"""What a repo is: `model_info`, `dataset_info` and `space_info`, and through them `repo_info` and its like."""

from __future__ import annotations

from typing import Any

from . import freshness
from .objects import make_info
from .requests import Call


def _serve(call: Call) -> Any:
    named = freshness.fill_timeout(call)
    files_metadata = bool(call.named.get("files_metadata"))
    answer = freshness.ask(
        call,
        freshness.known_here(call),
        lambda: call.wrapped(**named),
        lambda known: make_info(known, files_metadata=files_metadata),
    )
    call.storage.note_commit(call.asked.repo_id, call.asked.revision, answer.sha, token=call.asked.token)
    return answer


model_info = freshness.door(_serve, "model")
dataset_info = freshness.door(_serve, "dataset")
space_info = freshness.door(_serve, "space")
