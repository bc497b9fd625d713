"""The end of `forks.Interpreter` in the child: what is imported once is there for each order, which is a fork."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

Order = dict[str, Any]


def serve(prepare: Callable[[], None], carry_out: Callable[[Order], None], pause: float) -> None:
    """Orders come on stdin as lines of JSON. What one imports is imported here too: the next does not wait for it."""
    out = os.dup(1)  # libraries print while they are imported
    os.dup2(2, 1)
    prepare()
    _say(out, {"ready": True})
    for line in sys.stdin:
        order = json.loads(line)
        for name in order.get("import", ()):
            with contextlib.suppress(Exception):
                importlib.import_module(name)
        if "limit" in order:
            _say(out, {"ended": _fork(order, carry_out, pause)})


def _fork(order: Order, carry_out: Callable[[Order], None], pause: float) -> bool:
    """Return whether there was an end before the limit."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            carry_out(order)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    end = time.monotonic() + order["limit"]
    while time.monotonic() < end:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return True
        time.sleep(pause)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return False


def write_apart(folder: Path) -> None:
    """From now on stdout and stderr are files in this folder."""
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(folder / name, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), descriptor)


def _say(out: int, message: Order) -> None:
    os.write(out, json.dumps(message).encode() + b"\n")
