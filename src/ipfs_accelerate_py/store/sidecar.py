"""The scratch folders in which huggingface_hub's client puts the bytes of files that we take over from it."""

from __future__ import annotations

from pathlib import Path

from . import layout


def blobs_folder(scratch: Path, repo_id: str) -> Path:
    """Where the client puts the bytes of a repo's files, and what has come of those that are under way.

    Every repo has a cache of its own: in one cache huggingface_hub 2.x lets all repos share a file that lies in xet,
    and taking it over for one repo would take it from the others.
    """
    folder = layout.repo_folder(repo_id)
    return scratch / folder / folder / "blobs"
