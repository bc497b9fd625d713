"""Folders of the store: by the user's umask, and never writable by everybody."""

from __future__ import annotations

from pathlib import Path

_MODE = 0o775  # before the umask


def make_folder(path: Path) -> None:
    """Make a folder with its parents, unless it is there. Raises OSError."""
    if path.is_dir():
        return
    if path.parent != path:
        make_folder(path.parent)
    try:
        path.mkdir(_MODE)
    except FileExistsError:  # another process was quicker, or a file is there
        if not path.is_dir():
            raise
