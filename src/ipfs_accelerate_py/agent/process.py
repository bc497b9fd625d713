"""The agent's process as others see it: whether it runs, to start it in the background, to end it.

The agent holds a lock for as long as it runs, so a process id that was given to another program is not taken for it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import time
from importlib.util import find_spec
from pathlib import Path

from ..detached import start_module
from ..errors import FleetError
from ..fleet.folder import AgentPlace, FleetFolder, read_agent
from ..fleet.wholeness import say_where

_STEP = 0.05
_TAIL = 2000  # characters of the log in an error
NEEDS = "python -m pip install 'ipfs_accelerate_py[fleet]'"


def is_running(folder: FleetFolder) -> bool:
    """Return whether the agent of this machine runs; also where the disk has become read-only. StoreError."""
    from filelock import FileLock, Timeout

    if not folder.agent_lock.exists():
        return False
    try:
        with FileLock(folder.agent_lock, timeout=0):
            return False
    except Timeout:  # an OSError, too
        return True
    except OSError as error:
        if error.errno == errno.EROFS:
            return _is_locked(folder.agent_lock)
        with say_where(folder.agent_lock):
            raise


def _is_locked(path: Path) -> bool:
    """Return whether a process holds the lock of a file that cannot be written."""
    import fcntl

    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def find_agent(folder: FleetFolder) -> AgentPlace | None:
    """The agent, if it runs and is ready."""
    place = read_agent(folder)
    return place if place is not None and is_running(folder) else None


def start(folder: FleetFolder, seconds: float = 30.0) -> AgentPlace:
    """Start the agent in the background unless it runs, and wait until it is ready. FleetError says what it met."""
    check_needs()
    if not is_running(folder):
        with contextlib.suppress(OSError):
            folder.agent.unlink()
        with say_where(folder.agent_log):
            os.close(os.open(folder.agent_log, os.O_WRONLY | os.O_CREAT, 0o600))
        size = folder.agent_log.stat().st_size
        if not start_module("ipfs_accelerate_py.agent", [str(folder.store)], os.environ, folder.agent_log):
            raise FleetError("there is no Python that could be started: sys.executable is empty")
    else:
        size = 0
    end, grace = time.monotonic() + seconds, time.monotonic() + 5.0
    while time.monotonic() < end:
        place = find_agent(folder)
        if place is not None:
            return place
        if time.monotonic() > grace and not is_running(folder):
            break  # it has ended again
        time.sleep(_STEP)
    raise FleetError(f"the agent did not start: {_what_it_said(folder.agent_log, size)}", f"see {folder.agent_log}")


def check_needs() -> None:
    """FleetError where what the agent needs is not installed."""
    if find_spec("aiohttp") is None:
        raise FleetError("the agent needs aiohttp, which is not installed", NEEDS)


def say_why(folder: FleetFolder) -> str:
    """Why the agent may not run, as far as can be seen: it was ended by force, or it said why; or nothing."""
    place = read_agent(folder)
    if place is not None and not is_running(folder):
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(place.started))
        return f" (process {place.pid}, of {when}, was ended by force; loads go on without it)"
    return ""


def stop(folder: FleetFolder, seconds: float = 20.0) -> bool:
    """End the agent with its Kubo, and wait for it; return whether it ran. FleetError if it goes on."""
    if not is_running(folder):
        return False
    place = read_agent(folder)
    end = time.monotonic() + seconds
    while place is None and time.monotonic() < end and is_running(folder):  # it has just been started
        time.sleep(_STEP)
        place = read_agent(folder)
    if place is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(place.pid, signal.SIGTERM)
    while is_running(folder):
        if time.monotonic() > end:
            raise FleetError(f"the agent (process {place.pid if place else '?'}) did not end in {seconds:.0f} s")
        time.sleep(_STEP)
    return True


def _what_it_said(log: Path, size: int) -> str:
    with contextlib.suppress(OSError):
        text = log.read_bytes()[size:].decode(errors="replace").strip()
        if text:
            return text[-_TAIL:]
    return "it said nothing"
