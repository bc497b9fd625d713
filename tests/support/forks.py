"""An interpreter, plain or hooked, that imports everything once, and whose forks carry out orders one by one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from .machine import NOT_INHERITED

ROOT = Path(__file__).resolve().parents[2]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}


class NoAnswer(Exception):
    """`kind`: never (no end within the limit), or died."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind, self.text = kind, text


class Interpreter:
    """`module` calls `fork_server.serve`; its home, cache and store are in `folder/home`. It starts at once."""

    def __init__(self, module: str, folder: Path, hooked: bool, environment: dict[str, str], *options: str) -> None:
        self.folder, home = folder, folder / "home"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
        places = {"HOME": home, "HF_HOME": home / "hf", "IPFS_ACCELERATE_HOME": home / "store"}
        whole = {
            **kept,
            **{name: str(place) for name, place in places.items()},
            **environment,
            "IPFS_ACCELERATE": "1" if hooked else "0",
            "IPFS_ACCELERATE_NODE": "off",
        }
        words = ["-m", module]
        words = ["-m", "ipfs_accelerate_py.hook", "run", *words] if hooked else words
        self._log = open(folder / "log", "wb")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, *options, *words], cwd=ROOT, env=whole,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
        )  # fmt: skip
        self._imported: set[str] = set()
        self._ready = False

    def ask(self, order: dict[str, Any], limit: float, *, share_imports: bool = True) -> dict[str, Any]:
        """What an order came to; NoAnswer if that is nothing. `share_imports`: later orders have its modules."""
        self.wait_until_ready()
        answer = self.folder / "answer.json"
        answer.unlink(missing_ok=True)
        self._tell({**order, "limit": limit, "folder": str(self.folder)})
        if not self._hear()["ended"]:
            raise NoAnswer("never", f"no end within {limit:g} s")
        if not answer.exists():
            raise NoAnswer("died", (self.folder / "stderr").read_text(errors="replace")[-800:])
        found: dict[str, Any] = json.loads(answer.read_text())
        new = set(found.pop("modules")) - self._imported
        if share_imports:
            self._imported |= new
            self._tell({"import": sorted(new)})
        return found

    def wait_until_ready(self) -> None:
        if not self._ready:
            self._ready = bool(self._hear()["ready"])

    def _tell(self, order: dict[str, Any]) -> None:
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
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()
