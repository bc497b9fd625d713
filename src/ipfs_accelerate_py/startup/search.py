"""Which startup files new interpreters of this environment find, and whether they execute them."""

from __future__ import annotations

import os
import sys

from .code import MARKS, PTH, START

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing and pathlib would cost `hook run` time
    from pathlib import Path


def is_ours(path: str | Path) -> bool:
    """Return whether a file begins as any version of ours does; one that cannot be read does not start us either."""
    try:
        return begins_as_ours(path)
    except OSError:
        return False


def begins_as_ours(path: str | Path) -> bool:
    """Return whether a file begins as any version of ours does; OSError if it is there and cannot be read."""
    if not os.path.isfile(path):
        return False
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().startswith(MARKS[os.path.basename(path)])


def find_files(user_site: bool = True) -> list[str]:
    """Our startup files in the folders that new interpreters of this environment read.

    Without `user_site`, those that `python -s` of this environment would read.
    """
    import site

    folders = site.getsitepackages()
    if site.ENABLE_USER_SITE and user_site:
        folders.append(site.getusersitepackages())
    # in this order and without duplicates: two of the folders may be the same
    paths = [os.path.join(folder, name) for folder in dict.fromkeys(map(os.path.realpath, folders)) for name in MARKS]
    return [path for path in paths if is_ours(path)]


def do_start(files: list[str]) -> bool:
    """Return whether a Python of this version executes one of these startup files."""
    executed = {PTH, START} if sys.version_info >= (3, 15) else {PTH}
    return any(os.path.basename(path) in executed for path in files)
