"""The startup files of an environment: written by `hook enable`, removed by `hook disable`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..errors import IPFSAccelerateError
from ..storage.folders import replace_file
from .startup_code import GUARD, MARKS, contents, package_folder
from .startup_search import find_startup_files as find_startup_files
from .startup_search import is_ours


def enable(venv: str | None = None, force: bool = False, user: bool = False) -> list[Path]:
    """Write the startup files into this environment, the one in folder `venv`, or the user's site-packages.

    Returns the written files. Doing it again changes nothing.
    """
    folder, version, is_venv = _environment(venv, user)
    if not is_venv and not user and not force:
        raise IPFSAccelerateError(
            f"{sys.prefix} is not a virtual environment",
            "run this with the environment's python, name its folder with --venv, give --user for your own "
            "programs only, or --force to change this Python for everyone who uses it",
        )
    files = contents(folder, version)
    for name in MARKS:
        if os.path.lexists(folder / name) and not is_ours(folder / name):
            raise IPFSAccelerateError(
                f"{folder / name} is there already and is not ours", "move that file away and try again"
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)  # the user's own is made when it is first needed
    except OSError as error:
        raise _not_writable(folder, error) from None
    for name, text in files.items():
        _write(folder / name, text)
    if GUARD not in files and is_ours(folder / GUARD):
        (folder / GUARD).unlink()
    _compile_boot(folder, venv)
    return [folder / name for name in files]


def disable(venv: str | None = None, user: bool = False) -> tuple[list[Path], list[Path]]:
    """Remove our startup files; returns the removed ones, and files of these names that are not ours."""
    folder, _, _ = _environment(venv, user)
    removed, foreign = [], []
    for name in MARKS:
        path = folder / name
        if is_ours(path):
            try:
                path.unlink()
            except OSError as error:
                raise _not_writable(path, error) from None
            removed.append(path)
        elif os.path.lexists(path):
            foreign.append(path)
    return removed, foreign


def _compile_boot(folder: Path, venv: str | None) -> None:
    """Leave bytecode behind, since compiling takes longer than all the rest of a start.

    An editable install has none, and PYTHONDONTWRITEBYTECODE keeps it from ever getting any.
    """
    import subprocess

    boot = "_ipfs_accelerate_boot.py"
    path = folder / boot if (folder / boot).exists() else package_folder() / boot
    python = sys.executable if venv is None else _python_in(venv)
    subprocess.run([python, "-I", "-m", "py_compile", path], capture_output=True)  # failing costs time only


def _write(path: Path, text: str) -> None:
    """Write and rename, so that an interpreter which starts meanwhile sees the whole file or none."""
    try:
        if path.exists() and path.read_text(encoding="utf-8", errors="replace") == text:
            return  # nothing to do, also where nothing could be done
        replace_file(path, text.encode())
    except OSError as error:
        raise _not_writable(path, error) from None


def _not_writable(path: Path, error: OSError) -> IPFSAccelerateError:
    return IPFSAccelerateError(
        f"{path} cannot be changed: {error.strerror}",
        "do this as the owner of the environment, or leave it as it is and start single programs with "
        "`python -m ipfs_accelerate_py.hook run`",
    )


def _python_in(venv: str) -> Path:
    return Path(venv, "Scripts", "python.exe") if os.name == "nt" else Path(venv, "bin", "python")


def _purelib() -> str:
    import sysconfig

    return sysconfig.get_path("purelib")


def _environment(venv: str | None, user: bool) -> tuple[Path, tuple[int, int], bool]:
    """The folder for the files, the Python version, and whether it is that of a virtual environment."""
    if user:
        return _user_site(venv), sys.version_info[:2], False
    if venv is None:
        # each conda environment but the base is like a virtual one, with a whole Python in it
        conda = os.path.isdir(os.path.join(sys.prefix, "conda-meta"))
        base = os.path.isdir(os.path.join(sys.prefix, "condabin"))
        return Path(_purelib()), sys.version_info[:2], sys.prefix != sys.base_prefix or (conda and not base)
    import json
    import subprocess

    python = _python_in(venv)
    if not python.exists() or not (Path(venv, "pyvenv.cfg").is_file() or Path(venv, "conda-meta").is_dir()):
        raise IPFSAccelerateError(f"{venv} is not a virtual environment", "make one with `python -m venv`")
    code = "import json, sys, sysconfig as s; print(json.dumps([s.get_path('purelib'), *sys.version_info[:2]]))"
    try:
        # -I: the answer must be the environment's, whatever PYTHONPATH and the current folder say
        answer = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
        purelib, major, minor = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise IPFSAccelerateError(f"the Python of {venv} does not work: {error}") from None
    return Path(purelib), (major, minor), True


def _user_site(venv: str | None) -> Path:
    if venv is not None:
        raise IPFSAccelerateError("--user and --venv name two different places", "give one of them")
    import site

    if not site.ENABLE_USER_SITE:
        raise IPFSAccelerateError(
            f"{sys.executable} does not read the user's site-packages",
            "in a virtual environment leave --user out; else look at -s, -I and PYTHONNOUSERSITE",
        )
    return Path(site.getusersitepackages())
