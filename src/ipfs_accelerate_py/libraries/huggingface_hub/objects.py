"""The client's own objects, made of what the tree of a commit knows: rows of a listing, and what a repo is."""

from __future__ import annotations

from typing import Any

from ...repo import Repo
from ...store.resolution import Resolution
from ...store.tree import Entry

_CLASSES = {"model": "ModelInfo", "dataset": "DatasetInfo", "space": "SpaceInfo"}


def make_row(path: str, entry: Entry | None) -> Any:
    """The `RepoFile` of a file, or without an entry the `RepoFolder` of a folder, whose git id is not known here."""
    from huggingface_hub.hf_api import RepoFile, RepoFolder

    if entry is None:
        return RepoFolder(path=path, oid="")
    return RepoFile(path=path, size=entry.size, oid=entry.blob_id or "", lfs=_describe_lfs(entry))


def make_info(known: Resolution, *, files_metadata: bool = False) -> Any:
    """The `ModelInfo`, or its like: the commit, its files, and the few words that are kept with them."""
    from huggingface_hub import hf_api

    repo = Repo.parse(known.repo_id)
    siblings: list[dict[str, Any]] = [{"rfilename": path} for path in known.tree.files]
    if files_metadata:
        siblings = [
            {"rfilename": path, "size": entry.size, "blobId": entry.blob_id, "lfs": _describe_lfs(entry)}
            for path, entry in known.tree.files.items()
        ]
    words: dict[str, Any] = {"tags": [], **known.tree.info}
    if known.public:  # of others it is not known which of the two they are not
        words |= {"private": False} if repo.kind == "space" else {"private": False, "gated": False}
    kind = getattr(hf_api, _CLASSES[repo.kind])
    return kind(id=repo.id, sha=known.commit, siblings=siblings, **words)


def _describe_lfs(entry: Entry) -> dict[str, Any] | None:
    """What the Hub says of a file that git holds a pointer of."""
    if not entry.sha256:
        return None
    return {"oid": entry.sha256, "sha256": entry.sha256, "size": entry.size, "pointerSize": 0}
