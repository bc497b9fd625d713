"""Leases: which processes may be about to read a commit, and what running processes have open or mapped.

A load takes a lease of its commit before it looks for files, so that a concurrent `gc` leaves them alone until they are
read. Leases are taken, and what has no lease is removed, under one lock: no lease comes between the look at the leases
and the removal. Later on what a process has open or mapped (safetensors maps a blob) is seen in /proc, on Linux.
Elsewhere a file that is removed while it is open stays readable to the process, or cannot be removed (Windows).
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..files import make_folder
from ..session import Recent, session
from . import layout
from .layout import Own
from .locks import try_lock
from .store import Store

READING = 3600.0  # seconds after its last lease within which a living process may still be about to read
_DEADLINE = 0.5  # seconds for the lock of the leases: it is held for some milliseconds
_MANY = 32  # leases of one commit, above which those of dead processes are removed


class Taken(Recent[tuple[str, str, str, int], float]):
    """When this process has taken a lease: (store, repo id, commit, process) -> monotonic seconds."""


def take(store: Store, repo_id: str, commit: str) -> None:
    """Take a lease: this process is about to read a commit. Never raises; twice a minute costs nothing."""
    key = (str(store.root), repo_id, commit, os.getpid())
    taken = session.part(Taken)
    if time.monotonic() - taken.get(key, -60.0) < 60.0:
        return
    taken[key] = time.monotonic()
    with contextlib.suppress(OSError), hold_lock(store):
        leases = folder(store, repo_id, commit)
        make_folder(leases)
        (leases / f"{_machine()}-{os.getpid()}-{_started(os.getpid())}").touch()
        left = os.listdir(leases)
        if len(left) > _MANY:
            for name in left:
                if not _is_living(leases / name):
                    (leases / name).unlink(missing_ok=True)


@contextlib.contextmanager
def hold_lock(store: Store) -> Iterator[bool]:
    """Hold the lock of the leases; yields whether it is held. Raises OSError."""
    make_folder(store.own_folder)
    with try_lock(store.own_folder / Own.LEASES_LOCK, _DEADLINE) as held:
        yield held


def note_use(paths: Iterable[Path]) -> None:
    """Move the time of access of files that are about to be read, which mounts with `relatime` do once a day."""
    now = time.time_ns()
    for path in paths:
        with contextlib.suppress(OSError):
            seen = os.stat(path)
            if now - seen.st_atime_ns > 1e9:
                os.utime(path, ns=(now, seen.st_mtime_ns))


def folder(store: Store, repo_id: str, commit: str = "") -> Path:
    """Where the leases of a commit lie; without a commit, the folders of all commits of the repo."""
    return store.own_folder / Own.LEASES / layout.repo_folder(repo_id) / commit


def holder_of(store: Store, repo_id: str, commit: str | None = None) -> str | None:
    """`process <pid>` of a living process that may be about to read this commit (None: any of the repo), or None."""
    for leases in [folder(store, repo_id, commit)] if commit else sorted(folder(store, repo_id).glob("*")):
        with contextlib.suppress(OSError):
            for name in sorted(os.listdir(leases)):
                if _is_living(leases / name):
                    return f"process {name.split('-')[1]}"
    return None


def _is_living(lease: Path) -> bool:
    try:
        machine, pid, started = lease.name.split("-")
        age = time.time() - lease.stat().st_mtime
    except (OSError, ValueError):
        return False
    if age > READING:
        return False
    # Of another machine, or another container's processes, nothing can be known but the age.
    if machine != _machine() or os.name != "posix":
        return True
    return _started(int(pid)) == started


@functools.lru_cache(maxsize=1)
def _machine() -> str:
    """A digest that differs between machines, their boots, and their containers: pids are counted separately there."""
    parts = [os.uname().nodename if os.name == "posix" else os.environ.get("COMPUTERNAME", "")]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text("ascii"))
        parts.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _started(pid: int) -> str:
    """When a process began (field 22 of proc_pid_stat(5)), 0 where that is unknown, or "" if there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
            return "" if fields[0] in (b"Z", b"X") else fields[19].decode()
    except (OSError, IndexError):
        pass
    if os.path.exists("/proc/self/stat"):
        return ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except OSError:
        pass
    return "0"


def holders(wanted: set[int]) -> dict[int, str]:
    """Which of these files, by inode number, a process of this machine has open or mapped, and which process.

    Only as far as this user may look: other users' processes show their files to root alone. If two file systems have a
    file of the same number, both are found: then a file too many is kept.
    """
    found: dict[int, str] = {}
    with contextlib.suppress(OSError):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            for number in (_mapped(pid, wanted) | _opened(pid, wanted)) - found.keys():
                found[number] = f"process {pid}"
    return found


def _mapped(pid: str, wanted: set[int]) -> set[int]:
    # address perms offset dev inode path. The dev is not the one that stat() gives on btrfs and overlayfs.
    found = set()
    with contextlib.suppress(OSError), open(f"/proc/{pid}/maps", "rb") as file:
        for line in file:
            fields = line.split(None, 5)
            if len(fields) == 6 and fields[5].startswith(b"/") and int(fields[4]) in wanted:
                found.add(int(fields[4]))
    return found


def _opened(pid: str, wanted: set[int]) -> set[int]:
    found = set()
    with contextlib.suppress(OSError):
        for descriptor in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                status = os.stat(f"/proc/{pid}/fd/{descriptor}")
                if stat.S_ISREG(status.st_mode) and status.st_ino in wanted:
                    found.add(status.st_ino)
    return found
