"""The start of an interpreter (`python -c pass`), in an environment without and with the startup files."""

from __future__ import annotations

import subprocess
import sys
import time
import venv
from pathlib import Path

from tests.support.machine import SOURCE

from .table import alternate, show

ROUNDS = 200


def measure(folder: Path, rounds: int) -> None:
    pythons = {}
    for name in ("disabled", "enabled"):
        venv.EnvBuilder(with_pip=False).create(folder / name)
        python = folder / name / "bin" / "python"
        site = next((folder / name / "lib").glob("python*/site-packages"))
        (site / "source.pth").write_text(f"{SOURCE}\n")  # as an editable install does
        pythons[name] = str(python)
    command = [
        sys.executable,
        "-m",
        "ipfs_accelerate_py.hook",
        "enable",
        "--venv",
        str(folder / "enabled"),
        "-q",
        "--force",
    ]
    subprocess.run(command, check=True)

    def start(python: str) -> float:
        began = time.perf_counter()
        subprocess.run([python, "-c", "pass"], check=True)
        return time.perf_counter() - began

    ways = {name: lambda python=python: start(python) for name, python in pythons.items()}
    alternate(ways, 3)  # warm
    show(alternate(ways, rounds), "ms", 1000)
