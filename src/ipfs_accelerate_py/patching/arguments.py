"""The rewriting of `from_pretrained` kwargs: pure functions over what the caller gave.

`cache_dir` becomes the store and `revision` the commit, unless the caller's words forbid it. The commit travels as a
`str` that equals what the caller asked for, so that every error text keeps it; `huggingface_hub` 2.x has a type for
that (`ResolvedRevision`), which transformers 5 knows and trusts the cache for. Where none was asked for, none is
put in: 4.57 takes any for the caller's own, and does not warn of code that is not pinned then.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..store import layout

NAME_KEYWORDS = ("pretrained_model_name_or_path", "pretrained_model_name", "path_or_repo_id")


class PinnedRevision(str):
    """A revision as the caller wrote it that knows its commit; for clients without `ResolvedRevision`."""

    initial: str | None
    resolved: str
    repo_id: str

    def __new__(cls, revision: str | None, commit: str, repo_id: str) -> PinnedRevision:
        pinned = super().__new__(cls, revision or layout.DEFAULT_REVISION)
        pinned.initial, pinned.resolved, pinned.repo_id = revision, commit, repo_id
        return pinned

    def __reduce__(self) -> tuple[Any, ...]:
        return PinnedRevision, (self.initial, self.resolved, self.repo_id)


@dataclass(frozen=True)
class LoadRequest:
    """What a caller asked for, as far as it concerns us; `commit` if a caller further out has settled it."""

    repo_id: str
    revision: str | None
    cache_dir: str | None
    token: str | bool | None
    local_only: bool
    commit: str | None = None
    fresh: bool = False  # `force_download`: what is remembered does not count


@functools.lru_cache(maxsize=256)
def pin(revision: str | None, commit: str, repo_id: str) -> str:
    """The revision, equal to what the caller wrote, with its commit in it."""
    try:
        from huggingface_hub import ResolvedRevision
    except ImportError:
        return PinnedRevision(revision, commit, repo_id)
    return ResolvedRevision(resolved=commit, initial=revision, repo_id=repo_id, repo_type="model")


def pin_original(revision: str | None, commit: str, repo_id: str, *, confirmed: bool) -> str | None:
    """The revision for an original that runs without us in a load of this commit; `confirmed`: the Hub names it now.

    A client without `ResolvedRevision` asks for the branch, as plain does, where that means this commit.
    """
    if has_pins():
        return pin(revision, commit, repo_id)
    return revision if confirmed else commit


@functools.cache
def has_pins() -> bool:
    """Return whether the client has revisions that know their commit. Then plain transformers pins each load itself."""
    try:
        from huggingface_hub import ResolvedRevision  # noqa: F401
    except ImportError:
        return False
    return True


def pinned_commit(revision: object, repo_id: str) -> str | None:
    """The commit in a pinned revision, if it was pinned for this repo (an adapter's base model is another one)."""
    commit = getattr(revision, "resolved", None)
    pinned_for = getattr(revision, "repo_id", None) or getattr(revision, "_repo_id", None)
    return commit if layout.is_commit(commit) and pinned_for in (None, repo_id) else None


def plain_revision(revision: object) -> str | None:
    """The revision as the caller wrote it, or None; without what we or the client put in."""
    revision = getattr(revision, "initial", revision)
    if revision is None or type(revision) is str:
        return revision
    return str.__str__(revision) if isinstance(revision, str) else None


def read_call(args: tuple[Any, ...], kwargs: Mapping[str, Any], known: str | None = None) -> LoadRequest | None:
    """What a call asks for, or None if it is no business of ours: a local path, another kind of repo, no name.

    `known`: a name of which that has been looked at already.
    """
    name = args[0] if args else next((kwargs[key] for key in NAME_KEYWORDS if key in kwargs), None)
    if kwargs.get("repo_type") not in (None, "model") or not isinstance(name, str):
        return None
    if name != known and (not layout.is_repo_id(name) or os.path.exists(name)):
        return None
    revision = kwargs.get("revision")
    if revision is not None and not isinstance(revision, str):
        return None
    token = kwargs.get("token")
    if token is None:
        token = kwargs.get("use_auth_token")
    cache_dir = kwargs.get("cache_dir")
    return LoadRequest(
        name,
        revision,
        None if cache_dir is None else os.fspath(cache_dir),
        token,
        bool(kwargs.get("local_files_only")),
        fresh=bool(kwargs.get("force_download")),
    )


def rewrite(kwargs: Mapping[str, Any], asked: LoadRequest, store: Path, commit: str) -> dict[str, Any]:
    """The kwargs that make the original method find everything in the store. The caller's own `cache_dir` stays."""
    rewritten = dict(kwargs)
    if (revision := plain_revision(asked.revision)) is not None:
        rewritten["revision"] = pin(revision, commit, asked.repo_id)
    if asked.cache_dir is None:
        rewritten["cache_dir"] = str(store)
    return rewritten
