"""A simulated machine: a home, caches, a store, maybe a node, and an environment that inherits nothing that matters."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from .local_hub import LocalHub
from .node import IpfsNode

SOURCE = Path(__file__).resolve().parents[2] / "src"
NOT_INHERITED = (
    *("CI", "HF_", "HUGGING", "IPFS_", "PYTEST_", "PYTHON", "STORAGE_", "TRANSFORMERS_", "VIRTUAL_ENV", "XDG_"),
)
# where no Hub is given, nothing listens: a test never reaches the real one
NO_HUB = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_DISABLE_TELEMETRY": "1"}


class Machine:
    """Runs programs as a user of this machine would. `hub` and `node` may be set or cleared at any time."""

    def __init__(
        self,
        folder: str | os.PathLike[str],
        hub: LocalHub | None = None,
        node: type[IpfsNode] | None = None,
        bootstrap: list[IpfsNode] | None = None,
        **environment: str,
    ) -> None:
        self.home = Path(folder)
        self.home.mkdir(parents=True)
        self.cache = Path(environment.get("HF_HOME") or self.home / ".cache" / "huggingface")
        self.store = Path(environment.get("IPFS_ACCELERATE_HOME") or self.home / ".cache" / "ipfs_accelerate")
        self.hub = hub
        self.node = node(self.home / ".ipfs", bootstrap) if node else None
        self.more = environment
        if self.node:
            self.node.start()

    @property
    def environment(self) -> dict[str, str]:
        """What a program that is started now gets."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
        if str(SOURCE) in os.environ.get("PYTHONPATH", "").split(os.pathsep):
            kept["PYTHONPATH"] = str(SOURCE)  # tests of a tree that is not installed
        return {
            **kept,
            "NO_PROXY": "127.0.0.1,localhost",
            "HOME": str(self.home),
            "HF_HOME": str(self.cache),
            "IPFS_PATH": str(self.home / ".ipfs"),
            "IPFS_ACCELERATE_HOME": str(self.store),
            **(self.hub.env() if self.hub else NO_HUB),
            **self.more,
        }

    def copies(self) -> list[Path]:
        """Blobs in the Hugging Face cache that are not the store's own, under another name."""
        found = []
        for blob in (self.cache / "hub").glob("models--*/blobs/*"):
            ours = self.store / blob.relative_to(self.cache / "hub")
            if not (ours.exists() and ours.samefile(blob)):
                found.append(blob)
        return found

    def run(
        self,
        program: str | os.PathLike[str],
        *arguments: str,
        hooked: bool = True,
        env: dict[str, str] | None = None,
        timeout: float = 120,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a script (a path that ends in .py) or code, through `hook run` or in plain Python."""
        target = [str(program)] if str(program).endswith(".py") else ["-c", str(program)]
        if not hooked:
            return self._python([*target, *arguments], env or {}, timeout)
        words = ["-m", "ipfs_accelerate_py.hook", "run", *target, *arguments]
        return self._python(words, {"IPFS_ACCELERATE": "1", **(env or {})}, timeout)

    def hook(
        self, *words: str, env: dict[str, str] | None = None, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Runs one of our commands."""
        return self._python(["-m", "ipfs_accelerate_py.hook", *words], env or {}, timeout)

    def start(self, code: str, *arguments: str, hooked: bool = True, **options: Any) -> subprocess.Popen[str]:
        """Starts code and returns at once; the caller ends it."""
        words = ["-m", "ipfs_accelerate_py.hook", "run"] if hooked else []
        switch = {"IPFS_ACCELERATE": "1"} if hooked else {}
        env = {**self.environment, **switch, **options.pop("env", {})}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": self.home, **options}
        return subprocess.Popen([sys.executable, *words, "-c", code, *arguments], env=env, **pipes)

    def stop(self) -> None:
        if self.node:
            self.node.stop()

    def _python(self, words: list[str], env: dict[str, str], timeout: float) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            env={**self.environment, **env},
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
