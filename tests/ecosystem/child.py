"""One interpreter in which every library is imported once; each load is a fork of it, one after the other.

`python -m tests.ecosystem.child`, plain or through `hook run`. HF_ENDPOINT, HF_HOME and the store are those of the
lane (`lane.py`), which puts the right things there before each load: nothing in the process is replaced. Orders come
on stdin as lines of JSON. What a load imports is imported here too, so that the next one does not wait for it.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from tests.support.fork_server import serve, write_apart

from .digest import digest
from .rows import ROWS


def main() -> None:
    serve(_import_cases, _carry_out, pause=0.01)


def _import_cases() -> None:
    for row in ROWS:
        importlib.import_module(row.module)


def _carry_out(order: dict[str, Any]) -> None:
    folder = Path(order["folder"])
    write_apart(folder)
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
    main()
