"""One file from one machine to the next, side by side: `ipfs cat` and `ipfs get` over bitswap, the peer's own gateway,
its agent. Read and hashed; from `ipfs get`, and once more from the agent, written to disk.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterable
from pathlib import Path

from ipfs_accelerate_py.fleet.client import blob_target
from ipfs_accelerate_py.ipfs.node import Node
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.entry import Entry
from ipfs_accelerate_py.store.store import Store
from ipfs_accelerate_py.store.visibility import remember_access
from tests.support.agent import AgentProcess
from tests.support.node import KuboNode

from .table import show

ROUNDS = 3
REPO = "org/name"
WAYS = ("cat over bitswap", "the peer's gateway", "its agent", "ipfs get, written", "its agent, into a store")
SIZES = {"91 MB": 91_000_000, "1 GB": 1_000_000_000}


def measure(folder: Path, rounds: int) -> None:
    """Each round has new bytes, so that no node holds them already; the ways take turns."""
    print(f"  {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; all on one machine, over loopback")
    with (
        KuboNode(folder / "a" / ".ipfs") as first,
        KuboNode(folder / "b" / ".ipfs", bootstrap=[first]) as second,
        AgentProcess(folder / "a" / "store") as agent,
    ):
        remember_access(agent.store, REPO, True)
        for name, size in SIZES.items():
            figures: dict[str, list[float]] = {name: [] for name in WAYS}
            for _ in range(rounds):
                cid, digest = _add(folder / "a" / "file", size, first)
                figures["its agent"].append(_take_from_agent(agent, folder / "a" / "file", digest))
                figures["its agent, into a store"].append(_fetch_from_agent(agent, folder, digest))
                figures["ipfs get, written"].append(_get(second, cid, folder / "got"))
                second.rpc("repo/gc", timeout=120)
                figures["the peer's gateway"].append(_take(_gateway(f"{first.gateway}/ipfs/{cid}"), digest))
                figures["cat over bitswap"].append(_take(Node(second.api, 300.0).stream(f"/ipfs/{cid}"), digest))
                for node in (first, second):
                    node.rpc("repo/gc", timeout=120)
            print(f"  {name}")
            show(figures)
            for way, seconds in figures.items():
                print(f"  {way}: {size / sorted(seconds)[len(seconds) // 2] / 1e6:.0f} MB/s")


def _add(file: Path, size: int, node: KuboNode) -> tuple[str, str]:
    """New bytes on the first node: their CID and sha256."""
    found = hashlib.sha256()
    with file.open("wb") as out:
        for start in range(0, size, 1 << 24):
            data = os.urandom(min(1 << 24, size - start))
            found.update(data)
            out.write(data)
    return Node(node.api, 60.0).add(file), found.hexdigest()


def _gateway(url: str) -> Iterable[bytes]:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=60) as answer:
        while data := answer.read(1 << 20):
            yield data


class _Hashed:
    """Takes the bytes of a blob as a writer does, and hashes them."""

    def __init__(self) -> None:
        self.start()

    def begin(self, giver: str) -> int:
        return self.size

    def start(self) -> None:
        self.size, self.found = 0, hashlib.sha256()

    def write(self, data: bytes) -> None:
        self.size += len(data)
        self.found.update(data)


def _take_from_agent(agent: AgentProcess, file: Path, digest: str) -> float:
    blob, size, sink = agent.store.path(layout.blob_path(REPO, digest)), file.stat().st_size, _Hashed()
    blob.parent.mkdir(parents=True, exist_ok=True)
    os.link(file, blob)
    began = time.perf_counter()
    agent.client().copy(agent.url, blob_target(layout.repo_folder(REPO), digest, size), sink, size, "the agent")
    seconds = time.perf_counter() - began
    assert sink.found.hexdigest() == digest
    blob.unlink()
    return seconds


def _fetch_from_agent(agent: AgentProcess, folder: Path, digest: str) -> float:
    """Hashed, written and synced."""
    size, file = (folder / "a" / "file").stat().st_size, folder / "a" / "file"
    given, store = agent.store.path(layout.blob_path(REPO, digest)), Store(folder / "b" / "store")
    os.link(file, given)
    blob, began = store.path(layout.blob_path(REPO, digest)), time.perf_counter()
    with store.receive(REPO, Entry(size, "e" * 40, digest)) as writer:
        target = blob_target(layout.repo_folder(REPO), digest, size)
        agent.client().copy(agent.url, target, writer, size, "the agent")
        writer.finish(blob)
    seconds = time.perf_counter() - began
    blob.unlink()
    given.unlink()
    return seconds


def _get(node: KuboNode, cid: str, file: Path) -> float:
    """Neither hashed again nor synced."""
    binary = node.binary()
    assert binary is not None
    began = time.perf_counter()
    subprocess.run([binary, "get", cid, "-o", str(file)], env=node.environment(), check=True, capture_output=True)
    seconds = time.perf_counter() - began
    file.unlink()
    return seconds


def _take(chunks: Iterable[bytes], digest: str) -> float:
    began, found = time.perf_counter(), hashlib.sha256()
    for data in chunks:
        found.update(data)
    seconds = time.perf_counter() - began
    assert found.hexdigest() == digest
    return seconds
