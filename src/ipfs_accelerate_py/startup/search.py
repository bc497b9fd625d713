"""Which startup files are there, and do interpreters of this environment read them?"""

from __future__ import annotations

import os
import sys

from .code import MARKS, PTH, START

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing and pathlib would cost `hook run` time
    from pathlib import Path


def is_ours(path: str | Path) -> bool:
    """Does this file begin as any version of ours does? One that cannot be read does not start us either."""
    try:
        return begins_as_ours(path)
    except OSError:
        return False


def begins_as_ours(path: str | Path) -> bool:
    """The same; OSError if it is there and cannot be read."""
    if not os.path.isfile(path):
        return False
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().startswith(MARKS[os.path.basename(path)])


def find_startup_files(user_site: bool = True) -> dict[str, object]:
    """`{"enabled", "files"}`: do new interpreters of this environment start the hook, and by which files?

    Without `user_site`, what `python -s` of this environment would find.
    """
    import site

    folders = site.getsitepackages()
    if site.ENABLE_USER_SITE and user_site:
        folders.append(site.getusersitepackages())
    # in this order and once each: two of the folders may be one
    paths = [os.path.join(folder, name) for folder in dict.fromkeys(map(os.path.realpath, folders)) for name in MARKS]
    files = [path for path in paths if is_ours(path)]
    read = {PTH, START} if sys.version_info >= (3, 15) else {PTH}
    return {"enabled": any(os.path.basename(path) in read for path in files), "files": files}
