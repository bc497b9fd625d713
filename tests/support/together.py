"""Machines of a fleet without Kubo that load at the same moment: the agent is a real process, and so is each worker."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ipfs_accelerate_py.fleet.client import ROOT, AgentClient
from ipfs_accelerate_py.fleet.folder import Fleet, FleetFolder, Ports
from ipfs_accelerate_py.fleet.keys import format_key
from ipfs_accelerate_py.fleet.members import Member
from ipfs_accelerate_py.fleet.signing import Signer
from ipfs_accelerate_py.store.store import Store
from ipfs_accelerate_py.store.visibility import remember_access

from .local_hub import LocalHub
from .machine import Machine
from .node import free_port

KEY = bytes(range(32))
_addresses = (f"127.{os.getpid() % 200 + 20}.{at // 250 + 100}.{at % 250 + 2}" for at in itertools.count())
_peers = itertools.count()
# It waits for its start, loads, and says how long that took, what it got, and what the process counted.
WORKER = """\
import hashlib, json, os, sys, time
from huggingface_hub import snapshot_download
print("ready", flush=True)
sys.stdin.readline()
started = time.monotonic()
folder = snapshot_download(sys.argv[1])
seconds, ended = time.monotonic() - started, time.time()
found = {}
for where, _, names in os.walk(folder):
    for name in names:
        path = os.path.join(where, name)
        with open(path, "rb") as file:
            found[os.path.relpath(path, folder)] = hashlib.file_digest(file, "sha256").hexdigest() if hasattr(
                hashlib, "file_digest") else hashlib.sha256(file.read()).hexdigest()
from ipfs_accelerate_py.auto_patch_transformers import get_status
status = get_status()
got = {"seconds": seconds, "ended": ended, "files": found}
print(json.dumps({**got, "served": status["served"], "liars": status["liars"]}))
"""


class TogetherMachine(Machine):
    """A machine whose fleet folder is written here, in place of `fleet join`."""

    def __init__(self, folder: str | os.PathLike[str], hub: LocalHub | None = None, **environment: str) -> None:
        super().__init__(folder, hub, **environment)
        self.address = next(_addresses)
        peer = f"12D3KooW{'1' * 35}{next(_peers) + 1000:0>9}".translate(str.maketrans("0", "z"))
        ports = Ports(*(free_port() for _ in range(5)))
        self.fleet = Fleet("together", peer, self.address, ports, key=KEY)
        self.folder = FleetFolder(self.store)
        self.agent: subprocess.Popen[bytes] | None = None
        self.folder.own.mkdir(parents=True, mode=0o700)
        self.folder.swarm_key.write_bytes(format_key(KEY))
        self.folder.write(self.fleet)

    @property
    def peer(self) -> str:
        return self.fleet.peer

    @property
    def member(self) -> Member:
        return Member(
            self.peer, Path(self.home).name, f"http://{self.address}:{self.fleet.ports.agent}", seen=time.time()
        )

    def know(self, others: Iterable[TogetherMachine]) -> None:
        """Writes down who the others are, as the gossip would."""
        self.folder.write_members(each.member for each in others if each is not self)

    def start_agent(self) -> None:
        """Starts it; `wait_for_agent` waits until it is ready."""
        words = [sys.executable, "-m", "ipfs_accelerate_py.agent", str(self.store), "--without-kubo"]
        with open(self.folder.agent_log, "ab") as log:
            self.agent = subprocess.Popen(
                words, env=self.environment, stdin=subprocess.DEVNULL, stderr=log, cwd=self.home
            )

    def wait_for_agent(self) -> None:
        """Waits until it has written down where it is."""
        end = time.monotonic() + 60
        while not self.folder.agent.exists():
            assert self.agent is not None
            assert self.agent.poll() is None and time.monotonic() < end, self.folder.agent_log.read_text()
            time.sleep(0.02)

    def kill_agent(self) -> None:
        """Ends it as the kernel would that is out of memory."""
        assert self.agent is not None
        self.agent.kill()
        self.agent.wait()

    def worker(self, repo_id: str, **options: Any) -> Worker:
        """Starts a worker process, which waits for `go`."""
        return Worker(self, self.start(WORKER, repo_id, stdin=subprocess.PIPE, **options))

    def ask_agent(self, route: str, document: dict[str, Any]) -> dict[str, Any]:
        """What its agent answers a program of this machine."""
        client = AgentClient(Signer(KEY, self.peer), 10.0)
        try:
            return client.post(f"http://127.0.0.1:{self.fleet.ports.local}", ROOT + route, document)
        finally:
            client.close()

    def wait_for_word_of(self, other: TogetherMachine, folder: str) -> None:
        """Waits until it is told that another member has something of a repo."""
        end = time.monotonic() + 30
        # of a file that nobody has: those that have something of its repo are named all the same
        question = {"folder": folder, "etag": "e" * 64, "size": 1, "claim": False}
        while other.peer not in [row["peer"] for row in self.ask_agent("find", question)["holders"]]:
            assert time.monotonic() < end, f"{other.peer} does not say that it has {folder}"
            time.sleep(0.05)

    def hold(self, repo_id: str) -> None:
        """The Hub has shown this machine that everybody may read the repo."""
        remember_access(Store(self.store), repo_id, True)

    def stop(self) -> None:
        if self.agent is not None and self.agent.poll() is None:
            self.agent.terminate()
            try:
                self.agent.wait(10)
            except subprocess.TimeoutExpired:
                self.kill_agent()
        super().stop()


class Worker:
    """A worker process of a machine."""

    def __init__(self, machine: TogetherMachine, process: subprocess.Popen[str]) -> None:
        self.machine, self.process = machine, process
        self._is_ready = False

    def wait(self) -> Worker:
        """Waits until it has imported what it needs."""
        if not self._is_ready:
            assert self.process.stdout is not None
            line = self.process.stdout.readline()
            assert line == "ready\n", line + (self.process.stderr.read() if self.process.stderr else "")
            self._is_ready = True
        return self

    def go(self) -> Worker:
        """Lets it load."""
        self.wait()
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def result(self, seconds: float = 120) -> dict[str, Any]:
        """What it got; `stderr` is what it said."""
        out, err = self.process.communicate(timeout=seconds)
        assert self.process.returncode == 0, err
        return {**json.loads(out), "stderr": err}


def start_together(machines: list[TogetherMachine], others: Iterable[TogetherMachine] = ()) -> None:
    """Starts the agents of machines that know of each other, and of others that are not started."""
    known = [*machines, *others]
    for machine in machines:
        machine.know(known)
    for machine in machines:
        machine.start_agent()
    for machine in machines:
        machine.wait_for_agent()


def start_workers(machines: Iterable[TogetherMachine], repo_id: str) -> list[Worker]:
    """A worker process on each, ready to begin at the same moment."""
    workers = [machine.worker(repo_id) for machine in machines]
    return [worker.wait() for worker in workers]


def bytes_from_hub(hub: LocalHub) -> int:
    """The bytes of files that the Hub has given."""
    return sum(
        row["bytes"] or 0
        for row in list(hub.log)
        if row["origin"] == "cdn" or "/resolve" in row["path"] or "/_blob/" in row["path"]
    )
