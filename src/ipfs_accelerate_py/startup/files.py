"""The startup files of an environment: written by `hook enable`, removed by `hook disable`."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import IPFSAccelerateError
from ..files import replace_file
from .code import GUARD, MARKS, contents
from .environment import DEADLINE, Place, find_place
from .search import begins_as_ours, do_start, find_files


@dataclass(frozen=True)
class StartupFiles:
    """Paths of the startup files that new interpreters of an environment find, and whether they start the hook."""

    enabled: bool
    files: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {"enabled": self.enabled, "files": list(self.files)}


@dataclass(frozen=True)
class Enabled:
    """The startup files of an environment, and those of them that `enable` has written: again, it writes none."""

    files: tuple[Path, ...]
    written: tuple[Path, ...]

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {"enabled": True, "files": list(map(str, self.files)), "written": list(map(str, self.written))}


@dataclass(frozen=True)
class Disabled:
    """The startup files that `disable` has removed, and `foreign` files of these names, which it has left."""

    removed: tuple[Path, ...]
    foreign: tuple[Path, ...]

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {"enabled": False, "removed": list(map(str, self.removed)), "foreign": list(map(str, self.foreign))}


def find_startup_files() -> StartupFiles:
    """The startup files of this environment."""
    files = find_files()
    return StartupFiles(do_start(files), tuple(files))


def enable(venv: str | None = None, force: bool = False, user: bool = False) -> Enabled:
    """Write the startup files into this environment, the one in folder `venv`, or the user's site-packages."""
    place = find_place(venv, user)
    folder = place.folder
    if not place.is_environment and not user and not force:
        raise IPFSAccelerateError(
            f"{sys.prefix} is not a virtual environment",
            "run this with the environment's python, name its folder with --venv, give --user for your own "
            "programs only, or --force to change this Python for everyone who uses it",
        )
    if place.missing and not force:
        raise IPFSAccelerateError(
            f"{venv} has no {' and no '.join(place.missing)}, so the hook could not start there",
            f"{shlex.quote(place.python)} -m pip install ipfs_accelerate_py, or add --force to enable it beforehand",
        )
    files = contents(folder, place.version, place.package)
    for name in MARKS:
        if os.path.lexists(folder / name) and not _is_ours(folder / name):
            raise IPFSAccelerateError(
                f"{folder / name} is there already and is not ours", "move that file away and try again"
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)  # the user's own is made when it is first needed
    except OSError as error:
        raise _not_writable(folder, error) from None
    written = tuple(folder / name for name, text in files.items() if _write(folder / name, text))
    if GUARD not in files and _is_ours(folder / GUARD):
        (folder / GUARD).unlink()
    _compile_boot(place)
    return Enabled(tuple(folder / name for name in files), written)


def disable(venv: str | None = None, user: bool = False) -> Disabled:
    """Remove our startup files."""
    folder = find_place(venv, user, read=False).folder
    there = [folder / name for name in MARKS if os.path.lexists(folder / name)]
    ours = tuple(path for path in there if _is_ours(path))
    for path in ours:
        try:
            path.unlink()
        except OSError as error:
            raise _not_writable(path, error) from None
    return Disabled(ours, tuple(path for path in there if path not in ours))


def _is_ours(path: Path) -> bool:
    try:
        return begins_as_ours(path)
    except OSError as error:
        raise IPFSAccelerateError(
            f"{path} cannot be read: {error.strerror}", "do this as the owner of that file, or make it readable"
        ) from None


def _compile_boot(place: Place) -> None:
    """Leave bytecode behind, since compiling takes longer than all the rest of a start.

    An editable install has none, and PYTHONDONTWRITEBYTECODE keeps it from ever getting any.
    """
    import subprocess

    boot = "_ipfs_accelerate_boot.py"
    path = place.folder / boot if (place.folder / boot).exists() else place.package / boot
    with suppress(OSError, subprocess.TimeoutExpired):  # failing costs time only
        command = [place.python, "-I", "-m", "py_compile", str(path)]
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE)


def _write(path: Path, text: str) -> bool:
    """Write and rename, so that an interpreter which starts meanwhile sees the whole file or none.

    False: there was nothing to do, which works also where nothing could be done.
    """
    try:
        if path.exists() and path.read_text(encoding="utf-8", errors="replace") == text:
            return False
        replace_file(path, text.encode())
    except OSError as error:
        raise _not_writable(path, error) from None
    return True


def _not_writable(path: Path, error: OSError) -> IPFSAccelerateError:
    return IPFSAccelerateError(
        f"{path} cannot be changed: {error.strerror}",
        "do this as the owner of the environment, or leave it as it is and start single programs with "
        "`python -m ipfs_accelerate_py.hook run`",
    )
