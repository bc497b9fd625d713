"""python -m tests.ecosystem [EXPRESSION]: the matrix, as a table; exit code 1 if a cell does not hold."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.support.forks import ROOT

from .rows import ROWS, Row
from .states import STATES
from .verdicts import Cells, judge, say
from .world import Answer, World

KEPT = ROOT / ".ecosystem"


def main() -> int:
    parser = argparse.ArgumentParser(prog="ecosystem")
    parser.add_argument("expression", nargs="?", default=os.environ.get("ECOSYSTEM", ""))
    parser.add_argument("--json", metavar="FILE", help="write every answer there")
    parser.add_argument("--states", default=",".join(STATES), help="some of the columns, with commas")
    parser.add_argument("--plain", action="store_true", help="only the plain side")
    parser.add_argument("--anew", action="store_true", help="measure plain also where its answers were kept")
    parser.add_argument("--lanes", type=int, nargs=2, default=(3, 1), metavar=("PLAIN", "HOOKED"))
    arguments = parser.parse_args()
    states = arguments.states.split(",")
    rows = [row for row in ROWS if chosen(row, arguments.expression)]
    if arguments.anew:
        shutil.rmtree(KEPT / "plain", ignore_errors=True)
    KEPT.mkdir(exist_ok=True)
    began, work = time.monotonic(), Path(tempfile.mkdtemp(prefix="ecosystem-"))
    plain, hooked = arguments.lanes
    world = World(KEPT, work, plain, 0 if arguments.plain else hooked)
    try:
        early = [name for name in states if not STATES[name].late]
        cells = world.measure(rows, early, [] if arguments.plain else states, seen)
    finally:
        world.stop()
        shutil.rmtree(work, ignore_errors=True)
    if arguments.json:
        table = {f"{row} / {state}": answers for (row, state), answers in cells.items()}
        Path(arguments.json).write_text(json.dumps(table, indent=1))
    return report(rows, states, cells, time.monotonic() - began)


def chosen(row: Row, expression: str) -> bool:
    """Whether its name has one of the words that stand between `or`."""
    words = expression.lower().split(" or ")
    return any(word.strip() in row.name.lower() for word in words)


def seen(row: Row, name: str, hooked: bool, answer: Answer) -> None:
    side = "hooked" if hooked else "plain"
    print(f"  {row.name:22} {name:14} {side:7} {say(answer):32} {answer['hub']:3} + {answer['cdn']}", flush=True)


def report(rows: list[Row], states: list[str], cells: Cells, seconds: float) -> int:
    """The table, a line for each row and side: outcome and requests to the Hub; then what does not hold."""
    print(f"\n{'':23}{'':7}" + "".join(f"{name:>24}" for name in states))
    wrong = []
    for row in rows:
        for side in ("plain", "hooked"):
            line = [cells.get((row.name, name), {}).get(side) for name in states]
            if any(line):
                asked = [f"{say(each)} ({each['hub']})" if each else "" for each in line]
                shown = "".join(f"{text:>24}" for text in asked)
                print(f"{row.name if side == 'plain' else '':23}{side:7}{shown}")
        wrong += [
            (row, name, found) for name in states if (row.name, name) in cells for found in judge(row, name, cells)
        ]
    hooked = [key for key, sides in cells.items() if "hooked" in sides]
    if hooked:
        print("\nwhat does not hold:" if wrong else "")
    for row, name, found in wrong:
        first = "late" if STATES[name].late else name if STATES[name].flipped else "cold"
        served = cells[row.name, first]["hooked"].get("served")
        print(f"  {row.name} / {name}: {found}" + ("; nothing is served" if served == 0 else ""))
    broken = {(row.name, name) for row, name, _ in wrong}
    print(f"{len(hooked) - len(broken)} of {len(hooked)} hooked cells hold, {seconds:.0f} s")
    print("* the library's calls after its source, in its order")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
