"""One IPFS node as a process of its own: start, connect, RPC, stop. What it runs is in node.py.

A node is the child of a shell that ends with its standard input, so not even a killed test run leaves one behind.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

RUN_UNTIL_STDIN_ENDS = """
exec 3<&0
"$@" 3<&- & node=$!
(cat <&3; kill $node) >/dev/null 2>&1 & wait $node
"""


class NodeError(RuntimeError):
    """A node that did not start, or an RPC call it refused."""


def free_port() -> int:
    """A loopback port nobody listens on, below the range the kernel hands out to clients. None is given twice."""
    for port in _ports:
        with socket.socket() as candidate, contextlib.suppress(OSError):
            candidate.bind(("127.0.0.1", port))
            return port
    raise NodeError("no free loopback port")


def _own_ports() -> Iterator[int]:
    """The ports of this process: those of a parallel test run are shared out among its workers."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    ports = list(range(20000 + worker, 32000, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))))
    random.shuffle(ports)
    yield from ports


_ports = _own_ports()


def swarm_address(node: IpfsNode) -> str:
    """The multiaddr under which others dial `node`, which has started."""
    return f"/ip4/127.0.0.1/tcp/{node.swarm_port}/p2p/{node.peer_id}"


class IpfsNode:
    """One node process with its own repo folder; `bootstrap` are started nodes it meets by itself."""

    start_seconds = 30.0
    headers: ClassVar[dict[str, str]] = {}  # of each RPC call

    def __init__(self, repo_path: str | os.PathLike[str], bootstrap: list[IpfsNode] | None = None) -> None:
        self.repo_path = Path(repo_path)
        self.bootstrap = list(bootstrap or [])
        self.api_port, self.gateway_port, self.swarm_port = free_port(), free_port(), free_port()
        self.peer_id = ""
        self.log_path = self.repo_path.with_name(self.repo_path.name + ".log")
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """Prepares the repo and says how to run the node."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return dict(os.environ)

    @property
    def api(self) -> str:
        """Multiaddr of the RPC API."""
        return f"/ip4/127.0.0.1/tcp/{self.api_port}"

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def gateway(self) -> str:
        """URL of the HTTP gateway."""
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> IpfsNode:
        """Returns when the RPC answers."""
        if self.running:
            return self
        self.repo_path.parent.mkdir(parents=True, exist_ok=True)
        command = self.command()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                ["/bin/sh", "-c", RUN_UNTIL_STDIN_ENDS, "ipfs-node", *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self.environment(),
                start_new_session=True,
            )
        atexit.register(self.stop)
        deadline = time.monotonic() + self.start_seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                self.peer_id = self.rpc("id", timeout=2)["ID"]
                break
            if not self.running:
                break
            time.sleep(0.05)
        else:
            self.stop()
        if not self.running:
            raise NodeError(f"the node did not start:\n{self._log_tail()}")
        for peer in self.bootstrap:
            if peer.running:
                self.connect_to(peer)
        return self

    def stop(self) -> None:
        """Ends the process and all it started; the repo stays."""
        process, self.process = self.process, None
        atexit.unregister(self.stop)
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill(self) -> None:
        """Ends the process at once, as a power cut would."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.stop()

    def pause(self) -> None:
        """Stops the process where it is: connections are accepted by the kernel, nothing answers."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGCONT)

    def __enter__(self) -> IpfsNode:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def rpc(self, call: str, *arguments: str, body: bytes | None = None, timeout: float = 30, **options: str) -> Any:
        """POSTs one RPC call; the JSON answer (a list if there are several), or the bytes if it is none."""
        query = [("arg", argument) for argument in arguments]
        query += [(name.replace("_", "-"), value) for name, value in options.items()]
        url = f"{self.api_url}/api/v0/{call}?{urllib.parse.urlencode(query)}"
        request = urllib.request.Request(url, method="POST", headers=self.headers)
        if body is not None:
            request.data = b'--part\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n' + (
                b"Content-Type: application/octet-stream\r\n\r\n" + body + b"\r\n--part--\r\n"
            )
            request.add_header("Content-Type", "multipart/form-data; boundary=part")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=timeout) as answer:
                raw = answer.read()
        except urllib.error.HTTPError as error:
            raise NodeError(f"{call}: {error.code} {error.read().decode(errors='replace')}") from None
        try:
            documents = [json.loads(line) for line in raw.splitlines() if line.strip()]
        except ValueError:
            return raw
        return documents[0] if len(documents) == 1 else documents

    def connect_to(self, other: IpfsNode) -> None:
        """Returns when the two are connected and this one gets blocks from the other."""
        address = swarm_address(other)
        for _ in range(5):
            self.rpc("swarm/connect", address)
            if self._gets_blocks_from(other):
                return
            # Kubo's bitswap never hears of a connection that was made while it was starting
            self.rpc("swarm/disconnect", address)
        raise NodeError(f"{self.peer_id} gets no blocks from {address}")

    def put_block(self, content: bytes) -> str:
        """Stores a raw block; returns its CID (version 1, base 32)."""
        return str(self.rpc("block/put", body=content, format="raw", mhtype="sha2-256", version="1")["Key"])

    def _gets_blocks_from(self, other: IpfsNode) -> bool:
        probe = other.put_block(os.urandom(16))
        try:
            self.rpc("block/get", probe, timeout=1)
            self.rpc("block/rm", probe)
        except (NodeError, OSError):
            return False
        finally:
            other.rpc("block/rm", probe)
        return True

    def peers(self) -> set[str]:
        """Peer ids of the swarm connections."""
        return {peer["Peer"] for peer in self.rpc("swarm/peers")["Peers"] or []}

    def _log_tail(self) -> str:
        with contextlib.suppress(OSError):
            return self.log_path.read_text(errors="replace")[-3000:]
        return ""
