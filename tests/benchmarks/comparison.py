"""What the alternatives do where we claim something: seconds, errors and bytes, for docs/comparison.md.

plain: transformers alone, its cache full. offline: the same with HF_HUB_OFFLINE=1. shared: three machines with one
cache folder (here on one disk; no network file system is measured). ours: the hook, and for a fleet a node each.
Takes about ten minutes, most of them plain transformers' own waiting. Each figure of plain's is measured once.
"""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.local_hub import LocalHub
from tests.support.machine import NO_HUB, Machine
from tests.support.model import add_minilm
from tests.support.node import KuboNode

ROUNDS = 1
PATIENCE = 300.0
NAME = "sentence-transformers/all-MiniLM-L6-v2"
WEIGHTS = 90_868_376
CODE = f"""
import hashlib, time
from transformers import AutoTokenizer, AutoModel, BertModel, BertTokenizerFast
began = time.perf_counter()
AutoTokenizer.from_pretrained({NAME!r}); model = AutoModel.from_pretrained({NAME!r})
seconds = time.perf_counter() - began
total = hashlib.sha256()
for tensor in model.state_dict().values():
    total.update(tensor.numpy().tobytes())
print(seconds, total.hexdigest())
"""
TOKENIZER = f"""
import time
from transformers import AutoTokenizer, BertTokenizerFast
began = time.perf_counter()
ids = AutoTokenizer.from_pretrained({NAME!r})("a quiet morning")["input_ids"]
print(time.perf_counter() - began, ids)
"""
RIGHT_IDS = "[101, 1037, 4251, 2851, 102]"
# What a Hub may do, and what of the machine's environment makes it so.
STATES: dict[str, tuple[dict[str, Any] | None, dict[str, str]]] = {
    "well": (None, {}),
    "refuses": (None, NO_HUB),
    "503": ({"status": 503}, {}),
    "resets": ({"reset": True}, {}),
    "hangs": ({"hang": True}, {}),
}
WAYS: dict[str, tuple[bool, dict[str, str]]] = {
    "plain": (False, {}),
    "offline": (False, {"HF_HUB_OFFLINE": "1"}),
    "ours": (True, {}),
}


def measure(folder: Path, rounds: int) -> None:
    add_minilm(folder / "hub")
    truth = _load(Machine(folder / "truth"), folder / "hub" / NAME)[1]
    _warm(folder / "warm", folder / "hub", rounds)
    _partly(folder / "partly", folder / "hub")
    _flipped(folder / "flipped", folder / "hub", truth)
    _new_commit(folder / "new")
    _three_machines(folder / "three", folder / "hub")


