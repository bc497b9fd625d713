"""The client's own error for a file that a commit does not have, made as from the Hub's own answer.

https://huggingface.co/docs/huggingface_hub/package_reference/utilities#huggingface_hub.errors.EntryNotFoundError
"""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from .requests import Call


def say_missing(call: Call, commit: str) -> NoReturn:
    """Raise what the client raises when the Hub answers that there is no such entry; its lines differ in the class."""
    from huggingface_hub import hf_hub_url

    named = call.named
    url = hf_hub_url(
        named["repo_id"],
        named["filename"],
        subfolder=named.get("subfolder"),
        repo_type=call.repo.repo_type,
        revision=named.get("revision"),
        endpoint=named.get("endpoint"),
    )
    raise_for("HEAD", url, commit)


def raise_for(method: str, url: str, commit: str) -> NoReturn:
    """Let the client read an answer 404 that says that a path is not in a commit."""
    from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

    headers = {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found", "X-Repo-Commit": commit}
    hf_raise_for_status(_answer(method, url, headers))
    raise FileNotFoundError(url)  # a client that does not raise for 404 would be none


def _answer(method: str, url: str, headers: dict[str, str]) -> Any:
    """An answer of the client's own HTTP library: requests in 0.x, httpx in 1.x, httpx2 since."""
    from huggingface_hub import errors

    library: Any = sys.modules[errors.Response.__module__.partition(".")[0]]  # type: ignore[attr-defined]
    if hasattr(library, "Client"):
        return library.Response(404, headers=headers, request=library.Request(method, url))
    answer = library.Response()
    answer.request = library.Request(method, url).prepare()
    answer.status_code, answer.url, answer.reason = 404, answer.request.url, "Not Found"
    answer.headers.update(headers)
    return answer
