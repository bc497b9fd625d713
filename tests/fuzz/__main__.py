"""`python -m tests.fuzz [TRIES] [SEED]`: that many mutated answers over all targets, a process for each."""

from __future__ import annotations

import math
import multiprocessing
import os
import random
import sys
from concurrent.futures import ProcessPoolExecutor

from .run import work
from .targets import TARGETS

TRIES = 1_500_000


def main() -> None:
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else TRIES
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print(f"at least {tries} mutated answers, seed {seed}", flush=True)
    together = sum(target.share for target in TARGETS)
    counts = []
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        begun = [
            pool.submit(work, number, math.ceil(tries * target.share / together), seed)
            for number, target in enumerate(TARGETS)
        ]
        for target, each in zip(TARGETS, begun, strict=True):
            counts.append(each.result())
            print(f"{target.name:36}{counts[-1]}", flush=True)
    refused = sum(count.refused.total() for count in counts)
    print(f"together {sum(count.tried for count in counts)} tried, {refused} refused; no wrong byte visible")


if __name__ == "__main__":
    main()
