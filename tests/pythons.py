"""Tests with each Python from 3.10 on that this machine has: `python -m tests.pythons [--ends] [pytest's arguments]`.

Python is looked for on PATH and in pyenv's folder of versions. Each gets an environment of its own, `.venv-3.x`, with
the versions of tests/constraints.txt. `--ends`: only the oldest and the newest beside the Python that runs this, and of
the process tests those that ask how a Python starts.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV = Path(sys.executable).parent / "uv"
OLDEST = (3, 10)
PATHS = ("tests/unit", "tests/process")
STARTS = ("test_run.py", "test_run_active.py", "test_run_programs.py", "test_run_sitecustomize.py", "test_start*.py")
_ASK = "import platform, sys; print(platform.python_implementation(), *sys.version_info[:4], sys.executable)"


def find() -> dict[tuple[int, int], str]:
    """The Pythons here, oldest first, one for each minor version: the newest final release that answers."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    programs = [path for folder in os.get_exec_path() for path in Path(folder).glob("python3*")]
    programs += pyenv.glob("versions/3.*/bin/python")
    found: dict[tuple[int, int], tuple[int, str]] = {}
    for program in programs:
        if re.fullmatch(r"python(3|3\.\d+)?", program.name) and (answer := _ask(program)):
            minor, patch, executable = answer
            if minor >= OLDEST and patch > found.get(minor, (-1, ""))[0]:
                found[minor] = patch, executable
    return {minor: executable for minor, (_, executable) in sorted(found.items())}


def _ask(program: Path) -> tuple[tuple[int, int], int, str] | None:
    """A program's minor version, patch release, and own path; None where it is no final CPython or does not start."""
    words = [str(program), "-I", "-c", _ASK]
    try:
        said = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout
        implementation, major, minor, patch, level, executable = said.strip().split(" ", 5)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None  # a shim of pyenv without a version behind it, for example
    if (implementation, level) != ("CPython", "final"):
        return None
    return (int(major), int(minor)), int(patch), executable


def prepare(minor: tuple[int, int], program: str) -> Path | None:
    """The Python of that version's environment, made if it is not there; None where torch has no wheel for it."""
    name = ".".join(map(str, minor))
    words = ["--dry-run", "--no-deps", "--only-binary", "torch", "--constraints", "tests/constraints.txt", "torch"]
    words = [str(UV), "pip", "install", "--python", program, *words]
    torch = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    if torch.returncode:
        if "no wheels" not in " ".join(torch.stderr.split()):
            raise SystemExit(torch.stderr)
        print(f"Python {name} is left out: the pinned torch has no wheel for it", flush=True)
        return None
    folder = f".venv-{name}"
    subprocess.run(["make", "--silent", f"{folder}/.installed", f"OF={program}"], cwd=ROOT, check=True)
    return ROOT / folder / "bin" / "python"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ends", action="store_true")
    args, rest = parser.parse_known_args()
    here = sys.version_info[:2]
    found = find()
    paths = rest or PATHS
    if args.ends and not rest:
        paths = [PATHS[0], *sorted(str(path) for name in STARTS for path in (ROOT / PATHS[1]).glob(name))]
    print("Python", *(".".join(map(str, minor)) for minor in found), flush=True)
    order = list(found)
    if args.ends:
        order = [minor for minor in order if minor != here]
        order = [*order[:1], *reversed(order[1:])]  # the oldest, then the newest that torch has a wheel for
    codes = []
    for minor in order:
        if (python := prepare(minor, found[minor])) is None:
            continue
        print(f"Python {'.'.join(map(str, minor))}", flush=True)
        codes.append(
            subprocess.run([python, "-m", "pytest", "-n", "2", "--dist", "loadfile", *paths], cwd=ROOT).returncode
        )
        if args.ends and len(codes) == 2:
            break
    return max(codes, default=0)


if __name__ == "__main__":
    sys.exit(main())
