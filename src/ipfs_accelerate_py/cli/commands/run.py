"""`run`: one program with the hook on."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ..program import PROGRAM

HELP = "run one program with the hook on, and its children"
MORE = """ TARGET is all that could follow `python`,
or the name of a program. The options below come before `run`: `-q run` does not report that the hook is off."""
EXAMPLES = """\
run train.py --epochs 3
run -m my_package
run -X dev train.py
run torchrun train.py"""


def declare(parser: ArgumentParser) -> None:
    parser.usage = f"{PROGRAM} run TARGET [ARGUMENT ...]"


def execute(args: Namespace) -> int:
    from ...startup.runner import run

    return run(args.target, quiet=args.quiet)
