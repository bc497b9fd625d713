"""Kubo as a child of the agent: started, watched, started again when it ends, and ended with the agent."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from typing import IO

from ..errors import SourceError
from ..fleet import kubo
from ..fleet.folder import Fleet, FleetFolder
from ..ipfs.node import Node
from ..ipfs.rpc_errors import NodeBreaker
from ..log import get_logger
from ..net import timeouts
from ..session import session

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # seconds before it is started again; doubled each time
_WELL = 60.0  # seconds after which an end is a new one, not the next of a row
_END = 10.0  # seconds that it gets to end by itself
_LOG_LIMIT = 1 << 20
# The shell's standard input ends with the agent, however that ends: then Kubo is told to end, too.
_UNTIL_STDIN_ENDS = """
exec 3<&0
"$@" 3<&- & node=$!
(cat <&3; kill $node) >/dev/null 2>&1 & watch=$!
wait $node; code=$?
kill $watch 2>/dev/null
exit $code
"""


class Kubo:
    """The Kubo of the fleet. `restarts`: how often it had to be started again; `trouble`: why it is not running."""

    def __init__(self, folder: FleetFolder, fleet: Fleet) -> None:
        self.folder, self.fleet = folder, fleet
        self.node = Node(f"/ip4/127.0.0.1/tcp/{fleet.ports.api}", 5.0)
        self.restarts = 0
        self.trouble = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="kubo", daemon=True)

    @property
    def pid(self) -> int:
        """Of the shell that Kubo is a child of; 0 where it does not run."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else 0

    def start(self) -> None:
        """Start it, and start it again whenever it ends."""
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait until it answers; return whether it does."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._stopped.is_set():
            if self.is_up():
                return True
            time.sleep(0.1)
        return False

    def is_up(self) -> bool:
        """Return whether it answers, with the identity that this machine has in the fleet."""
        if self.pid == 0 or not self._listens():
            return False
        session.part(NodeBreaker).close(self.node.address)  # it was not there a moment ago
        with contextlib.suppress(SourceError):
            return bool(self.node.field("id", "ID") == self.fleet.peer)
        return False

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.fleet.ports.api), timeouts.CONNECT_NEAR).close()
            return True
        except OSError:
            return False

    def stop(self) -> None:
        """End it, and start it no more."""
        self._stopped.set()
        process = self._process
        if process is not None and process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
            try:
                process.wait(_END)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, 9)
                process.wait()
        if self._thread.is_alive():
            self._thread.join(_END)

    def _keep(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stopped.is_set():
            started = time.monotonic()
            try:
                with self._open_log() as log:
                    self._process = self._start(log)
                    code = self._process.wait()
                self.trouble = "" if self._stopped.is_set() else f"it ended with exit code {code}: {self._last_line()}"
            except OSError as error:
                self.trouble = f"{self.fleet.program} cannot be started: {error.strerror}"
            if self._stopped.is_set():
                return
            if time.monotonic() - started > _WELL:
                pause = _FIRST_PAUSE
            self.restarts += 1
            get_logger().warning("Kubo: %s; it is started again in %.0f s", self.trouble, pause)
            self._stopped.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _start(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        # a daemon that was killed leaves its address behind, at which nobody is
        (self.folder.repo / "api").unlink(missing_ok=True)
        command = [self.fleet.program, "daemon", "--enable-gc"]
        return subprocess.Popen(
            ["/bin/sh", "-c", _UNTIL_STDIN_ENDS, "kubo", *command],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=self.folder.repo,
            env=kubo.environment(self.folder.repo),
            start_new_session=True,
        )

    def _open_log(self) -> IO[bytes]:
        with contextlib.suppress(OSError):
            if self.folder.kubo_log.stat().st_size > _LOG_LIMIT:
                os.replace(self.folder.kubo_log, self.folder.kubo_log.with_suffix(".log.1"))
        return open(os.open(self.folder.kubo_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")

    def _last_line(self) -> str:
        with contextlib.suppress(OSError):
            lines = self.folder.kubo_log.read_bytes()[-4096:].decode(errors="replace").split("\n")
            return next((line.strip() for line in reversed(lines) if line.strip()), "")
        return ""
