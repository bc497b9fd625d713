"""One place in which loads run one after the other: a port for the Hub, a home, an interpreter plain or hooked."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

from tests.support.forks import ONE_THREAD, Interpreter, NoAnswer

ENVIRONMENT = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "NO_PROXY": "127.0.0.1,localhost",
    **ONE_THREAD,
}


class Lane:
    """The interpreter starts at once and imports by itself; `run` waits for it."""

    def __init__(self, folder: Path, hooked: bool) -> None:
        self.folder, self.hooked = folder, hooked
        self.home, self.port = folder / "home", _free_port()
        self.home.mkdir(parents=True)
        environment = {**ENVIRONMENT, "HF_ENDPOINT": f"http://127.0.0.1:{self.port}"}
        self._interpreter = Interpreter("tests.ecosystem.child", folder, hooked, environment, "-W", "ignore")
        self._lock = threading.Lock()

    def run(self, module: str, late: bool, limit: float) -> dict[str, Any]:
        """What came of a load: digest or error, seconds, files served."""
        with self._lock:
            try:  # a load after the activation imports our own modules
                return self._interpreter.ask({"module": module, "late": late}, limit, share_imports=not late)
            except NoAnswer as error:
                seconds = limit if error.kind == "never" else 0.0
                return {"error": {"type": error.kind, "text": error.text}, "seconds": seconds}

    def lay(self, kept: Path | None) -> None:
        """An empty home, or one that was kept; hard links between store and cache stay what they are."""
        shutil.rmtree(self.home)
        if kept is None:
            self.home.mkdir()
        else:
            subprocess.run(["cp", "-a", kept, self.home], check=True)

    def keep(self, target: Path) -> None:
        shutil.rmtree(target, ignore_errors=True)
        subprocess.run(["cp", "-a", self.home, target], check=True)

    def stop(self) -> None:
        self._interpreter.stop()


def _free_port() -> int:
    """Below the ports that the system gives to clients: nobody takes it while the Hub is down."""
    for port in range(20000 + os.getpid() % 8000, 32000):
        if port not in _TAKEN:
            with socket.socket() as trial:
                try:
                    trial.bind(("127.0.0.1", port))
                except OSError:
                    continue
            _TAKEN.add(port)
            return port
    raise RuntimeError("no port is free")


_TAKEN: set[int] = set()
