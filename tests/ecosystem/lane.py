"""One place in which loads run one after the other: a port for the Hub, a home, an interpreter plain or hooked."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from tests.support.machine import NOT_INHERITED

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "NO_PROXY": "127.0.0.1,localhost",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "IPFS_ACCELERATE_NODE": "off",
}


class Lane:
    """The interpreter starts at once and imports by itself; `run` waits for it."""

    def __init__(self, folder: Path, hooked: bool) -> None:
        self.folder, self.hooked = folder, hooked
        self.home, self.port = folder / "home", _free_port()
        self.home.mkdir(parents=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
        places = {"HOME": self.home, "HF_HOME": self.home / "hf", "IPFS_ACCELERATE_HOME": self.home / "store"}
        environment = {
            **kept,
            **ENVIRONMENT,
            **{name: str(place) for name, place in places.items()},
            "HF_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "IPFS_ACCELERATE": "1" if hooked else "0",
        }
        words = ["-m", "tests.ecosystem.child"]
        words = ["-m", "ipfs_accelerate_py.hook", "run", *words] if hooked else words
        self._log = open(folder / "log", "wb")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", *words], cwd=ROOT, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
        )  # fmt: skip
        self._imported: set[str] = set()
        self._ready, self._lock = False, threading.Lock()

    def run(self, module: str, late: bool, limit: float) -> dict[str, Any]:
        """What came of a load: digest or error, seconds, files served."""
        with self._lock:
            if not self._ready:
                self._ready = bool(self._hear()["ready"])
            answer = self.folder / "answer.json"
            answer.unlink(missing_ok=True)
            self._say({"module": module, "late": late, "limit": limit, "folder": str(self.folder)})
            if not self._hear()["ended"]:
                return {"error": {"type": "never", "text": f"no end within {limit:g} s"}, "seconds": limit}
            if not answer.exists():
                text = (self.folder / "stderr").read_text(errors="replace")[-800:]
                return {"error": {"type": "died", "text": text}, "seconds": 0.0}
            found: dict[str, Any] = json.loads(answer.read_text())
            if not late:  # a load after the activation imports our own modules
                new = set(found["modules"]) - self._imported
                self._imported |= new
                self._say({"import": sorted(new)})
            return found

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

    def _say(self, order: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the interpreter is gone: {(self.folder / 'log').read_text()[-2000:]}")
        return json.loads(line)  # type: ignore[no-any-return]

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()


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
