"""Where commands take an invitation from, and where they put it: not on a command line or in a log."""

from __future__ import annotations

import os
import sys

_LIMIT = 1 << 16  # characters


def take_invitation(value: str) -> str:
    """The invitation that an argument means: `-` is the standard input, `@FILE` a file, all else is it itself."""
    if value == "-":
        return sys.stdin.read(_LIMIT) if sys.stdin is not None else ""
    if not value.startswith("@"):
        return value
    from ..errors import FleetError

    try:
        with open(value[1:], encoding="utf-8", errors="replace") as file:
            return file.read(_LIMIT)
    except OSError as error:
        raise FleetError(
            f"{value[1:]} cannot be read: {error.strerror}", "@FILE names a file with an invitation"
        ) from error


def write_invitation(name: str, text: str) -> str:
    """Write an invitation to a file that its owner alone can read; returns the file's path. FleetError."""
    from pathlib import Path

    from ..errors import FleetError
    from ..files import replace_file

    path = Path(name).absolute()
    if path.exists() and not path.is_file():
        raise FleetError(f"{path} is no file", "--write names the file that is to hold the invitation")
    try:
        if path.is_file():
            os.chmod(path, 0o600)  # a file that exists would keep its mode
        replace_file(path, f"{text}\n".encode(), 0o600)
    except OSError as error:
        raise FleetError(
            f"{path} cannot be written: {error.strerror}",
            "the fleet stands: 'fleet invite --write FILE' writes another",
        ) from error
    return str(path)
