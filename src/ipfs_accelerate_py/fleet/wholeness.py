"""A folder that is there whole or not at all, also where the disk is full or may not be written."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..errors import FleetError, StoreError

MAKE_ROOM = "free some space or make the folder writable, or name another store in IPFS_ACCELERATE_HOME"


@contextlib.contextmanager
def whole_or_not(unfinished: Path) -> Iterator[None]:
    """Make a folder inside, under this name. What fails leaves neither it nor the folders above that were made for it.

    StoreError for an OSError, and for a FleetError that has no hint: a program that could not write there.
    """
    missing = [folder for folder in unfinished.parents if not os.path.lexists(folder)]
    try:
        yield
    except BaseException as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        for folder in missing:
            with contextlib.suppress(OSError):  # something else was put there meanwhile
                folder.rmdir()
        if isinstance(error, StoreError) or not isinstance(error, OSError | FleetError):
            raise
        if isinstance(error, FleetError) and error.hint is not None:
            raise
        why = error.strerror if isinstance(error, OSError) else None
        raise StoreError(f"nothing can be made in {unfinished.parent}: {why or error}", MAKE_ROOM) from error


@contextlib.contextmanager
def say_where(path: Path) -> Iterator[None]:
    """StoreError in place of an OSError for what is written inside."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}", MAKE_ROOM) from error
