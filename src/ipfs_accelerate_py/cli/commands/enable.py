"""`enable`: the hook in all programs of an environment."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ..output import print_json, tell
from ..program import GOOD

HELP = "start the hook in all programs of this environment"
MORE = (
    "\nAn environment that --venv names must have the package too."
    "\nWith --json, `files` are the startup files, and `written` those of them that were not there as they are."
)
EXAMPLES = """\
enable
enable --venv .venv
enable --user"""


def declare(parser: ArgumentParser) -> None:
    add_where(parser)
    help = "also outside a virtual environment, and before the package is installed there"
    parser.add_argument("--force", action="store_true", help=help)


def add_where(parser: ArgumentParser) -> None:
    """The options that name another environment."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--venv", metavar="DIR", help="a virtual environment other than this")
    where.add_argument("--user", action="store_true", help="your own site-packages: all your programs of this Python")


def execute(args: Namespace) -> int:
    from ...startup.files import enable

    done = enable(args.venv, args.force, user=args.user)
    for path in done.files:
        tell(args, f"wrote {path}" if path in done.written else f"enabled already by {path}")
    if args.json:
        print_json(done.to_dict())
    return GOOD
