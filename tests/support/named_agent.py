"""`python -m tests.support.named_agent NAME STORE`: the agent of a machine of this name, which tests run beside others.

`fleet run` does the same; on one machine all would have one name.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from .fleet import FleetMachine

REPOSITORY = Path(__file__).resolve().parents[2]


class NamedMachine(FleetMachine):
    """A machine of a fleet with a name. It is made with --no-start."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.name = folder.name
        self._agent: subprocess.Popen[bytes] | None = None

    def start_agent(self) -> None:
        """Starts its agent, and waits until that answers."""
        with open(self.folder.agent_log, "ab") as log:
            self._agent = subprocess.Popen(
                [sys.executable, "-m", "tests.support.named_agent", self.name, str(self.store)],
                cwd=REPOSITORY,
                env={**self.environment, "IPFS_ACCELERATE": "0"},
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + 30
        while self.fleet("status", code=None)["agent"] is None:
            assert time.monotonic() < end and self._agent.poll() is None, self.log()
            time.sleep(0.1)

    def stop_agent(self) -> None:
        """Ends its agent as `fleet stop` does."""
        agent, self._agent = self._agent, None
        if agent is not None:
            agent.send_signal(signal.SIGTERM)
            agent.wait(30)

    def stop(self) -> None:
        self.stop_agent()


def main() -> int:
    name = sys.argv[1]
    socket.gethostname = lambda: name
    from ipfs_accelerate_py.agent.main import run

    return run(Path(sys.argv[2]))


if __name__ == "__main__":
    sys.exit(main())
