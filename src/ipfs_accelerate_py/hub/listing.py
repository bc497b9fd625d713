"""What the Hub says of a repo, as `HfApi.repo_info` asks it, but read no further than a listing can reasonably be.

That function reads an answer whole, whatever its size. HTTP client, headers and errors are huggingface_hub's own.
"""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote

from ..repo import Repo
from ..store.rows import Columns
from ..store.tree import MAX_BYTES
from . import stream

# The client that all of huggingface_hub shares is closed when any thread cannot connect: then ours reads from nothing.
_CLOSED_UNDER_US = ("ReadError", "WriteError")


def ask_info(
    repo: Repo, revision: str | None, token: str | bool | None, timeout: float, only: tuple[str, ...] = ()
) -> Any:
    """The `ModelInfo`, `DatasetInfo` or `SpaceInfo` of a repo at a revision, with its files as `Columns`.

    `only`: of this alone, such as `sha`; a mirror may give more. Raises the client's errors, ValueError.
    """
    from huggingface_hub import constants, hf_api

    url = f"{constants.ENDPOINT}/{repo.api_path}"
    if revision is not None:
        url += f"/revision/{quote(revision, safe='')}"
    params = {"expand": list(only)} if only else {"blobs": "true"}
    try:
        raw = _read(url, params, token, timeout)
    except Exception as error:
        if type(error).__name__ not in _CLOSED_UNDER_US:
            raise
        raw = _read(url, params, token, timeout)
    try:
        data = json.loads(raw)
    except RecursionError:
        raise ValueError("its answer is nested too deeply") from None
    if not isinstance(data, dict):
        raise ValueError("its answer is no table")
    listed = data.pop("siblings", None) or ()
    kinds: dict[str, Any] = {"model": hf_api.ModelInfo, "dataset": hf_api.DatasetInfo, "space": hf_api.SpaceInfo}
    info = kinds[repo.kind](**data)
    info.siblings = Columns(listed)
    return info


def _read(url: str, params: dict[str, Any], token: str | bool | None, timeout: float) -> bytes:
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]

    until = time.monotonic() + 2 * timeout
    raw = bytearray()
    with stream.get(url, build_hf_headers(token=token), timeout, params) as (answer, chunks):
        for chunk in chunks:
            raw += chunk
            if answer.status_code < 400 and bytes(raw[:64].lstrip()[:1]) not in (b"", b"{"):
                raise ValueError("its answer is no table")
            if len(raw) > MAX_BYTES:
                raise ValueError(f"its answer is larger than {MAX_BYTES} bytes")
            if time.monotonic() > until:
                raise TimeoutError("its answer takes too long")
        if answer.status_code >= 400:
            answer._content = bytes(raw)  # what both clients keep a body in: the error's text is in it
            hf_raise_for_status(answer)
    return bytes(raw)
