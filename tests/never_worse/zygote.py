"""The parent's side of `child`: one interpreter, plain or hooked, whose forks carry out orders side by side."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from itertools import count
from pathlib import Path
from typing import Any

from tests.support.forks import ONE_THREAD
from tests.support.machine import NOT_INHERITED

from .child import ENDPOINT, HOME

ROOT = Path(__file__).resolve().parents[2]
# Plain's waits are shortened on both sides alike: where a Hub hangs it is given so many seconds for a question.
PATIENCE = "3"
LIMIT = 420.0  # seconds after which a fork is ended: plain waits 23 s for each of a tokenizer's files
ENVIRONMENT = {
    "HF_ENDPOINT": ENDPOINT,
    "HF_HOME": HOME,
    "HF_HUB_ETAG_TIMEOUT": PATIENCE,
    "HF_HUB_DOWNLOAD_TIMEOUT": PATIENCE,
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "NO_PROXY": "127.0.0.1,localhost",
    **ONE_THREAD,
    "IPFS_ACCELERATE_TIMEOUT": "1.0",
    "IPFS_ACCELERATE_NODE": "off",
}


class Zygote:
    """Started when it is first needed."""

    def __init__(self, hooked: bool) -> None:
        self.hooked = hooked
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers, self._lock, self._ready = count(), threading.Lock(), threading.Event()
        self._ended: dict[int, threading.Event] = {}
        self._imported: set[str] = set()

    def start(self) -> None:
        with self._lock:
            if self._process is not None:
                return
            kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
            words = [sys.executable, "-m", "tests.never_worse.child"]
            if self.hooked:
                words[1:2] = ["-m", "ipfs_accelerate_py.hook", "run", "-m"]
            environment = {**kept, **ENVIRONMENT, "IPFS_ACCELERATE": "1" if self.hooked else "0"}
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            self._process = subprocess.Popen(words, cwd=ROOT, env=environment, **pipes)  # type: ignore[call-overload]
            threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True).start()

    def run(self, folder: Path, lines: list[str], environment: dict[str, str], limit: float = LIMIT) -> dict[str, Any]:
        """Evaluate the lines in `folder`, with its `hf` as HF_HOME and its `store` as ours; what came of the last."""
        self.start()
        assert self._ready.wait(300), "the interpreter did not start"
        number, ended = next(self._numbers), threading.Event()
        self._ended[number] = ended
        places = {"HOME": folder, "HF_HOME": folder / "hf", "IPFS_ACCELERATE_HOME": folder / "store"}
        environment = {**{name: str(place) for name, place in places.items()}, **environment}
        order = {"id": number, "folder": str(folder), "lines": lines, "environment": environment, "limit": limit}
        self._tell(order)
        assert ended.wait(limit + 60), "the interpreter is gone"
        try:
            answer = json.loads((folder / "answer.json").read_text())
        except FileNotFoundError:
            return {"error": {"type": "no answer", "text": _tail(folder / "stderr")}, "said": [], "seconds": limit}
        self._tell({"import": sorted(set(answer.pop("modules")) - self._imported)})
        return answer  # type: ignore[no-any-return]

    def _tell(self, order: dict[str, Any]) -> None:
        assert self._process is not None and self._process.stdin is not None
        with self._lock:
            self._imported.update(order.get("import", ()))
            if len(order) > 1 or order.get("import"):
                self._process.stdin.write(json.dumps(order).encode() + b"\n")
                self._process.stdin.flush()

    def _listen(self, stream: Any) -> None:
        for line in stream:
            message = json.loads(line)
            if message.get("ready"):
                self._ready.set()
            else:
                self._ended.pop(message["ended"]).set()

    def stop(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait(60)


def _tail(path: Path) -> str:
    return path.read_text(errors="replace")[-500:] if path.exists() else ""
