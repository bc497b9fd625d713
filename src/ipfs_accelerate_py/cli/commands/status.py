"""`status`: what the hook does in a new interpreter here."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from typing import Any

from ..output import print_json, tell
from . import GOOD

HELP = "say what the hook does in a new interpreter here"
EXAMPLES = """\
status
status --json"""


def declare(parser: ArgumentParser) -> None:
    """No option of its own."""


def execute(args: Namespace) -> int:
    status = read_status()
    if args.json:
        print_json(status)
        return GOOD
    startup, doors = status.pop("startup"), list(status.pop("doors").values())
    status["doors"] = ", ".join(f"{doors.count(each)} {each}" for each in dict.fromkeys(doors))
    loads = [word for commits in status["vouched"].values() for by in commits.values() for word in by]
    status["vouched"] = ", ".join(f"{loads.count(word)} by {word}" for word in dict.fromkeys(sorted(loads))) or None
    status["patched_classes"] = len(status.get("patched_classes", ()))
    status["startup files"] = ", ".join(startup["files"]) if startup["enabled"] else None
    width = max(map(len, status))
    for name, value in status.items():
        shown = {"True": "yes", "False": "no", "None": "none", "{}": "none"}.get(str(value), value)
        tell(args, f"{name.replace('_', ' '):<{width}}  {shown}")
    return GOOD


def read_status() -> dict[str, Any]:
    """`get_status()` of a program that starts here, who vouched for the last loads, and the startup files there are."""
    from ...activation import activate, get_status
    from ...config.settings import read_settings
    from ...startup.files import find_startup_files
    from ...store import vouchers
    from ...store.store import Store

    # Asked is what a program here would do, and this one imports no transformers: what started here, and what did not?
    booted = "_ipfs_accelerate_boot" in sys.modules
    if booted:
        activate("startup")
    said = vouchers.read(Store(read_settings().home))
    status = {**get_status(), "vouched": said, "startup": find_startup_files()}
    if not booted and status["should_patch"]:
        reason = "no startup file: only programs that `run` starts, or that import ipfs_accelerate_py, are hooked"
        status.update(enabled=False, applied=False, reason=reason)
    return status
