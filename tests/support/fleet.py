"""Machines of a fleet, made by the commands that users type. Each has a loopback address of its own."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from ipfs_accelerate_py.fleet.folder import FleetFolder, read_agent

from .machine import Machine
from .node import KuboNode

_addresses = (f"127.{os.getpid() % 200 + 20}.{at // 250}.{at % 250 + 2}" for at in itertools.count())


def next_address() -> str:
    """A loopback address that no other machine here has."""
    return next(_addresses)


class FleetMachine(Machine):
    """A machine that makes a fleet or joins one. `address`: at which the others reach it."""

    def __init__(self, folder: str | os.PathLike[str], **options: Any) -> None:
        super().__init__(folder, **options)
        self.address = next_address()
        self.folder = FleetFolder(self.store)

    def fleet(self, *words: str, code: int | None = 0, **options: Any) -> Any:
        """Runs `fleet WORDS --json`; its document. `code`: the exit code that it must have, None for any."""
        done = self.hook("fleet", *words, "--json", **options)
        assert code is None or done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout) if done.stdout else done.stderr

    def places(self) -> list[str]:
        """The options of init and join that keep it on loopback."""
        return ["--listen", self.address, "--ipfs", KuboNode.binary() or "ipfs"]

    def init(self, *words: str) -> Any:
        return self.fleet("init", *words, *self.places())

    def join(self, other: FleetMachine) -> Any:
        return self.fleet("join", other.fleet("invite")["invitation"], *self.places())

    @property
    def members(self) -> dict[str, Any]:
        """The other members by peer id, as its agent sees them."""
        return {member["peer"]: member for member in self.fleet("status", code=None)["members"]}

    def sees(self, peer: str, seconds: float = 30.0, **what: Any) -> Any:
        """Waits until it sees a member as it should be; the member."""
        end = time.monotonic() + seconds
        while True:
            member = self.members.get(peer)
            if member is not None and all(member[name] == value for name, value in {"there": True, **what}.items()):
                return member
            assert time.monotonic() < end, f"{peer} is not seen as {what}: {member}"
            time.sleep(0.2)

    @property
    def peer(self) -> str:
        return self.folder.read().peer

    def kill_agent(self) -> None:
        """Ends the agent as the kernel would that is out of memory."""
        place = read_agent(self.folder)
        assert place is not None
        os.kill(place.pid, signal.SIGKILL)

    def log(self) -> str:
        return self.folder.agent_log.read_text() if self.folder.agent_log.exists() else ""

    def stop(self) -> None:
        super().stop()
        if self.folder.exists():
            with contextlib.suppress(Exception):
                self.hook("fleet", "stop")


def modes(folder: Path) -> dict[str, int]:
    """Permissions of all files below a folder."""
    return {path.name: path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}


def move_to_another_address(machine: FleetMachine) -> None:
    """The machine gets another loopback address."""
    machine.address = next_address()
