"""`doctor`: tests each thing for real."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from ..output import print_json, tell, warn
from . import FAILED, GOOD

HELP = "test each part for real, and say for each failure what mends it"
EXAMPLES = """\
doctor
doctor --json"""


def declare(parser: ArgumentParser) -> None:
    """No option of its own."""


def execute(args: Namespace) -> int:
    from ...config.settings import read_settings
    from ...doctor import render, render_row, run_checks

    result = run_checks(read_settings(), progress=lambda row: _show(args, render_row(row)))
    if args.json:
        print_json(result)
    elif args.quiet:
        for row in result["checks"]:
            if not row["ok"]:
                warn(f"Error: {row['name']}: {row['detail']}\nHint: {row['hint'] or 'see docs/troubleshooting.md'}")
    else:
        tell(args, render(result).splitlines()[-1])
    return GOOD if result["ok"] else FAILED


def _show(args: Namespace, line: str) -> None:
    tell(args, line)
    if sys.stdout is not None:
        sys.stdout.flush()  # the next check may take seconds
