"""Programs that go on when the one that starts them ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_SHELL = '"$0" "$@" &'


def start_module(
    module: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path | None = None
) -> bool:
    """Start `python -m module` detached; return whether there is a Python to start. `log`: where its output goes.

    No process waits for it or has to reap it. The hook is off in it.
    """
    if not sys.executable:
        return False
    package_folder = str(Path(__file__).resolve().parents[1])
    paths = [package_folder, *filter(None, [environment.get("PYTHONPATH")])]
    command = [sys.executable, "-m", module, *arguments]
    if os.name == "posix":  # the shell ends at once and leaves the process to init
        command = ["/bin/sh", "-c", _SHELL, *command]
    with open(os.devnull if log is None else log, "ab") as output:
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=os.sep,
            env={**environment, "PYTHONPATH": os.pathsep.join(paths), "IPFS_ACCELERATE": "0"},
            start_new_session=True,
            creationflags=getattr(subprocess, "DETACHED_PROCESS", 0),
            timeout=5,
            check=False,
        )
    return True
