"""A machine without file locks, or with a clock that jumps, by LD_PRELOAD: see preload.c, which gcc compiles."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def build(folder: Path) -> str:
    """Compiles preload.c into a folder; the path for LD_PRELOAD."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise RuntimeError("no C compiler: install gcc")
    made = folder / "preload.so"
    source = Path(__file__).with_suffix(".c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", made, source, "-ldl"], check=True)
    return str(made)


def without_locks(preload: str, error: int) -> dict[str, str]:
    """The environment of a program whose file locks all fail with this errno."""
    return {"LD_PRELOAD": preload, "NO_LOCKS": str(error)}


def with_clock(preload: str, seconds: int, after: int = 0) -> dict[str, str]:
    """The environment of a program whose wall clock is off by so much, from the `after`th look at it on."""
    return {"LD_PRELOAD": preload, "CLOCK_JUMP": f"{seconds},{after}"}
