"""Containers of the examples as processes: a command with its environment, volumes as folders, addresses on loopback.

What is checked is what the examples say: the commands, their order, the probes, the time to end. Where the kernel gives
us namespaces, the file system is read-only but for the volumes, and the user is one whom no list of users has. Images
and networks are not checked.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .local_hub import LocalHub
from .machine import Machine
from .node import KuboNode

COMPOSE = Path(__file__).resolve().parents[2] / ".tools" / "compose"
_FLEET = ["ipfs-accelerate", "fleet"]
# $1: the user's id; then the folders that can be written, `--`, and the command
_CONFINED = """
user=$1; shift
while [ "$1" != -- ]; do mount --bind "$1" "$1" || exit; shift; done
shift
mount -o remount,ro,bind / && exec unshare --user --map-user="$user" --map-group="$user" "$@"
"""


@functools.cache
def can_confine() -> bool:
    """Return whether a process can be given a read-only file system and another user here."""
    if shutil.which("unshare") is None or shutil.which("mount") is None:
        return False
    done = subprocess.run(confine(["true"], [], always=True), capture_output=True, timeout=30)
    return done.returncode == 0


def confine(command: Sequence[str], folders: Iterable[Path], user: int = 1000, *, always: bool = False) -> list[str]:
    """The command with nothing but some folders to write to, as a user of that id; as it is where that cannot be."""
    if not (always or can_confine()):
        return list(command)
    words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _CONFINED, "sh", str(user)]
    return [*words, *map(str, folders), "--", *command]


class Compose:
    """What reads a compose file as Compose does: `make compose`."""

    @classmethod
    def missing(cls) -> str:
        """Empty if it is here, else what to do."""
        return "" if COMPOSE.exists() else "nothing reads compose files: install Go, then `make compose`"

    @staticmethod
    def read(path: Path) -> subprocess.CompletedProcess[str]:
        """The project as JSON on stdout, or what is wrong with it on stderr."""
        return subprocess.run([COMPOSE, path], capture_output=True, text=True, timeout=60)


class Container:
    """One container. `mounts`: path in it -> folder; `address`: its own; `names`: host names -> addresses.

    `confined`: it can write to its volumes alone, as far as that can be had here; False for a user's own machine.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        mounts: Mapping[str, Path],
        address: str,
        names: Mapping[str, str] | None = None,
        hub: LocalHub | None = None,
        confined: bool = True,
    ) -> None:
        # the Hub's address is what the network gives a container; the rest is the example's
        base = Machine(folder, hub=hub).environment
        for name in ("HF_HOME", "IPFS_ACCELERATE_HOME", "IPFS_PATH"):
            del base[name]
        self.root, self.mounts, self.address, self.names = folder, dict(mounts), address, dict(names or {})
        self.confined = confined
        (folder / "home").mkdir()
        (folder / "tmp").mkdir()
        programs = folder / "bin"
        programs.mkdir()
        (programs / "ipfs").symlink_to(str(shutil.which(KuboNode.binary() or "ipfs")))
        self.environment = {
            **base,
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            **{name: self.place(value) for name, value in environment.items()},
        }
        self.log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def place(self, text: str) -> str:
        """A text in which the volumes' paths are those of the folders."""
        for target, folder in self.mounts.items():
            text = re.sub(rf"(?<![\w/]){re.escape(target)}(?=/|$)", str(folder), text)
        return text

    def words(self, command: Sequence[str]) -> list[str]:
        """A command of a container as one of this machine."""
        words = [self.names.get(word, self.place(word)) for word in command]
        words = [re.sub(r"\$\((\w+)\)", lambda found: self.environment[found[1]], word) for word in words]
        if words[:2] == _FLEET and words[2] in ("init", "join", "run") and "--listen" not in words:
            words += ["--listen", self.address]  # what a container finds as its own address
        if words[0] == _FLEET[0]:
            words[:1] = [sys.executable, "-m", "ipfs_accelerate_py.hook"]
        return confine(words, [self.root / "tmp", *self.mounts.values()]) if self.confined else words

    def run(self, command: Sequence[str], timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        return subprocess.run(
            self.words(command),
            env=self.environment,
            cwd=self.root / "home",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def start(self, command: Sequence[str]) -> None:
        """Starts its program."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.words(command),
                env=self.environment,
                cwd=self.root / "home",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait_until(self, probe: Sequence[str], seconds: float = 90) -> None:
        """Waits until a probe's command ends with 0."""
        end = time.monotonic() + seconds
        while (done := self.run(probe)).returncode:
            assert self.process is not None and self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, f"{done.stdout}{done.stderr}\n{self.log.read_text()}"
            time.sleep(0.3)

    def stop(self, grace: float) -> int | None:
        """Ends its program as an engine does; its exit code, None where it had none or did not end in time."""
        process, self.process = self.process, None
        if process is None:
            return None
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(grace)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None

    def written(self) -> list[Path]:
        """Files beside the volumes and /tmp."""
        return [path for path in (self.root / "home").rglob("*") if path.is_file()]


def seconds_of(text: str) -> float:
    """A duration as Compose writes it: 1m30s."""
    units = {"h": 3600, "m": 60, "s": 1}
    return float(sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([hms])", text)))


def read_project(path: Path) -> dict[str, Any]:
    """A compose file as Compose understands it."""
    done = Compose.read(path)
    assert done.returncode == 0, done.stderr
    project: dict[str, Any] = json.loads(done.stdout)
    return project
