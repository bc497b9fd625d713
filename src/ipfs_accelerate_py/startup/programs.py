"""The program that `hook run` is given: where it lies, and which Python it is, or its first line names."""

from __future__ import annotations

import os
import sys

from . import python_args

_LONGEST = 4096  # bytes of a first line that a system may follow
_DEADLINE = 10.0  # seconds for another Python to answer; later it is not reported
_OPTIONS = "-BEIOPSbdqsuvx"  # of a first line that are asked with; what another does, it should do once only
_DECIDING = frozenset("EIPSs")  # options of a command line by which a Python may miss the hook: it is asked with these
_STARTS_NOTHING = frozenset("Vh?")
_NAMES = ("python", "pypy")
_QUESTION = """\
import sys
del sys.path[0]
from importlib.util import find_spec
sys.exit(0 if "_ipfs_accelerate_boot" in sys.modules and find_spec("ipfs_accelerate_py") and find_spec("wrapt") else 1)
"""


def search(name: str) -> tuple[str | None, str]:
    """The program's path as a shell finds it, or None and a shell's message."""
    if os.sep in name:
        candidates = [name]
        missing = "No such file or directory"
    else:
        candidates = [os.path.join(folder or os.curdir, name) for folder in os.get_exec_path()]
        missing = "command not found"
    for path in candidates:
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path, ""
    if any(os.path.isfile(path) for path in candidates):
        return None, "Permission denied"
    return None, missing


def find_unhooked_python(command: list[str]) -> str | None:
    """The Python that a program is, or its first line names, if it is another and the hook will be off in it; as text.

    Only another Python is asked, for which it is started once; the environment must be as the program will have it.
    """
    command = _without_env(command)
    path = search(command[0])[0] if command else None
    if path is None:
        return None
    if _is_python(os.path.basename(path)):
        line = python_args.read(command[1:])
        if line.letters & _STARTS_NOTHING or any(option.startswith(("--version", "--help")) for option in line.options):
            return None
        return _ask(path, [f"-{letter}" for letter in sorted(line.letters & _DECIDING)])
    named = _without_env(_first_line(path))
    if not named or not os.path.basename(named[0]).startswith(_NAMES):
        return None
    if any(set(option) - set(_OPTIONS) for option in named[1:]):
        return None
    python = _ask(named[0], named[1:])
    return None if python is None else f"{python}, which runs {command[0]}"


def _ask(name: str, options: list[str]) -> str | None:
    """The path of a Python that is another than this one, and answers that the hook will be off in it."""
    python, _ = search(name)
    if python is None or _is_this(python):
        return None
    import subprocess

    quiet = subprocess.DEVNULL
    try:
        done = subprocess.run(
            [python, *options, "-c", _QUESTION], stdin=quiet, stdout=quiet, stderr=quiet, timeout=_DEADLINE
        )
    except (OSError, subprocess.TimeoutExpired):
        return None  # whatever is wrong with it, the program's start will show
    return python if done.returncode == 1 else None


def _first_line(path: str) -> list[str]:
    """The interpreter in a file's "#!" line with its options; empty if there is none, or it cannot be read."""
    try:
        with open(path, "rb") as file:
            if file.read(2) != b"#!":
                return []
            line = os.fsdecode(file.readline(_LONGEST))
    except OSError:
        return []
    return line.split()


def _without_env(command: list[str]) -> list[str]:
    """A command without an `env` before it. What gives `env` anything but -S to do names no program then."""
    if command and os.path.basename(command[0]) == "env":
        return command[2 if command[1:2] == ["-S"] else 1 :]
    return command


def _is_python(name: str) -> bool:
    """Return whether a program has a Python's name, such as `python3.13t`, and is no `python-config`."""
    stem = name.removesuffix(".exe")
    rest = next((stem[len(begin) :] for begin in _NAMES if stem.startswith(begin)), "-").lstrip("0123456789.")
    return not rest or (len(rest) == 1 and rest.isalpha())


def _is_this(python: str) -> bool:
    """Return whether it is this interpreter, in this environment, which is the folder in which its Python lies."""
    try:
        return os.path.samefile(python, sys.executable) and os.path.samefile(
            os.path.dirname(python), os.path.dirname(sys.executable)
        )
    except OSError:
        return False
