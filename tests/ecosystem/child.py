"""One interpreter in which every library is imported once; each load is a fork of it, one after the other.

`python -m tests.ecosystem.child`, plain or through `hook run`. HF_ENDPOINT, HF_HOME and the store are those of the
lane (`lane.py`), which puts the right things there before each load: nothing in the process is replaced. Orders come
on stdin as lines of JSON. What a load imports is imported here too, so that the next one does not wait for it.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from .digest import digest
from .rows import ROWS


def main() -> None:
    for row in ROWS:
        importlib.import_module(row.module)
    _say({"ready": True})
    for line in sys.stdin:
        order = json.loads(line)
        for name in order.get("import", ()):
            with contextlib.suppress(Exception):
                importlib.import_module(name)
        if "module" in order:
            _say({"ended": _run(order)})


def _run(order: dict[str, Any]) -> bool:
    """Was there an end before the limit?"""
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            _carry_out(order)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    end = time.monotonic() + order["limit"]
    while time.monotonic() < end:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return True
        time.sleep(0.01)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return False


def _say(message: dict[str, Any]) -> None:
    os.write(STDOUT, json.dumps(message).encode() + b"\n")


def _carry_out(order: dict[str, Any]) -> None:
    folder = Path(order["folder"])
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(folder / name, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), descriptor)
    os.chdir(folder)
    before, answer = set(sys.modules), {"activation": 0.0}
    if order["late"]:
        began = time.monotonic()
        os.environ["IPFS_ACCELERATE"] = "1"
        from ipfs_accelerate_py import auto_patch_transformers

        assert auto_patch_transformers.apply()
        answer["activation"] = time.monotonic() - began
    load = sys.modules[order["module"]].load
    began = time.monotonic()
    try:
        value = load()
        answer["seconds"] = time.monotonic() - began
        answer["digest"] = digest(value)
    except Exception as error:
        answer.setdefault("seconds", time.monotonic() - began)
        answer["error"] = {"type": _name(error), "text": str(error), "behind": _behind(error)}
        traceback.print_exc()
    answer["served"] = _served()
    answer["modules"] = sorted(name for name in set(sys.modules) - before if not name.startswith("transformers_mod"))
    (folder / "answer.json").write_text(json.dumps(answer))


def _served() -> int:
    """How many files our store gave or brought."""
    status = sys.modules.get("ipfs_accelerate_py.activation")
    return sum(row["files"] for row in status.get_status()["served"].values()) if status else 0


def _name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _behind(error: BaseException) -> list[str]:
    """The errors from which this one came."""
    found, seen = [], error.__cause__ or error.__context__
    while seen is not None and len(found) < 20:
        found.append(f"{_name(seen)}: {seen}")
        seen = seen.__cause__ or seen.__context__
    return found


if __name__ == "__main__":
    STDOUT = os.dup(1)  # libraries print while they are imported
    os.dup2(2, 1)
    main()
