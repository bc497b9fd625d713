"""The startup files of an environment: written by `hook enable`, removed by `hook disable`.

`ipfs_accelerate.pth` holds one import line, which `site` executes in every interpreter of the environment.
Python 3.15 and later execute `ipfs_accelerate.start` instead: an entry point per line, `#` lines ignored
(PEP 829). An entry point that cannot be imported makes a traceback there, so it names a guard beside it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..errors import IPFSAccelerateError

PTH = "ipfs_accelerate.pth"
START = "ipfs_accelerate.start"
GUARD = "_ipfs_accelerate_start.py"
# Every version of ours starts like this, so that each knows the files of the others.
_MARKS = {
    PTH: 'import sys; "ipfs_accelerate startup line"; ',
    START: "# ipfs_accelerate startup entry point\n",
    GUARD: '"""ipfs_accelerate startup guard."""\n',
}
_PLAIN = "import _ipfs_accelerate_boot"
# An editable install adds its folder in a .pth of its own, which may come after ours. It is on sys.path for
# this one import only.
_WITH_FOLDER = """\
try:
    import _ipfs_accelerate_boot
except ImportError:
    sys.path.append({folder})
    try:
        import _ipfs_accelerate_boot
    finally:
        sys.path.pop()"""


def _code(site: Path) -> str:
    """What runs at start: silent whatever has become of the package in the meantime."""
    folder = Path(__file__).resolve().parents[2]
    inner = _PLAIN if folder == site.resolve() else _WITH_FOLDER.format(folder=ascii(str(folder)))
    indented = "".join(f"    {line}\n" for line in inner.splitlines())
    return f"try:\n{indented}except Exception:\n    pass\n"


def contents(site: Path, version: tuple[int, int]) -> dict[str, str]:
    """File name -> text for the site-packages folder of a Python of that version."""
    execute = f'exec({_code(site)!r}, {{"sys": sys}})'
    files = {
        PTH: f"{_MARKS[PTH]}{execute}\n",
        START: f"{_MARKS[START]}_ipfs_accelerate_boot:install\n",
    }
    if version >= (3, 15):
        files[START] = f"{_MARKS[START]}{GUARD.removesuffix('.py')}:install\n"
        files[GUARD] = f"{_MARKS[GUARD]}import sys\n\n\ndef install():\n    {execute}\n"
    return files


def _is_ours(path: Path) -> bool:
    try:
        return path.read_text(encoding="utf-8", errors="replace").startswith(_MARKS[path.name])
    except OSError:
        return False


def find_startup_files() -> dict[str, object]:
    """`{"enabled", "files"}`: do new interpreters of this environment start the hook, and by which files?"""
    import site

    folders = [*site.getsitepackages(), _purelib()]
    if site.ENABLE_USER_SITE:
        folders.append(site.getusersitepackages())
    # in this order and once each: two of the folders may be one
    paths = [Path(folder, name) for folder in dict.fromkeys(map(os.path.realpath, folders)) for name in _MARKS]
    files = [path for path in paths if _is_ours(path)]
    read = {PTH, START} if sys.version_info >= (3, 15) else {PTH}
    return {"enabled": any(path.name in read for path in files), "files": [str(path) for path in files]}


def enable(venv: str | None = None, force: bool = False) -> list[Path]:
    """Write the startup files into this environment, or the one in folder `venv`; returns them."""
    site, version, is_venv = _environment(venv)
    if not is_venv and not force:
        raise IPFSAccelerateError(
            f"{sys.prefix} is not a virtual environment",
            "run this with the environment's python, name its folder with --venv, or give --force to change "
            "this Python for everyone who uses it",
        )
    files = contents(site, version)
    for name in _MARKS:
        if os.path.lexists(site / name) and not _is_ours(site / name):
            raise IPFSAccelerateError(
                f"{site / name} is there already and is not ours", "move that file away and try again"
            )
    for name, text in files.items():
        _write(site / name, text)
    _compile_boot(site, venv)
    return [site / name for name in files]


def disable(venv: str | None = None) -> tuple[list[Path], list[Path]]:
    """Remove our startup files; returns the removed ones, and files of these names that are not ours."""
    site, _, _ = _environment(venv)
    removed, foreign = [], []
    for name in _MARKS:
        path = site / name
        if _is_ours(path):
            try:
                path.unlink()
            except OSError as error:
                raise _not_writable(path, error) from None
            removed.append(path)
        elif os.path.lexists(path):
            foreign.append(path)
    return removed, foreign


def _compile_boot(site: Path, venv: str | None) -> None:
    """Leave bytecode behind, since compiling takes longer than all the rest of a start.

    An editable install has none, and PYTHONDONTWRITEBYTECODE keeps it from ever getting any.
    """
    import subprocess

    boot = "_ipfs_accelerate_boot.py"
    path = site / boot if (site / boot).exists() else Path(__file__).resolve().parents[2] / boot
    python = sys.executable if venv is None else Path(venv, "bin", "python")
    subprocess.run([python, "-I", "-m", "py_compile", path], capture_output=True)  # failing costs time only


def _write(path: Path, text: str) -> None:
    """Write and rename, so that an interpreter which starts meanwhile sees the whole file or none."""
    import tempfile

    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=".ipfs_accelerate-", suffix=".tmp", dir=path.parent)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)  # mkstemp makes files that only their owner can read
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
        raise _not_writable(path, error) from None


def _not_writable(path: Path, error: OSError) -> IPFSAccelerateError:
    return IPFSAccelerateError(
        f"{path} cannot be changed: {error.strerror}",
        "do this as the owner of the environment, or leave it as it is and start single programs with "
        "`python -m ipfs_accelerate_py.hook run`",
    )


def _purelib() -> str:
    import sysconfig

    return sysconfig.get_path("purelib")


def _environment(venv: str | None) -> tuple[Path, tuple[int, int], bool]:
    """site-packages, Python version, and whether it is a virtual environment."""
    if venv is None:
        return Path(_purelib()), sys.version_info[:2], sys.prefix != sys.base_prefix
    import json
    import subprocess

    python = Path(venv, "bin", "python")
    if not Path(venv, "pyvenv.cfg").is_file() or not python.exists():
        raise IPFSAccelerateError(f"{venv} is not a virtual environment", "make one with `python -m venv`")
    code = "import json, sys, sysconfig as s; print(json.dumps([s.get_path('purelib'), *sys.version_info[:2]]))"
    try:
        # -I: the answer must be the environment's, whatever PYTHONPATH and the current folder say
        answer = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
        purelib, major, minor = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise IPFSAccelerateError(f"the Python of {venv} does not work: {error}") from None
    return Path(purelib), (major, minor), True
