"""One `AutoConfig.from_pretrained` that is answered from this machine: what the hook adds to a call.

Each figure is the median of 300 calls in one process. A local folder is none of our business: the hook only has to
notice that. The repo is known: plain transformers finds it in its cache, we in our store.
"""

from __future__ import annotations

from pathlib import Path

from tests.support.local_hub import LocalHub
from tests.support.machine import Machine
from tests.support.model import tiny_model

from .table import alternate, show

ROUNDS = 7
CODE = """
import time
from statistics import median
from transformers import AutoConfig
def call():
    began = time.perf_counter()
    AutoConfig.from_pretrained({name!r})
    return time.perf_counter() - began
print(median(call() for _ in range(300)))
"""


def measure(folder: Path, rounds: int) -> None:
    local = tiny_model(folder / "hub", "tiny/bert")
    with LocalHub(folder / "hub") as hub:
        machine = Machine(folder / "machine", hub=hub)

        def run(name: str, hooked: bool, **env: str) -> float:
            done = machine.run(CODE.format(name=name), hooked=hooked, env=env)
            assert done.returncode == 0, done.stderr
            return float(done.stdout)

        for hooked in (False, True):
            run("tiny/bert", hooked)  # cold
        ways = {
            "plain, local folder": lambda: run(str(local), False),
            "hooked, local folder": lambda: run(str(local), True),
        }
        show(alternate(ways, rounds), "us", 1e6)
        ways = {
            "plain, known repo, HF_HUB_OFFLINE=1": lambda: run("tiny/bert", False, HF_HUB_OFFLINE="1"),
            "hooked, known repo, HF_HUB_OFFLINE=1": lambda: run("tiny/bert", True, HF_HUB_OFFLINE="1"),
            "hooked, known repo, Hub well": lambda: run("tiny/bert", True),
            "plain, known repo, Hub well": lambda: run("tiny/bert", False),
        }
        show(alternate(ways, max(2, rounds // 2)), "us", 1e6)
