"""`doctor`: tests every part for real."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from ..output import print_json, tell, warn
from ..program import FAILED, GOOD

HELP = "test each part for real, and show for each failure what mends it"
EXAMPLES = """\
doctor
doctor --json"""


def declare(parser: ArgumentParser) -> None:
    """No option of its own."""


def execute(args: Namespace) -> int:
    from ...config.settings import read_settings
    from ...doctor import render_finding, run_checks, sum_up

    report = run_checks(read_settings(), progress=lambda finding: _show(args, render_finding(finding)))
    if args.json:
        print_json(report.to_dict())
    elif args.quiet:
        for finding in report.checks:
            if not finding.ok:
                hint = finding.hint or "see docs/troubleshooting.md"
                warn(f"Error: {finding.name}: {finding.detail}\nHint: {hint}")
    else:
        tell(args, sum_up(report))
    return GOOD if report.ok else FAILED


def _show(args: Namespace, line: str) -> None:
    tell(args, line)
    if sys.stdout is not None:
        sys.stdout.flush()  # the next check may take seconds
