"""python -m tests.ecosystem.every_file [EXPRESSION] [--xet]: a byte of each file of each row flipped in turn.

Nothing is here before. What the load reads of a flipped file must not come through, and the message names the file; a
file that the load does not read makes no difference. Exit code 1 if a flipped byte is loaded or not named.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from .__main__ import KEPT, chosen
from .rows import ROWS, Row
from .verdicts import Answer, say
from .world import World


def main() -> int:
    parser = argparse.ArgumentParser(prog="every_file")
    parser.add_argument("expression", nargs="?", default="")
    parser.add_argument("--xet", action="store_true", help="large files come by Xet, as from the real Hub")
    parser.add_argument("--plain", action="store_true", help="the plain side: how many it takes")
    arguments = parser.parse_args()
    work, wrong, count = Path(tempfile.mkdtemp(prefix="every-file-")), 0, 0
    world = World(KEPT, work, 1, 0 if arguments.plain else 1)
    try:
        for row in ROWS:
            if chosen(row, arguments.expression):
                right = world.measure([row], ["cold"], [])[row.name, "cold"]["plain"]
                for repo, path, answer in world.flip_each(row, arguments.xet, not arguments.plain):
                    found = judge(row, path, answer, right)
                    count, wrong = count + 1, wrong + (found not in FINE)
                    print(f"{row.name:22} {repo}/{path}: {found}, {say(answer)}", flush=True)
    finally:
        world.stop()
        shutil.rmtree(work, ignore_errors=True)
    print(f"{wrong} of {count} flipped files came through or were not named")
    return 1 if wrong else 0


FINE = ("refused", "not read")


def judge(row: Row, path: str, answer: Answer, right: Answer) -> str:
    """In words; those of `FINE` are as they should be."""
    if "digest" in answer:
        return "not read" if answer["digest"] == right["digest"] else "LOADED"
    return "refused" if path.rpartition("/")[2] in answer["error"]["text"] else "NOT NAMED"


if __name__ == "__main__":
    sys.exit(main())
