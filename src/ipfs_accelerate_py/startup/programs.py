"""The program that `hook run` is given: where it lies, and which Python its first line names."""

from __future__ import annotations

import os
import sys

_LONGEST = 4096  # bytes of a first line that a system may follow
_DEADLINE = 10.0  # seconds for another Python to answer; later it is not reported
_OPTIONS = "-BEIOPSbdqsuvx"  # of a first line that are asked with; what another does, it should do once only
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


def find_unhooked_python(path: str) -> str | None:
    """The Python that a program's first line names, if that is another than this one and the hook will be off in it.

    Only another one is asked, for which it is started once; the environment must be as the program will have it.
    """
    command = _first_line(path)
    if not command or not os.path.basename(command[0]).startswith(("python", "pypy")):
        return None
    python, _ = search(command[0])
    if python is None or _is_this(python) or any(set(option) - set(_OPTIONS) for option in command[1:]):
        return None
    import subprocess

    quiet = subprocess.DEVNULL
    try:
        done = subprocess.run(
            [python, *command[1:], "-c", _QUESTION], stdin=quiet, stdout=quiet, stderr=quiet, timeout=_DEADLINE
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
    command = line.split()
    if command and os.path.basename(command[0]) == "env":
        del command[: 2 if command[1:2] == ["-S"] else 1]
    return command


def _is_this(python: str) -> bool:
    """Return whether it is this interpreter, in this environment, which is the folder in which its Python lies."""
    try:
        return os.path.samefile(python, sys.executable) and os.path.samefile(
            os.path.dirname(python), os.path.dirname(sys.executable)
        )
    except OSError:
        return False
