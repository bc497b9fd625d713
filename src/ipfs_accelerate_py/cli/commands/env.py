"""`env`: what belongs in a bug report, without secrets."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from ..output import print_json, tell
from ..program import GOOD

HELP = "print what belongs in a bug report, without secrets"
EXAMPLES = """\
env
env --json"""


def declare(parser: ArgumentParser) -> None:
    """No option of its own."""


def execute(args: Namespace) -> int:
    from ..bug_report import read_report

    report = read_report().to_dict()
    if args.json:
        print_json(report)
        return GOOD
    for name, value in report.items():
        if isinstance(value, dict):
            tell(args, f"{name}:")
            for key, fact in value.items():
                tell(args, f"  {key}: {_text(fact)}")
        else:
            tell(args, f"{name}: {_text(value)}")
    return GOOD


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return {"True": "yes", "False": "no", "None": "none"}.get(str(value), str(value))
