"""The agent of a fleet without Kubo, as a process of its own: `python -m tests.support.agent STORE` is the child."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from ipfs_accelerate_py.fleet.client import AgentClient
from ipfs_accelerate_py.fleet.folder import Fleet, FleetFolder
from ipfs_accelerate_py.fleet.keys import format_key
from ipfs_accelerate_py.fleet.setup import choose_ports
from ipfs_accelerate_py.fleet.signing import Signer
from ipfs_accelerate_py.store.store import Store

REPOSITORY = Path(__file__).resolve().parents[2]
KEY = bytes(range(32))
OTHER_KEY = bytes(32)


def peer_id(number: int) -> str:
    """A peer id for a machine that has no Kubo."""
    return f"12D3KooW{'TestPeer' * 4}{number:012}".replace("0", "z")


class AgentProcess:
    """The agent of a store, listening on loopback; a context manager. `ahead`: seconds that its clock is ahead;
    `patience`: seconds in place of the minute that a client may take nothing, and of the ten for a first request;
    `caches`: the Hugging Face caches of its settings.
    """

    def __init__(
        self,
        store: Path,
        listen: str = "127.0.0.2",
        number: int = 1,
        ahead: float = 0.0,
        patience: float = 0.0,
        caches: tuple[Path, ...] = (),
    ) -> None:
        store.mkdir(parents=True, exist_ok=True)
        self.store, self.folder = Store(store), FleetFolder(store)
        self._options = [str(ahead), str(patience)]
        self._lower = os.pathsep.join(map(str, caches))
        self.fleet = Fleet("tests", peer_id(number), listen, choose_ports(listen), key=KEY)
        self.folder.own.mkdir(parents=True, exist_ok=True)
        self.folder.swarm_key.write_bytes(format_key(KEY))
        self.folder.write(self.fleet)
        self.url = f"http://{listen}:{self.fleet.ports.agent}"
        self.local = f"http://127.0.0.1:{self.fleet.ports.local}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> AgentProcess:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.agent", str(self.store.root), *self._options],
            stdout=subprocess.PIPE,
            cwd=REPOSITORY,
            env={
                **os.environ,
                "IPFS_ACCELERATE": "0",
                "IPFS_ACCELERATE_HOME": str(self.store.root),
                "IPFS_ACCELERATE_LOWER": self._lower,
            },
        )
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], 30)
        assert ready and self._process.stdout.readline() == b"ready\n", "the agent did not start"
        return self

    def __exit__(self, *_: object) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(10)
            finally:
                process.kill()
                process.wait()
                assert process.stdout is not None
                process.stdout.close()

    @property
    def pid(self) -> int:
        """Of the process."""
        assert self._process is not None
        return self._process.pid

    def client(self, idle_timeout: float = 5.0, key: bytes = KEY, number: int = 2) -> AgentClient:
        """A member's client, or with another key a stranger's."""
        return AgentClient(Signer(key, peer_id(number)), idle_timeout)

    def memory(self, field: str = "VmHWM") -> int:
        """Bytes of the process's memory: the most that it had, or VmRSS for now."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) * 1024
        raise LookupError(field)

    def seconds(self) -> float:
        """The processor's time that the process has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _serve(store: Path, ahead: float, patience: float) -> None:
    import time

    from ipfs_accelerate_py.agent import blobs, server
    from ipfs_accelerate_py.agent.agent import Agent
    from ipfs_accelerate_py.fleet.signing import Guard

    if patience:
        blobs._UNREAD = server._FIRST = patience

    folder = FleetFolder(store)
    agent = Agent(Store(store), folder, folder.read())
    agent.guard = Guard(agent.fleet.key, lambda: time.time() + ahead)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with server.serve(agent):
        print("ready", flush=True)
        await ended.wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
