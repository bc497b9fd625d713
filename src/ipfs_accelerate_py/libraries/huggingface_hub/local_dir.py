"""Files for a `local_dir`: copies, for the user edits them there, with the metadata that the client keeps of them.

Format: https://huggingface.co/docs/huggingface_hub/guides/download#download-files-to-a-local-folder
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...store.fs import reflink
from ...store.resolution import Resolution
from ...store.tree import Entry
from ...store.verify import Mismatch, verify_file
from .requests import Call


def place(call: Call, folder: Path, resolution: Resolution, present: Mapping[str, Path]) -> None:
    """Let a folder have the files of a commit. What is there and right stays as it is. Raises OSError."""
    from huggingface_hub import _local_folder as metadata

    for path, ours in present.items():
        entry = resolution.tree.files[path]
        known: Any = metadata.read_download_metadata(folder, path)
        theirs = metadata.get_local_download_paths(folder, path).file_path
        unchanged = known is not None and known.etag == entry.etag and theirs.is_file()
        if call.asked.fresh or not (unchanged or _is_right(theirs, entry)):
            copy_file(ours, theirs)
        elif unchanged and known.commit_hash == resolution.commit:
            continue
        metadata.write_download_metadata(folder, path, resolution.commit, entry.etag)


def prepare(folder: Path, path: str) -> None:
    """Leave what the client leaves when it looks for a file there before it asks for it."""
    from huggingface_hub import _local_folder as metadata

    metadata.read_download_metadata(folder, path)


def own_folder(folder: Path) -> Path:
    """Where the client keeps what it knows of the files of a `local_dir`."""
    return folder / ".cache" / "huggingface"


def _is_right(theirs: Path, entry: Entry) -> bool:
    try:
        verify_file(theirs, entry)
    except (OSError, Mismatch):
        return False
    return True


def copy_file(ours: Path, theirs: Path) -> None:
    """In one step, and never by a link."""
    theirs.parent.mkdir(parents=True, exist_ok=True)
    temporary = theirs.with_name(f"{theirs.name[:200]}.{os.urandom(4).hex()}.incomplete")
    try:
        with open(ours, "rb") as source, open(temporary, "xb") as target:
            if not reflink(source.fileno(), target.fileno()):
                shutil.copyfileobj(source, target, 1 << 20)
        os.replace(temporary, theirs)
    finally:
        temporary.unlink(missing_ok=True)
