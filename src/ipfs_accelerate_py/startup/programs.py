"""The program that `hook run` is given: where it lies, and which Python its first line gives it to."""

from __future__ import annotations

import os
import sys

_LONGEST = 4096  # bytes of a first line that a system may follow
_PATIENCE = 10.0  # seconds that another Python gets to answer; then nothing is said of it
_OPTIONS = "-BEIOPSbdqsuvx"  # of a first line that are asked with; what another does, it should do once only
_QUESTION = """\
import sys
del sys.path[0]
from importlib.util import find_spec
sys.exit(0 if "_ipfs_accelerate_boot" in sys.modules and find_spec("ipfs_accelerate_py") and find_spec("wrapt") else 1)
"""


def search(name: str) -> tuple[str | None, str]:
    """The program's path as a shell finds it, or None and what a shell would say."""
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
    words = _first_line(path)
    if not words or not os.path.basename(words[0]).startswith(("python", "pypy")):
        return None
    python, _ = search(words[0])
    if python is None or _is_this(python) or any(set(word) - set(_OPTIONS) for word in words[1:]):
        return None
    import subprocess

    quiet = subprocess.DEVNULL
    try:
        done = subprocess.run(
            [python, *words[1:], "-c", _QUESTION], stdin=quiet, stdout=quiet, stderr=quiet, timeout=_PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired):
        return None  # whatever is wrong with it, the program's start will show
    return python if done.returncode == 1 else None


def _first_line(path: str) -> list[str]:
    """The interpreter in a file's "#!" line with its options; nothing if there is none, or one that cannot be told."""
    try:
        with open(path, "rb") as file:
            if file.read(2) != b"#!":
                return []
            line = os.fsdecode(file.readline(_LONGEST))
    except OSError:
        return []
    words = line.split()
    if words and os.path.basename(words[0]) == "env":
        del words[: 2 if words[1:2] == ["-S"] else 1]
    return words


def _is_this(python: str) -> bool:
    """Is it this interpreter, in this environment? An environment is told by the folder in which its Python lies."""
    try:
        return os.path.samefile(python, sys.executable) and os.path.samefile(
            os.path.dirname(python), os.path.dirname(sys.executable)
        )
    except OSError:
        return False
