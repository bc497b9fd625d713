"""`status`: what the hook does in a new interpreter here."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from typing import TYPE_CHECKING

from ..output import print_json, tell
from ..program import GOOD

if TYPE_CHECKING:
    from ...status import Status

HELP = "show what the hook does in a new interpreter here"
EXAMPLES = """\
status
status --json"""


def declare(parser: ArgumentParser) -> None:
    """No option of its own."""


def execute(args: Namespace) -> int:
    from ...startup.files import find_startup_files
    from ...status import count_states

    startup = find_startup_files()
    status = read_status()
    if args.json:
        print_json({**status.to_dict(), "startup": startup.to_dict()})
        return GOOD
    shown = status.to_dict()
    shown["doors"] = count_states(status.doors)
    loads = [name for commits in status.vouched.values() for by in commits.values() for name in by]
    shown["vouched"] = ", ".join(f"{loads.count(name)} by {name}" for name in dict.fromkeys(sorted(loads))) or None
    shown["patched_classes"] = len(status.patched_classes)
    shown["startup files"] = ", ".join(startup.files) if startup.enabled else None
    width = max(map(len, shown))
    for name, value in shown.items():
        text = {"True": "yes", "False": "no", "None": "none", "{}": "none"}.get(str(value), value)
        tell(args, f"{name.replace('_', ' '):<{width}}  {text}")
    return GOOD


def read_status() -> Status:
    """The status of a program that starts here, with the authorities for the last loads."""
    from ... import activation
    from ...config.settings import read_settings
    from ...operations import read_vouchers

    # The status is that of a program here, and this process imports no transformers: did a startup file start it?
    booted = "_ipfs_accelerate_boot" in sys.modules
    if booted:
        activation.activate("startup")
    status = replace(activation.read_status(), vouched=read_vouchers(read_settings()))
    if not booted and status.should_patch:
        reason = "no startup file: only programs that `run` starts, or that import ipfs_accelerate_py, are hooked"
        status = replace(status, enabled=False, applied=False, reason=reason)
    return status
