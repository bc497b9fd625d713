"""A blob of 1 GiB from an agent into another store, over loopback, beside what the machine can do at most."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from urllib.parse import urlsplit

from ipfs_accelerate_py.fleet.client import blob_target
from ipfs_accelerate_py.fleet.signing import Signer
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.entry import Entry
from ipfs_accelerate_py.store.store import Store
from ipfs_accelerate_py.store.visibility import remember_access
from tests.support.agent import KEY, AgentProcess, peer_id

from .table import alternate, show

ROUNDS = 5
SIZE = 1 << 30
REPO = "org/name"
_CHUNK = 1 << 20


def measure(folder: Path, rounds: int) -> None:
    """The ways take turns. The goal: 80 % of the slowest of network, disk and sha256."""
    print(f"  {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; all on one machine")
    with AgentProcess(folder / "a") as agent:
        entry = _lay(agent.store)
        idle = agent.memory()
        limits: dict[str, Callable[[], float]] = {
            "network: the agent to a reader": lambda: _read(agent, entry),
            "disk: written and synced": lambda: _write(folder / "file"),
            "sha256": _hash,
        }
        way = "the agent to a store: hashed, written, synced"
        figures = alternate({**limits, way: lambda: _fetch(agent, entry, folder / "b")}, rounds)
        show(figures)
        rates = {name: SIZE / median(row) / 1e6 for name, row in figures.items()}
        for name, rate in rates.items():
            print(f"  {name}: {rate:.0f} MB/s")
        slowest = min(limits, key=rates.__getitem__)
        print(f"  {rates[way] / rates[slowest]:.0%} of {slowest.partition(':')[0]}, which is the slowest; goal 80 %")
        print(f"  the agent's memory: {idle / 1e6:.0f} MB before, {agent.memory() / 1e6:.0f} MB at most")


def _lay(store: Store) -> Entry:
    """A blob of bytes that nothing can pack."""
    found, file, block = hashlib.sha256(), store.root / "file", os.urandom(1 << 24)
    with file.open("wb") as out:
        for number in range(SIZE >> 24):
            data = number.to_bytes(8, "big") + block[8:]
            found.update(data)
            out.write(data)
        os.fsync(out.fileno())
    entry = Entry(SIZE, "e" * 40, found.hexdigest())
    blob = store.path(layout.blob_path(REPO, entry.etag))
    blob.parent.mkdir(parents=True)
    file.rename(blob)
    remember_access(store, REPO, True)
    return entry


def _target(entry: Entry) -> str:
    return blob_target(layout.repo_folder(REPO), entry.etag, SIZE)


def _read(agent: AgentProcess, entry: Entry) -> float:
    parts, target, buffer, size = urlsplit(agent.url), _target(entry), bytearray(_CHUNK), 0
    signature = Signer(KEY, peer_id(2)).sign("GET", target)
    request = f"GET {target} HTTP/1.1\r\nHost: a\r\nAuthorization: {signature}\r\nConnection: close\r\n\r\n"
    began = perf_counter()
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        connection.sendall(request.encode())
        while received := connection.recv_into(buffer):
            size += received
    seconds = perf_counter() - began
    assert size > SIZE
    return seconds


def _write(file: Path) -> float:
    data, began = os.urandom(_CHUNK), perf_counter()
    with file.open("wb", buffering=0) as out:
        for _ in range(SIZE // _CHUNK):
            out.write(data)
        os.fsync(out.fileno())
    seconds = perf_counter() - began
    file.unlink()
    return seconds


def _hash() -> float:
    data, found, began = os.urandom(_CHUNK), hashlib.sha256(), perf_counter()
    for _ in range(SIZE // _CHUNK):
        found.update(data)
    return perf_counter() - began


def _fetch(agent: AgentProcess, entry: Entry, root: Path) -> float:
    store, client = Store(root), agent.client(60.0)
    blob, began = store.path(layout.blob_path(REPO, entry.etag)), perf_counter()
    with store.receive(REPO, entry) as writer:
        client.copy(agent.url, _target(entry), writer, SIZE, "the agent")
        writer.finish(blob)
    seconds = perf_counter() - began
    blob.unlink()
    client.close()
    return seconds
