"""What the Hub says in the header of one file: the commit of a branch, and the file's hash.

https://huggingface.co/docs/huggingface_hub/package_reference/file_download#huggingface_hub.get_hf_file_metadata
"""

from __future__ import annotations

from typing import Any

from ..repo import Repo
from ..store import layout
from . import limits
from .client import etag_timeout


def ask_file_commit(repo_id: str, revision: str, path: str, token: str | bool | None, timeout: float) -> str | None:
    """The commit that the header of one file of a branch names; None if none does. Asked once, without retries."""
    for headers in _ask(repo_id, revision, path, token, timeout):
        if layout.is_commit(commit := headers.get("X-Repo-Commit")):
            return str(commit)
    return None


def vouches_for(repo_id: str, commit: str, path: str, etag: str) -> bool:
    """Return whether the Hub itself, not a mirror in between, reports this etag of a file (`X-Linked-Etag`)."""
    found = _ask(repo_id, commit, path, None, etag_timeout())
    return any(headers.get("X-Linked-Etag", "").strip('"') == etag for headers in found)


def _ask(repo_id: str, revision: str, path: str, token: str | bool | None, timeout: float) -> list[Any]:
    """The headers of the answers for one file; one client follows redirects by itself, and the other does not."""
    from huggingface_hub import get_session, hf_hub_url
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    repo = Repo.parse(repo_id)
    url = hf_hub_url(repo.id, path, repo_type=repo.repo_type, revision=revision)
    limits.watch()
    try:
        answer = get_session().head(url, headers=build_hf_headers(token=token), timeout=timeout)
    except Exception:  # see client.ask_commit: no header names it
        return []
    return [each.headers for each in (*answer.history, answer) if each.status_code < 400]
