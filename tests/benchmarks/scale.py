"""4, 8, 16 and 32 real members on one machine: when they know each other; what questions, memory and idling cost."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

from ipfs_accelerate_py.fleet.client import ROOT, AgentClient
from ipfs_accelerate_py.fleet.folder import read_agent
from ipfs_accelerate_py.fleet.signing import Signer
from ipfs_accelerate_py.ipfs.node import Node
from ipfs_accelerate_py.ipfs.swarm import announce, holders
from ipfs_accelerate_py.store.store import Store
from ipfs_accelerate_py.store.visibility import remember_access
from tests.support.fleet import FleetMachine

ROUNDS = 1
SIZES = (4, 8, 16, 32)
_QUESTIONS = 60
_IDLE = 30.0  # seconds
REPO = "acme/held"
FOLDER = "models--acme--held"
_TICKS = os.sysconf("SC_CLK_TCK")


def measure(folder: Path, rounds: int) -> None:
    machines: list[FleetMachine] = []
    print("  members  join to met  all know all  find  findprovs  agent MB  Kubo MB  idle CPU %  requests a minute")
    try:
        for size in SIZES:
            joins = []
            while len(machines) < size:
                machines.append(FleetMachine(folder / f"m{len(machines)}"))
                if len(machines) == 1:
                    machines[0].init("scale")
                    continue
                started = time.monotonic()
                joined = machines[-1].join(random.choice(machines[:-1]))
                joins.append(time.monotonic() - started)
                assert joined["met"], joined
            print(_row(size, machines, joins), flush=True)
    finally:
        for machine in machines:
            machine.stop()


def _row(size: int, machines: list[FleetMachine], joins: list[float]) -> str:
    known = _know_all(machines)
    holder = machines[-1]
    (holder.store / FOLDER / "blobs").mkdir(parents=True, exist_ok=True)
    remember_access(Store(holder.store), REPO, True)
    announce(_node(holder), FOLDER)
    time.sleep(5)  # it tells the tracker within 3 s
    found = [_ask(random.choice(machines[:-1]), holder.peer) for _ in range(_QUESTIONS)]
    provided = [_look_up(random.choice(machines[:-1])) for _ in range(20)]
    requests, cpu = _requests(machines), _cpu(machines)
    time.sleep(_IDLE)
    minute = (_requests(machines) - requests) / size * 60 / _IDLE
    idle = (_cpu(machines) - cpu) / size / _IDLE * 100
    agents, kubos = zip(*(_memory(machine) for machine in machines), strict=True)
    return (
        f"  {size:7}  {statistics.median(joins):9.2f} s  {known:10.1f} s  {statistics.median(found) * 1000:.0f} ms  "
        f"{statistics.median(provided) * 1000:.0f} ms  {statistics.median(agents):.0f}  "
        f"{statistics.median(kubos):.0f}  {idle:.2f}  {minute:.0f}"
    )


def _know_all(machines: list[FleetMachine]) -> float:
    """Seconds until each sees all the others, from now on."""
    started = time.monotonic()
    for machine in machines:
        while sum(member["there"] for member in _post(machine, "status")["members"]) < len(machines) - 1:
            assert time.monotonic() - started < 300, f"{machine.home} does not see all"
            time.sleep(0.1)
    return time.monotonic() - started


def _ask(machine: FleetMachine, holder: str) -> float:
    started = time.monotonic()
    question = {"folder": FOLDER, "etag": "0" * 40, "size": 1, "claim": False, "arrived": 0, "lost": []}
    answer = _post(machine, "find", question)
    took = time.monotonic() - started
    assert holder in [row["peer"] for row in answer["holders"]], answer
    return took


def _look_up(machine: FleetMachine) -> float:
    started = time.monotonic()
    assert holders(_node(machine), FOLDER)
    return time.monotonic() - started


def _node(machine: FleetMachine) -> Node:
    return Node(f"/ip4/127.0.0.1/tcp/{machine.folder.read().ports.api}", 10.0)


def _post(machine: FleetMachine, route: str, document: dict[str, Any] | None = None) -> dict[str, Any]:
    fleet, place = machine.folder.read(), read_agent(machine.folder)
    assert place is not None
    client = AgentClient(Signer(fleet.key, fleet.peer), 10.0)
    try:
        return client.post(f"http://127.0.0.1:{place.port}", ROOT + route, document or {})
    finally:
        client.close()


def _requests(machines: list[FleetMachine]) -> int:
    """All requests that the agents have answered, but for those of this program."""
    total = 0
    for machine in machines:
        for route, number in _flat(_post(machine, "status").get("requests", {})):
            total += number if "status" not in route and "find" not in route else 0
    return total


def _flat(table: Any, name: str = "") -> list[tuple[str, int]]:
    if isinstance(table, dict):
        return [row for key, value in table.items() for row in _flat(value, f"{name} {key}")]
    return [(name, int(table))]


def _processes(machine: FleetMachine) -> tuple[int, list[int]]:
    """The agent, and what runs below the shell that holds Kubo."""
    place = read_agent(machine.folder)
    assert place is not None
    done = subprocess.run(["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True)
    parents = dict(map(int, line.split()) for line in done.stdout.splitlines()[1:])
    children = [pid for pid, parent in parents.items() if parent == place.pid]
    return place.pid, [pid for pid, parent in parents.items() if parent in children]


def _memory(machine: FleetMachine) -> tuple[float, float]:
    agent, kubo = _processes(machine)
    return _resident(agent), max(map(_resident, kubo))


def _resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1000
    return 0.0


def _cpu(machines: list[FleetMachine]) -> float:
    """Seconds of CPU of all agents and their Kubos."""
    total = 0
    for machine in machines:
        agent, kubo = _processes(machine)
        for pid in (agent, *kubo):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / _TICKS
