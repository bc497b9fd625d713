"""What a repo is: `model_info`, `dataset_info` and `space_info`, and through them `repo_info` and its like.

Many libraries ask this first and for files next. So where nothing is known of a model yet, its listing is asked for in
the same question, by the client's own `files_metadata`, and the answer is given as plain's. Datasets, which may have
tens of thousands of files, are asked about as the caller does.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from ...errors import IPFSAccelerateError
from ...hub.client import read_listing
from ...hub.unwell import status_of
from ...resolve import changes
from . import freshness
from .objects import make_info
from .requests import Call

_WORDS = "files_metadata"
_LONGER = re.compile(r"\?blobs=[Tt]rue")  # what the clients make of it
_FOR_THE_CALLER = (401, 403, 404, 429)  # any other refusal may be of the longer question: a mirror does not take it


def _serve(call: Call) -> Any:
    named, known = freshness.fill_timeout(call), freshness.known_here(call)
    whole = bool(call.named.get(_WORDS))
    if known is None and call.repo.kind == "model":
        return _learn(call, named, whole)
    answer = freshness.ask(
        call, known, lambda: call.wrapped(**named), lambda known: make_info(known, files_metadata=whole)
    )
    call.storage.note_commit(call.asked.repo_id, call.asked.revision, answer.sha, token=call.asked.token)
    return answer


def _learn(call: Call, named: dict[str, Any], whole: bool) -> Any:
    """The Hub's answer, whose listing is kept; `whole`: the caller wants that, too."""
    asked_at = changes.serial(call.asked.repo_id)
    try:
        answer = call.wrapped(**{**named, _WORDS: True})
    except Exception as error:
        status = status_of(error)
        if whole:
            raise
        if status is None or not 400 <= status < 500 or status in _FOR_THE_CALLER:
            _say_the_callers_question(error)
            raise
        return call.wrapped(**named)
    with suppress(IPFSAccelerateError, ValueError):
        listing = read_listing(call.repo, answer)
        asked = call.asked
        call.storage.note_listing(asked.repo_id, asked.revision, listing, asked_at, token=asked.token)
    for file in () if whole else answer.siblings or ():
        file.size = file.blob_id = file.lfs = None
    return answer


def _say_the_callers_question(error: BaseException) -> None:
    """An error names the address that was asked: as the caller has asked it."""
    for each in error.args:
        if isinstance(each, BaseException):
            _say_the_callers_question(each)
    error.args = tuple(_LONGER.sub("", each) if isinstance(each, str) else each for each in error.args)


model_info = freshness.door(_serve, "model")
dataset_info = freshness.door(_serve, "dataset")
space_info = freshness.door(_serve, "space")
