"""How the programs of a machine tell its agent what the Hub asks them to wait, and heed what others were asked.

The agent is asked by a connection of its own, which is made in a millisecond: a warm load asks as well.
"""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import SourceDown
from ..hub import client, limits
from ..log import warn_once
from ..net.futures import submit
from ..session import session
from .client import ROOT
from .folder import FleetFolder
from .local_agent import find_agent
from .waits import NEWS

MOST = 30.0  # seconds that a process waits for the word of others, within `_AGAIN`
_AGAIN = 300.0
_SECONDS = 0.5  # that the agent has for its answer
_SILENT = 30.0  # seconds for which one that gave none is not asked again
_FRESH = 0.5  # seconds for which an answer counts
_SPREAD = (0.1, 0.9)  # seconds after the end: not all ask at the same moment. The client itself adds 1
_LOOK = 0.1


_patient: ContextVar[bool] = ContextVar("ipfs_accelerate_heed_patient", default=False)


@contextlib.contextmanager
def patient() -> Iterator[None]:
    """Within it, what the Hub's API alone can say is worth a wait: plain asks it too, and fails with what it says.

    Elsewhere plain asks for files alone, which the Hub counts apart.
    """
    token = _patient.set(True)
    try:
        yield
    finally:
        _patient.reset(token)


def is_patient() -> bool:
    """Return whether this is within `patient`."""
    return _patient.get()


class _Heard:
    """What this process knows of the agent's answers, and what it has told and waited for."""

    def __init__(self) -> None:
        self.after_fork()
        self.answers: dict[Path, tuple[float, dict[str, float]]] = {}  # when it was, and the seconds
        self.silent: dict[Path, float] = {}  # until when it is not asked
        self.told: dict[tuple[Path, str], float] = {}  # when it ends
        self.began: float | None = None  # when this process began to wait because of what others say

    def after_fork(self) -> None:
        self.lock = threading.Lock()


def left(root: Path | None, kind: str, token: str | bool | None) -> float:
    """The seconds for which the Hub is not to be asked by this machine, because it said so to another one.

    0.0 without a fleet (`root`: the store of a machine that may be in one), and where no agent says so.
    """
    if root is None or client.is_offline() or not FleetFolder(root).exists():
        return 0.0
    limits.listen(str(root), partial(_tell, root))
    when, waits = _ask(root)
    found = waits.get(limits.about_request(kind, token), 0.0) if waits else 0.0
    return max(0.0, found - (time.monotonic() - when))


def wait(root: Path | None, kind: str, token: str | bool | None, is_over: Callable[[], bool] | None = None) -> None:
    """Wait for that time, where the client would have waited for the same answer itself, but at most for `MOST`."""
    seconds = left(root, kind, token)
    if not seconds or not limits.waits_itself():
        return
    heard, now = session.part(_Heard), time.monotonic()
    if heard.began is None or now > heard.began + _AGAIN:
        heard.began = now
    end = min(now + seconds + random.uniform(*_SPREAD), heard.began + MOST)
    if end > now:
        warn_once("the Hub has asked a machine of the fleet to wait; it is asked again when that time is over")
    while time.monotonic() < end and not (is_over is not None and is_over()):
        time.sleep(_LOOK)


def _ask(root: Path) -> tuple[float, dict[str, float]]:
    heard = session.part(_Heard)
    with heard.lock:
        now = time.monotonic()
        if now < heard.silent.get(root, 0.0):
            return now, {}
        known = heard.answers.get(root)
        if known is not None and now < known[0] + _FRESH:
            return known
        try:
            waits = _post(root, {})
        except (OSError, ValueError, SourceDown):
            heard.silent[root] = time.monotonic() + _SILENT
            return now, {}
        found = heard.answers[root] = (time.monotonic(), waits)
        return found


def _tell(root: Path, subject: str, seconds: float) -> None:
    """Tell the agent, in the background; many answers of the same kind are told once."""
    told, end = session.part(_Heard).told, time.monotonic() + seconds
    if end > told.get((root, subject), 0.0) + NEWS:
        told[root, subject] = end
        submit(lambda: _tell_now(root, subject, seconds))


def _tell_now(root: Path, subject: str, seconds: float) -> None:
    with contextlib.suppress(OSError, ValueError, SourceDown):
        _post(root, {subject: seconds})


def _post(root: Path, waits: dict[str, float]) -> dict[str, float]:
    """What the agent answers. OSError, ValueError, SourceDown."""
    from http.client import HTTPConnection, HTTPException

    agent, path, body = find_agent(root, 0.0), ROOT + "limit", json.dumps({"waits": waits}).encode()
    parts = urlsplit(agent.url)
    connection = HTTPConnection(str(parts.hostname), parts.port, timeout=_SECONDS)
    try:
        signature = agent.client.signer.sign("POST", path, body)
        connection.request("POST", path, body, {"Authorization": signature, "Content-Type": "application/json"})
        answer = connection.getresponse()
        found = json.loads(answer.read(1 << 16)).get("waits") if answer.status == 200 else None
    except (HTTPException, AttributeError) as error:
        raise ValueError(str(error)) from None
    finally:
        connection.close()
    if not isinstance(found, dict):
        raise ValueError(f"the answer of {agent.url} cannot be read")
    return {subject: float(seconds) for subject, seconds in found.items() if isinstance(seconds, int | float)}
