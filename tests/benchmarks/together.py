"""8 and 16 machines of a fleet that load 256 MB together; the Hub's CDN gives 20 MB/s to a connection."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.support.local_hub import LocalHub
from tests.support.together import TogetherMachine, Worker, bytes_from_hub, start_together, start_workers

ROUNDS = 1
NAME = "acme/large"
_SIZES = (256 << 20,)  # of the shards
_RATE = 20e6  # bytes per second, to a connection
_RELAY = 2 << 30


def measure(folder: Path, rounds: int) -> None:
    _write(folder / "hub", NAME, _SIZES)
    _write(folder / "hub", "acme/huge", (_RELAY,))
    for number in range(rounds):
        here = folder / str(number)
        _, alone = _load(here / "alone", 1, folder / "hub")
        print(f"  1 machine alone: {alone:.1f} s", flush=True)
        for machines in (8, 16):
            copies, seconds = _load(here / str(machines), machines, folder / "hub")
            _say(f"{machines} at the same moment", copies, seconds, alone)
        copies, seconds = _load(here / "killed", 16, folder / "hub", killed=4)
        _say("16, 4 of them killed midway with their agents", copies, seconds, alone)
        copies, _ = _load(here / "turns", 4, folder / "hub", one_after_the_other=True)
        print(f"  4 one after the other: {copies:.3f} copies from the Hub", flush=True)
        for rate in (20e6, 100e6, 0):
            _relay(here / f"relay{rate:.0f}", folder / "hub", rate)


def _say(what: str, copies: float, seconds: float, alone: float) -> None:
    print(f"  {what}: {copies:.3f} copies from the Hub, {seconds:.1f} s, {seconds / alone:.2f} x one alone", flush=True)


def _write(root: Path, name: str, sizes: tuple[int, ...]) -> None:
    (root / name).mkdir(parents=True)
    (root / name / "config.json").write_text('{"model_type": "bert"}')
    for number, size in enumerate(sizes, 1):
        with open(root / name / f"model-{number:05}-of-{len(sizes):05}.safetensors", "wb") as file:
            file.writelines(os.urandom(1 << 20) for _ in range(size >> 20))


def _load(
    folder: Path, count: int, root: Path, *, killed: int = 0, one_after_the_other: bool = False
) -> tuple[float, float]:
    """(copies that left the Hub, seconds of the slowest machine)."""
    with LocalHub(root, bandwidth=_RATE) as hub:
        machines = [TogetherMachine(folder / f"m{number}", hub) for number in range(count)]
        try:
            start_together(machines)
            workers = start_workers(machines, NAME)
            if one_after_the_other:
                seconds = max(worker.go().result(600)["seconds"] for worker in workers)
                return _copies(hub), seconds
            for worker in workers:
                worker.go()
            if killed:
                time.sleep(3)
                for worker, machine in list(zip(workers, machines, strict=True))[:killed]:
                    worker.kill()
                    machine.kill_agent()
            seconds = max(worker.result(600)["seconds"] for worker in workers[killed:])
            return _copies(hub), seconds
        finally:
            for machine in machines:
                machine.stop()
            _remove(folder)


def _copies(hub: LocalHub) -> float:
    return bytes_from_hub(hub) / sum(_SIZES)


def _relay(folder: Path, root: Path, rate: float) -> None:
    """The second machine begins a second after the first."""
    with LocalHub(root, bandwidth=rate) as hub:
        machines = [TogetherMachine(folder / f"m{number}", hub) for number in range(2)]
        try:
            start_together(machines)
            first, second = start_workers(machines, "acme/huge")
            first.go()
            time.sleep(0.5)
            second.go()
            ended = [_ended(worker) for worker in (first, second)]
            speed = f"{rate / 1e6:.0f} MB/s" if rate else "no limit"
            copies = bytes_from_hub(hub) / _RELAY
            print(
                f"  relay, {speed}: the second ends {ended[1] - ended[0]:+.2f} s after the first, {copies:.3f} copies"
            )
        finally:
            for machine in machines:
                machine.stop()
            _remove(folder)


def _ended(worker: Worker) -> float:
    return float(worker.result(600)["ended"])


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
