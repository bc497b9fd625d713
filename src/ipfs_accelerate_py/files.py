"""Folders, made by the user's umask and never writable by everybody, files that are replaced in one step,
and sizes for people.
"""

from __future__ import annotations

import contextlib
import os
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


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next((each for each in (path, *path.parents) if each.exists()), Path(os.sep))


def replace_file(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Replace a file in one step. A file that exists keeps its mode; a new file has `mode` less the umask.

    Raises OSError, and leaves nothing behind.
    """
    temporary = path.with_name(f".ipfs_accelerate-{os.getpid()}-{os.urandom(6).hex()}.tmp")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            with contextlib.suppress(FileNotFoundError):
                os.chmod(temporary, path.stat().st_mode & 0o777)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def remove_empty_folders(folder: Path, keep: bool = False) -> None:
    """Remove a folder with those in it, as far as they hold no file; `keep`: not the first one itself."""
    for root, _, _ in os.walk(folder, topdown=False):
        if not (keep and Path(root) == folder):
            with contextlib.suppress(OSError):
                os.rmdir(root)


def say_size(size: int, unit: str | None = None) -> str:
    """Bytes as people write them: 4.1 MB. `unit`: B, kB, MB, GB or TB, whatever the size."""
    number = float(size)
    for each in ("B", "kB", "MB", "GB"):
        if each == unit or (unit is None and number < 1000):
            return f"{size} B" if each == "B" else f"{number:.1f} {each}"
        number /= 1000
    return f"{number:.1f} TB"
