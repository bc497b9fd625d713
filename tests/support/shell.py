"""A user's shell on a simulated machine: a virtual environment of its own, in which the package is installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from .machine import SOURCE, Machine


class Shell:
    """Types commands. `export` lasts, as in a shell; what is said in `replaced` is replaced before a line runs."""

    def __init__(self, machine: Machine, replaced: dict[str, str] | None = None) -> None:
        self.machine, self.replaced = machine, dict(replaced or {})
        self.exported: dict[str, str] = {}
        folder = machine.home / ".venv"
        venv.EnvBuilder(with_pip=False, symlinks=True).create(folder)
        self.bin = folder / "bin"
        site = next(folder.glob("lib/python*/site-packages"))
        # sorted before ipfs_accelerate.pth, so that the package can be found when that is read
        (site / "_installed.pth").write_text(f"{SOURCE}\n{sysconfig.get_path('purelib')}\n")
        program = self.bin / "ipfs-accelerate"
        program.write_text(
            f"#!{self.bin}/python\nimport sys\nfrom ipfs_accelerate_py.cli.main import main\nsys.exit(main())\n"
        )
        program.chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        """The machine's, with this virtual environment first on PATH. The package is found by it alone."""
        folders = [str(self.bin), str(Path(sys.executable).parent), os.environ["PATH"]]
        environment = {**self.machine.environment, "PATH": os.pathsep.join(folders)}
        environment.pop("PYTHONPATH", None)
        # the settings' defaults, as a user has them: `~/.cache/ipfs_accelerate`
        for name in ("IPFS_ACCELERATE_HOME", "HF_HOME"):
            environment.pop(name, None)
        return {**environment, **self.exported}

    def type(self, command: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run one line; the caller judges how it ended."""
        for words, others in self.replaced.items():
            command = command.replace(words, others)
        if found := re.fullmatch(r"export (\w+)=(\S+)", command):
            self.exported[found[1]] = found[2]
            return subprocess.CompletedProcess(command, 0, "", "")
        return subprocess.run(
            ["bash", "-c", command],
            env=self.environment,
            cwd=self.machine.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
