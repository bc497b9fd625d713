"""Tokenizer and model of all-MiniLM-L6-v2, known on this machine: plain and offline, ours with the Hub in each state.

Measured inside the process, after the imports. Plain transformers with a Hub that refuses is measured once.
"""

from __future__ import annotations

from pathlib import Path

from tests.support.local_hub import LocalHub
from tests.support.machine import NO_HUB, Machine
from tests.support.model import add_minilm

from .table import alternate, show

ROUNDS = 5
NAME = "sentence-transformers/all-MiniLM-L6-v2"
CODE = """
import sys, time, torch
from transformers import AutoTokenizer, AutoModel, BertModel, BertTokenizerFast
began = time.perf_counter()
AutoTokenizer.from_pretrained({name!r}{more}); AutoModel.from_pretrained({name!r}{more})
print(time.perf_counter() - began)
"""


def measure(folder: Path, rounds: int) -> None:
    add_minilm(folder / "hub")
    with LocalHub(folder / "hub") as hub:
        machine = Machine(folder / "machine", hub=hub)
        code = CODE.format(name=NAME, more="")
        assert machine.run(code).returncode == 0, "the cold load failed"
        assert machine.run(code, hooked=False).returncode == 0, "the plain cold load failed"
        commit = hub.repos["models", NAME].refs["main"]

        def load(fault: dict[str, object] | None = None, code: str = code, hooked: bool = True, **env: str) -> float:
            hub.faults.clear()
            if fault:
                hub.fault(**fault)
            done = machine.run(code, hooked=hooked, env=env, timeout=300)
            hub.faults.clear()
            assert done.returncode == 0, done.stderr
            return float(done.stdout)

        pinned = CODE.format(name=NAME, more=f", revision={commit!r}")
        ways = {
            "plain, HF_HUB_OFFLINE=1": lambda: load(hooked=False, HF_HUB_OFFLINE="1"),
            "ours, HF_HUB_OFFLINE=1": lambda: load(HF_HUB_OFFLINE="1"),
            "plain, Hub well": lambda: load(hooked=False),
            "ours, Hub well": lambda: load(),
            "ours, Hub well, pinned": lambda: load(code=pinned),
            "ours, Hub refuses": lambda: load(**NO_HUB),
            "ours, Hub 503": lambda: load({"status": 503}),
            "ours, Hub 429": lambda: load({"status": 429, "retry_after": 5}),
            "ours, Hub 401": lambda: load({"status": 401}),
            "ours, Hub resets": lambda: load({"reset": True}),
            "ours, Hub hangs": lambda: load({"latency": 200}),
        }
        show(alternate(ways, rounds))
        print(f"  plain, Hub refuses, once: {load(hooked=False, **NO_HUB):.1f} s")
