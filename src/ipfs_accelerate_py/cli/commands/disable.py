"""`disable`: takes back what `enable` did."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ..output import print_json, tell, warn
from ..program import GOOD
from .enable import add_where

HELP = "take back what `enable` did"
EXAMPLES = """\
disable
disable --venv .venv
disable --user"""


def declare(parser: ArgumentParser) -> None:
    add_where(parser)


def execute(args: Namespace) -> int:
    from ...startup.files import disable

    done = disable(args.venv, user=args.user)
    for path in done.removed:
        tell(args, f"removed {path}")
    for path in done.foreign:
        warn(f"left {path}: it is not ours")
    if not done.removed and not done.foreign:
        tell(args, "nothing to remove: the hook was not enabled here")
    if args.json:
        print_json(done.to_dict())
    return GOOD