def _load(machine: Machine, name: str | Path = NAME, hooked: bool = False, **env: str) -> tuple[float | None, str]:
    """Seconds and hash of the weights; None and the error's last line if the load failed; infinity: it did not end."""
    try:
        done = machine.run(CODE.replace(NAME, str(name)), hooked=hooked, env=env, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return math.inf, ""
    if done.returncode:
        return None, done.stderr.strip().splitlines()[-1][:120]
    seconds, weights = done.stdout.split()[-2:]
    return float(seconds), weights


def _row(label: str, cells: Callable[[], list[str]]) -> None:
    print(f"  {label:32}  " + "  ".join(f"{cell:>12}" for cell in cells()), flush=True)


def _warm(folder: Path, root: Path, rounds: int) -> None:
    print("  a load of a model that this machine has, in seconds", flush=True)
    _row("the Hub ...", lambda: list(WAYS))
    with LocalHub(root) as hub:
        machine = Machine(folder, hub=hub)
        for hooked in (False, True):
            assert _load(machine, hooked=hooked)[0], "the cold load failed"
        for state, (fault, more) in STATES.items():

            def ask(way: str, fault: Any = fault, more: dict[str, str] = more) -> str:
                hooked, env = WAYS[way]
                hub.faults.clear()
                if fault:
                    hub.fault(**fault)
                figures = [
                    _load(machine, hooked=hooked, **env, **more)[0] for _ in range(rounds if way == "plain" else 3)
                ]
                hub.faults.clear()
                good = sorted(figure for figure in figures if figure is not None)
                middle = good[len(good) // 2] if len(good) == len(figures) else None
                return "fails" if middle is None else f"{middle:.2f}" if middle < PATIENCE else f"over {PATIENCE:.0f}"

            _row(state, lambda ask=ask: [ask(way) for way in WAYS])


def _partly(folder: Path, root: Path) -> None:
    print("  a tokenizer, where the cache has the model alone: its ids, and seconds", flush=True)
    _row("the Hub ...", lambda: list(WAYS))
    states: dict[str, dict[str, Any]] = {
        "is well": {},
        "needs 1.5 s for an answer": {"latency": 1.5},
        "API answers 500, files are well": {"match": "/api/", "status": 500},
    }
    with LocalHub(root) as hub:
        for state, fault in states.items():

            def ask(way: str, state: str = state, fault: dict[str, Any] = fault) -> str:
                hooked, env = WAYS[way]
                machine = Machine(folder / f"{way} {state}".replace(" ", "-"), hub=hub)
                # as an older client leaves it: without the listing
                assert _run(machine, f"from transformers import AutoModel; AutoModel.from_pretrained({NAME!r})")
                for listing in machine.cache.glob("hub/models--*/trees/*"):
                    listing.unlink()
                if fault:
                    hub.fault(**fault)
                said = _run(machine, TOKENIZER, hooked=hooked, **env)
                hub.faults.clear()
                seconds, _, ids = said.partition(" ")
                return f"{float(seconds):.1f} {'right' if ids == RIGHT_IDS else 'WRONG'}" if said else "fails"

            _row(state, lambda ask=ask: [ask(way) for way in WAYS])


def _run(machine: Machine, code: str, hooked: bool = False, **env: str) -> str:
    """What the code prints; an empty text if it failed."""
    done = machine.run(f"{code}\nprint('done')", hooked=hooked, env=env, timeout=PATIENCE)
    return done.stdout.strip().removesuffix("done").strip() or "done" if done.returncode == 0 else ""


def _flipped(folder: Path, root: Path, truth: str) -> None:
    print("  an empty machine, one bit of the weights flipped on the way from the Hub", flush=True)
    for times, what in ((1, "once"), (-1, "each time")):
        for way in ("plain", "ours"):
            with LocalHub(root) as hub:
                hub.fault(match="GET /_blob/", corrupt=WEIGHTS // 2, times=times)
                machine = Machine(folder / f"{way}{times}", hub=hub)
                seconds, weights = _load(machine, hooked=way == "ours")
            said = f"an error: {weights}" if seconds is None else "right" if weights == truth else "WRONG, silently"
            _row(f"{what}, {way}", lambda said=said: [said])


def _new_commit(folder: Path) -> None:
    print("  the Hub has a new commit on main: does a load a minute later see it?", flush=True)
    code = "from transformers import AutoConfig; print(AutoConfig.from_pretrained('org/name').hidden_size)"
    for way, (hooked, env) in WAYS.items():
        source = folder / way / "hub" / "org" / "name"
        source.mkdir(parents=True)
        with LocalHub(folder / way / "hub") as hub:
            machine = Machine(folder / way / "machine", hub=hub)
            seen = []
            for size in (16, 32):
                (source / "config.json").write_text(json.dumps({"model_type": "bert", "hidden_size": size}))
                hub.scan()
                seen.append(machine.run(code, hooked=hooked, env=env if seen else {}).stdout.strip())
        _row(way, lambda seen=seen: [{"32": "yes", "16": "no"}.get(seen[1], "fails")])


def _three_machines(folder: Path, root: Path) -> None:
    print(
        "  three machines load it, one after the other: what the Hub sent of the weights; then the Hub is gone",
        flush=True,
    )
    for way in ("plain", "shared", "ours", "ours, timeout 5 s"):
        hooked = way.startswith("ours")
        patience = {"IPFS_ACCELERATE_TIMEOUT": "5"} if way.endswith("5 s") else {}
        made: list[Machine] = []
        place = folder / way.replace(", ", "-").replace(" ", "-")
        with LocalHub(root) as hub:
            options: dict[str, Any] = {"hub": hub}
            if way == "shared":
                options["HF_HUB_CACHE"] = str(folder / "shared-cache")
            for number in range(3):
                if hooked:
                    options = {
                        "hub": hub,
                        "node": KuboNode,
                        **patience,
                        **_bootstrap(made),
                    }
                made.append(Machine(place / str(number), **options))
                assert _load(made[-1], hooked=hooked)[0]
                if hooked and number == 0:  # what the background does, waited for
                    done = made[0].hook("publish", NAME, "--json")
                    assert done.returncode == 0, done.stderr
                    publisher = json.loads(done.stdout)["publisher"]
            sent = sum(row["bytes"] for row in hub.log if row["path"].startswith("/_blob/")) / WEIGHTS
        fourth: dict[str, Any] = {**options, "hub": None}
        if hooked:
            fourth |= {**_bootstrap(made), "IPFS_ACCELERATE_PUBLISHERS": publisher}
        made.append(Machine(place / "fourth", **fourth))
        seconds = _load(made[-1], hooked=hooked)[0]
        last = "fails" if seconds is None else f"{seconds:.1f} s"
        _row(way, lambda sent=sent, last=last: [f"{sent:.2f} x", f"a new one: {last}"])
        for machine in made:
            machine.stop()


def _bootstrap(made: list[Machine]) -> dict[str, Any]:
    return {"bootstrap": [made[0].node]} if made else {}
