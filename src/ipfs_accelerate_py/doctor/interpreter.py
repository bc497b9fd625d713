"""The hook in a new interpreter: whether it starts there, and fits the installed transformers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..status import DoorState, count_states
from .check import COMMAND, Check, Result, bad, good

_START = "see what keeps this Python from starting: python -X importtime -c pass"
_FIRST = "the first import may be slow: run python -c 'import transformers.modeling_utils' once, and repeat"
_FOLDER = str(Path(__file__).resolve().parents[2])
_MARK = "ipfs_accelerate doctor: "

# Runs before anything of the user's, and reports what the start of this interpreter brought.
_STARTED = f"""
import sys
boot = sys.modules.get("_ipfs_accelerate_boot")
names = [type(each).__name__ for each in sys.meta_path]
sys._ipfs_accelerate_quiet_import = True
error = None
try:
    from ipfs_accelerate_py import activation
except Exception as caught:
    error = f"{{type(caught).__name__}}: {{caught}}"
import json
found = {{"boot": getattr(boot, "__file__", None), "finder": "BootFinder" in names, "error": error}}
found["package"] = "" if error else activation.__file__
print("\\n{_MARK}" + json.dumps(found))
"""

_DOORS = f"""
import importlib, json, sys
sys.path.append({_FOLDER!r})
import ipfs_accelerate_py.activation as activation
from ipfs_accelerate_py.libraries.transformers.library import LIBRARY
from ipfs_accelerate_py.libraries.transformers.names import AUTO
activation.apply()
import transformers
failed = {{}}
modules = [AUTO + "modeling_auto", AUTO + "tokenization_auto", *(door.module for door in LIBRARY.doors)]
for name in dict.fromkeys(modules):
    try:
        importlib.import_module(name)
    except Exception as error:
        failed[name] = f"{{type(error).__name__}}: {{error}}"
status = activation.get_status()
found = {{"version": transformers.__version__, "failed": failed, "doors": status["doors"]}}
print("\\n{_MARK}" + json.dumps({{**found, "classes": len(status["patched_classes"])}}))
"""


@dataclass(frozen=True)
class _Started:
    """What the start of an interpreter brought: paths of the boot module and of the package, and our finder."""

    boot: str | None
    finder: bool
    error: str | None
    package: str


@dataclass(frozen=True)
class _Doors:
    """What an interpreter found that imported transformers. `failed`: module -> why it cannot be imported there."""

    version: str
    failed: Mapping[str, str]
    doors: Mapping[str, DoorState]
    classes: int


def hook_check() -> Check:
    """`hook`: whether it reaches a new interpreter."""
    return Check("hook", check_hook, _START, 15)


def doors_check() -> Check:
    """`doors`: whether it fits transformers."""
    return Check("doors", check_doors, _FIRST, 26)


def check_hook() -> Result:
    """Start a new interpreter as a program here would, which reports whether the hook is there."""
    found = _ask(_STARTED, dict(os.environ), 14)
    enable = f"{COMMAND} enable" + ("" if sys.prefix != sys.base_prefix else " --force")
    if isinstance(found, str):
        return bad(f"a new interpreter does not work: {found}", _START)
    start = _Started(**found)
    if start.boot is None:
        return bad(
            "the hook does not start in a new interpreter of this environment",
            f"{enable} (or start single programs with '{COMMAND} run')",
        )
    if not start.finder:
        return bad(f"{found['boot']} was loaded and its finder is gone: something else removed it", enable)
    if start.error:
        return bad(
            f"{found['boot']} starts, and ipfs_accelerate_py cannot be imported: {found['error']}",
            "install the package anew into this environment, or take the startup files away: " + f"{COMMAND} disable",
        )
    here, there = _FOLDER, str(Path(start.package).resolve().parents[1])
    if here != there:
        return bad(
            f"a new interpreter takes the package from {there}, and this is {here}",
            "python -m pip install the copy that you want into this environment, or run the doctor of the other copy",
        )
    return good(f"starts with every {sys.executable} (by {found['boot']})")


def check_doors() -> Result:
    """Import transformers with the hook in a new interpreter, and ask the status what is patched."""
    # the switch has a check of its own; and nothing here needs a network
    found = _ask(_DOORS, {**os.environ, "IPFS_ACCELERATE": "1", "HF_HUB_OFFLINE": "1"}, 25)
    install = "python -m pip install 'transformers>=4.57,<6'"
    if isinstance(found, str):
        if "No module named 'transformers'" in found:
            return bad("transformers is not installed here, so there is nothing to hook", install)
        hint = _FIRST if found.startswith(_LATE) else install
        return bad(f"transformers cannot be imported with the hook: {found}", hint)
    seen = _Doors(**{**found, "doors": {name: DoorState(state) for name, state in found["doors"].items()}})
    detail = f"transformers {seen.version}: {count_states(seen.doors)}; {seen.classes} Auto classes patched"
    not_ours = [name for name, state in seen.doors.items() if state is DoorState.OPEN]
    is_served = seen.doors["transformers.utils.hub.cached_files"] is DoorState.IN_PLACE
    if not_ours or not is_served or not seen.classes:
        open_ones = ", ".join(not_ours) or "transformers.utils.hub.cached_files"
        return bad(f"the hook does not fit: {detail}; not patched: {open_ones}", install)
    failed = [f"{name} ({error})" for name, error in seen.failed.items() if name in _NEEDED]
    if failed:
        return good(f"{detail}; not to be imported here: {', '.join(failed)}", "python -m pip install torch")
    return good(detail)


_LATE = "it did not end within"
_NEEDED = ("transformers.modeling_utils", "transformers.models.auto.modeling_auto")


def _ask(code: str, environ: dict[str, str], seconds: float) -> dict[str, Any] | str:
    """What a new interpreter has found, or why it could not report."""
    if not sys.executable:
        return "this Python does not know its own path (sys.executable is empty)"
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return f"{_LATE} {seconds:g} s"
    for line in done.stdout.splitlines():
        if line.startswith(_MARK):
            return dict(json.loads(line.removeprefix(_MARK)))
    return (done.stderr.strip().splitlines() or [f"it ended with {done.returncode} and printed nothing"])[-1]
