"""`python -m tests.benchmarks [NAME...] [--rounds N]`: start_up, command_start, transformers_import, first_import,
call_cost, hub_door, warm_load, fleet, roads, agent; and, where they are named only, comparison, scale and together."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from . import (
    agent,
    call_cost,
    command_start,
    comparison,
    first_import,
    fleet,
    hub_door,
    roads,
    scale,
    start_up,
    together,
    transformers_import,
    warm_load,
)

BENCHMARKS = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        start_up,
        command_start,
        transformers_import,
        first_import,
        call_cost,
        hub_door,
        warm_load,
        fleet,
        roads,
        agent,
    )
}
NAMED_ONLY = {"comparison": comparison, "scale": scale, "together": together}  # minutes each


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"which ones: {', '.join([*BENCHMARKS, *NAMED_ONLY])} (default: all but the last two)",
    )
    parser.add_argument("--rounds", type=int, default=0, help="rounds of each (default: its own number)")
    arguments = parser.parse_args()
    for name in arguments.names or BENCHMARKS:
        module = {**BENCHMARKS, **NAMED_ONLY}[name]
        print(f"\n{name}: {(module.__doc__ or '').splitlines()[0]}", flush=True)
        with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as folder:
            module.measure(Path(folder), arguments.rounds or module.ROUNDS)


if __name__ == "__main__":
    main()
