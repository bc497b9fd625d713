"""What the Hub says in the header of one file: the commit of a branch, and the file's hash.

https://huggingface.co/docs/huggingface_hub/package_reference/file_download#huggingface_hub.get_hf_file_metadata
"""

from __future__ import annotations

from .. import layout
from .hub import patience


def asks_files_first() -> bool:
    """Does plain transformers learn the commit of a branch from the files themselves, and not from the API (4.57)?"""
    import huggingface_hub

    return not hasattr(huggingface_hub, "ResolvedRevision")


def ask_file_commit(repo_id: str, revision: str, path: str, token: str | bool | None, timeout: float) -> str | None:
    """The commit that the header of one file of a branch names; None if nobody says so."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    try:
        url = hf_hub_url(repo_id, path, revision=revision)
        commit = get_hf_file_metadata(url, token=token, timeout=timeout).commit_hash
    except Exception:  # see ask_commit
        return None
    return commit if layout.is_commit(commit) else None


def vouches_for(repo_id: str, commit: str, path: str, etag: str) -> bool:
    """Does the Hub itself, and no mirror's server on its way, say that a file has this etag (`X-Linked-Etag`)?"""
    from huggingface_hub import get_session, hf_hub_url
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    url = hf_hub_url(repo_id, path, revision=commit)
    try:
        answer = get_session().head(url, headers=build_hf_headers(), timeout=patience())
    except Exception:  # nobody says so
        return False
    # one client follows redirects by itself, and the other does not
    return any(each.headers.get("X-Linked-Etag", "").strip('"') == etag for each in (*answer.history, answer))
