"""The environment that `hook enable` and `hook disable` mean, according to its own Python."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from ..errors import IPFSAccelerateError
from .code import package_folder

DEADLINE = 30.0  # seconds for a Python to start and answer
_NEEDED = ("ipfs_accelerate_py", "wrapt")  # without these nothing is activated
_MARK = "ipfs_accelerate: "
# Asked with -E: the answer must be the environment's, whatever PYTHONPATH and the current folder say. Not with -I: the
# package may be the user's. Paths come as the bytes that they are, since this Python and that one may decode otherwise.
_QUESTION = f"""\
import sys
del sys.path[0]
import importlib.util, json, os, sysconfig
origins = [getattr(importlib.util.find_spec(name), "origin", None) for name in {_NEEDED!r}]
paths = [path and os.fsencode(path).hex() for path in (sysconfig.get_path("purelib"), *origins)]
print("\\n{_MARK}" + json.dumps([paths, sys.version_info[:2]]))
"""


@dataclass(frozen=True)
class Place:
    """Where startup files go. `package`: the folder from which that Python imports us. `missing`: what it lacks."""

    folder: Path
    version: tuple[int, int]
    python: str
    is_environment: bool
    package: Path
    missing: tuple[str, ...] = ()


def find_place(venv: str | None, user: bool, read: bool = True) -> Place:
    """This environment, the one in folder `venv`, or the user's site-packages, which `read` wants to be read here."""
    if venv is not None:
        if user:
            raise IPFSAccelerateError("--user and --venv name two different places", "give one of them")
        return _ask(venv)
    if user:
        folder, is_environment = _user_site(read), False
    else:
        import sysconfig

        # a conda environment other than the base is like a virtual one, with a whole Python in it
        conda = os.path.isdir(os.path.join(sys.prefix, "conda-meta"))
        base = os.path.isdir(os.path.join(sys.prefix, "condabin"))
        is_environment = sys.prefix != sys.base_prefix or (conda and not base)
        folder = Path(sysconfig.get_path("purelib"))
    return Place(folder, sys.version_info[:2], sys.executable, is_environment, package_folder())


def _user_site(read: bool) -> Path:
    import site

    if read and not site.ENABLE_USER_SITE:
        raise IPFSAccelerateError(
            f"{sys.executable} does not read the user's site-packages",
            "in a virtual environment leave --user out; else look at -s, -I and PYTHONNOUSERSITE",
        )
    return Path(site.getusersitepackages())


def _ask(venv: str) -> Place:
    import json
    import subprocess

    if not (Path(venv, "pyvenv.cfg").is_file() or Path(venv, "conda-meta").is_dir()):
        raise IPFSAccelerateError(f"{venv} is not a virtual environment", "make one with `python -m venv`")
    python = os.path.join(venv, "Scripts", "python.exe") if os.name == "nt" else os.path.join(venv, "bin", "python")
    if not os.path.exists(python):
        raise IPFSAccelerateError(
            f"the Python of {venv} is gone: {python}",
            "make the environment anew; what it was made with was removed or moved",
        )
    try:
        command = [python, "-E", "-c", _QUESTION]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE)
    except subprocess.TimeoutExpired:
        raise _broken(venv, python, f"it did not end within {DEADLINE:g} s") from None
    except OSError as error:
        raise _broken(venv, python, str(error.strerror)) from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        raise _broken(venv, python, f"it ended with {done.returncode}: {last or 'it printed nothing'}")
    for line in done.stdout.decode(errors="replace").splitlines():
        if line.startswith(_MARK):
            paths, (major, minor) = json.loads(line.removeprefix(_MARK))
            purelib, *origins = [path and Path(os.fsdecode(bytes.fromhex(path))) for path in paths]
            missing = tuple(name for name, origin in zip(_NEEDED, origins, strict=True) if not origin)
            package = origins[0].resolve().parents[1] if origins[0] else package_folder()
            return Place(purelib, (major, minor), python, True, package, missing)
    raise _broken(venv, python, "it gave no answer")


def _broken(venv: str, python: str, reason: str) -> IPFSAccelerateError:
    import shlex

    hint = f"see what '{shlex.quote(python)} -c pass' prints, or make the environment anew"
    return IPFSAccelerateError(f"the Python of {venv} does not work: {reason}", hint)
