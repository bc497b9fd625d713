"""What the program is called, its commands, and its exit codes."""

from __future__ import annotations

GOOD, FAILED, USAGE, UNVERIFIED, INTERRUPTED = 0, 1, 2, 3, 130
PROGRAM = "python -m ipfs_accelerate_py.hook"
VERBS = (
    *("run", "enable", "disable", "status", "doctor", "env", "config"),
    *("ls", "fetch", "publish", "verify", "lock", "gc", "fleet", "completion"),
)
