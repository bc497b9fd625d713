"""The commands, a module each: `HELP`, `EXAMPLES`, `declare(parser)`, `execute(args) -> exit code`.

Only the module of the command that is called is imported, and what its work needs only when it is executed.
"""

GOOD, FAILED, USAGE, UNVERIFIED, INTERRUPTED = 0, 1, 2, 3, 130
PROGRAM = "python -m ipfs_accelerate_py.hook"
VERBS = (
    *("run", "enable", "disable", "status", "doctor", "env", "config"),
    *("ls", "fetch", "publish", "verify", "lock", "gc", "completion"),
)
