"""python -m tests.never_worse [EXPRESSION]: the cells, as a table; exit code 1 if one does not hold."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tests.support.model import main as make_tiny_models

from .cells import PATIENT, Cell, all_cells, chosen
from .differences import describe
from .hubs import HUBS
from .verdicts import Verdict, judge, say
from .world import World

KEPT = Path(__file__).resolve().parents[2] / ".never-worse"
AT_ONCE = 6
WAITING = 40  # cells that do little else


def main() -> int:
    parser = argparse.ArgumentParser(prog="never_worse")
    parser.add_argument("expression", nargs="?", default=os.environ.get("NEVER_WORSE", ""))
    parser.add_argument("--anew", action="store_true", help="measure also what has been measured")
    parser.add_argument("--show", action="store_true", help="where both sides differ")
    parser.add_argument("--at-once", type=int, default=AT_ONCE)
    arguments = parser.parse_args()
    line = importlib.metadata.version("transformers")
    cells = chosen(all_cells(), arguments.expression)
    kept = KEPT / line
    for side in ("plain", "hooked") if arguments.anew else ():
        shutil.rmtree(kept / side, ignore_errors=True)
    kept.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    models, work = tiny_models(kept), Path(tempfile.mkdtemp(prefix="work-", dir=kept))
    world = World(models, work, kept)
    try:
        world.prepare()
        print(f"transformers {line}: {len(cells)} cells", flush=True)
        verdicts = run(world, cells, arguments.at_once)
        if arguments.show:
            show(world, verdicts)
    finally:
        world.stop()
        shutil.rmtree(work, ignore_errors=True)
    return report(line, verdicts, time.monotonic() - began)


def tiny_models(kept: Path) -> Path:
    """A Hub's root folder with the tiny models, made in a process of its own: torch stays out of this one."""
    root = kept / "models"
    if not root.exists():
        pid = os.fork()
        if pid == 0:
            sys.argv[1:] = [str(root.with_name("models.new"))]
            make_tiny_models()
            os._exit(0)
        os.waitpid(pid, 0)
        root.with_name("models.new").rename(root)
    return root


def run(world: World, cells: list[Cell], at_once: int) -> dict[Cell, Verdict]:
    """All cells, many at once; those that may have been the machine's fault once more, one by one."""
    verdicts = measure_all(world, cells, at_once, WAITING)
    busy = [cell for cell, verdict in verdicts.items() if verdict.again]
    return {**verdicts, **measure_all(world, busy, 1, 8, again=True)}


def measure_all(
    world: World, cells: list[Cell], at_once: int, waiting: int, again: bool = False
) -> dict[Cell, Verdict]:
    """`waiting`: so many more of those that do little else."""
    verdicts: dict[Cell, Verdict] = {}
    with ThreadPoolExecutor(at_once) as pool, ThreadPoolExecutor(waiting) as patient:
        running = {}
        for cell in cells:
            running[(patient if cell.hub in PATIENT else pool).submit(measure, world, cell, again)] = cell
        for done in as_completed(running):
            error = done.exception()
            verdicts[running[done]] = Verdict(False, f"not measured: {error!r}") if error else done.result()
    return verdicts


def measure(world: World, cell: Cell, again: bool = False) -> Verdict:
    hooked = world.run(cell, hooked=True) if again else world.hooked(cell)
    plain = world.run(cell, hooked=False) if again else world.plain(cell)
    verdict = judge(plain, hooked, world.rights(cell.load), HUBS[cell.hub].silent)
    if not verdict.holds and cell.like is not None:
        plain = world.plain(cell.like)
        verdict = judge(plain, hooked, world.rights(cell.load), HUBS[cell.hub].silent)
    seconds = f"{plain['seconds']:6.1f} {hooked['seconds']:6.1f}"
    mark = "holds " if verdict.holds else "late  " if verdict.late else "BREAKS"
    print(f"{mark} {cell!s:96} {say(plain):18} {say(hooked):18} {seconds}  {verdict.why}", flush=True)
    return verdict


def show(world: World, verdicts: dict[Cell, Verdict]) -> None:
    """Of each cell that does not hold, where its sides differ."""
    for cell, verdict in verdicts.items():
        if not verdict.holds:
            print(f"\n{cell}: {verdict.why}")
            for text in describe(world.plain(cell), world.hooked(cell)):
                print(f"    {text}")


def report(line: str, verdicts: dict[Cell, Verdict], seconds: float) -> int:
    """The totals."""
    matrix = [verdict.holds for cell, verdict in verdicts.items() if cell.in_matrix]
    held = sum(verdict.holds for verdict in verdicts.values())
    print(f"\nwhat does not hold, transformers {line}:")
    for cell, verdict in sorted(verdicts.items(), key=lambda row: (row[1].why, str(row[0]))):
        if not verdict.holds:
            print(f"  {cell}: {verdict.why}")
    print(f"144-cell matrix: {sum(matrix)} of {len(matrix)}")
    print(f"{held} of {len(verdicts)} hold, transformers {line}, {seconds:.0f} s")
    return 0 if held == len(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
