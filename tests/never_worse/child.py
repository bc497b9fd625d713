"""One interpreter in which transformers is imported once; each order is carried out by a fork of it.

`python -m tests.never_worse.child`, plain or through `hook run`. Orders come on stdin, as lines of JSON, and stdout
says which have ended. HF_ENDPOINT and HF_HOME are read when huggingface_hub is imported: they are stand-ins here, and
in the fork whatever was made of them is made of the order's own (`_relocate`). Nothing else is replaced.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import os
import select
import signal
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

from .loads import BEFORE

ENDPOINT, HOME = "http://127.0.0.1:9/stand-in", "/nowhere/stand-in"
PACKAGES = ("huggingface_hub", "transformers", "ipfs_accelerate_py")
LOGGERS = ("transformers", "huggingface_hub")
WARM = """
from transformers import AutoConfig, AutoModel, AutoTokenizer, AutoProcessor, AutoImageProcessor, BertModel, pipeline
import torch
"""


def main() -> None:
    exec(WARM, {})
    running: dict[int, tuple[dict[str, Any], float]] = {}
    _say({"ready": True})
    rest = b""
    while True:
        if select.select([0], [], [], 0.02 if running else None)[0]:
            data = os.read(0, 1 << 20)
            if not data:
                for pid in running:  # who gave the orders is gone
                    os.kill(pid, signal.SIGKILL)
                return
            *lines, rest = (rest + data).split(b"\n")
            for order in map(json.loads, lines):
                for name in order.get("import", ()):
                    with contextlib.suppress(Exception):
                        if name.startswith("ipfshttpclient"):  # in another way than ours, it warns of itself
                            from ipfs_accelerate_py.ipfs.rpc import _import_client

                            _import_client()
                        importlib.import_module(name)
                if "id" in order:
                    running[_fork(order)] = order, time.monotonic() + order["limit"]
        _reap(running)


def _fork(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            _carry_out(order)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    return pid


def _reap(running: dict[int, tuple[dict[str, Any], float]]) -> None:
    for pid, (order, end) in list(running.items()):
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
        if os.waitpid(pid, os.WNOHANG)[0]:
            del running[pid]
            _say({"ended": order["id"]})


def _say(message: dict[str, Any]) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


# -- in the fork: what is measured depends on the rest of this file (`world`) ------------------------------------------


def _carry_out(order: dict[str, Any]) -> None:
    from tests.integration.probe import fingerprint

    folder = Path(order["folder"])
    for descriptor, name, flags in ((0, os.devnull, os.O_RDONLY), (1, "stdout", 0o1101), (2, "stderr", 0o1101)):
        os.dup2(os.open(folder / name if descriptor else name, flags, 0o600), descriptor)
    os.chdir(folder)
    os.environ.update(order["environment"])
    _relocate({ENDPOINT: order["environment"]["HF_ENDPOINT"], HOME: order["environment"]["HF_HOME"]})
    before, names, said = set(sys.modules), _Names(), _Said()
    exec(BEFORE, names)
    answer: dict[str, Any] = {}
    began = time.monotonic()
    try:
        with said:
            for line in order["lines"]:
                value = eval(line, {}, names)
        answer["seconds"] = time.monotonic() - began
        answer["value"] = fingerprint(value)
    except BaseException as error:
        answer.setdefault("seconds", time.monotonic() - began)
        answer["error"] = {"type": f"{type(error).__module__}.{type(error).__qualname__}", "text": str(error)}
        traceback.print_exc()
    answer["said"] = said.lines
    answer["modules"] = sorted(name for name in set(sys.modules) - before if not name.startswith("transformers_mod"))
    (folder / "answer.json").write_text(json.dumps(answer))


def _relocate(places: dict[str, str]) -> None:
    """What was made of the stand-ins when modules were imported is made of the real places."""
    holders: list[dict[str, Any]] = []
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in PACKAGES and module is not None:
            holders.append(vars(module))
    for holder in list(holders):
        holders += [vars(value) for value in holder.values() if type(value).__name__ in ("HfApi", "HfFileSystem")]
    for holder in holders:
        for key, value in list(holder.items()):
            if isinstance(value, str | os.PathLike):
                text = os.fspath(value)
                for old, new in places.items():
                    text = text.replace(old, new)
                if text != os.fspath(value):
                    holder[key] = type(value)(text)  # type: ignore[call-arg]


class _Names(dict):  # type: ignore[type-arg]
    """A namespace in which whatever transformers has is there."""

    def __missing__(self, name: str) -> Any:
        import transformers

        try:
            return getattr(transformers, name)
        except AttributeError:
            raise KeyError(name) from None


class _Said(logging.Handler):
    """What the libraries log and warn of meanwhile: [level or category, text]."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[list[str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append([record.levelname, record.getMessage()])

    def __enter__(self) -> None:
        for name in LOGGERS:
            logging.getLogger(name).addHandler(self)
        self._show, warnings.showwarning = warnings.showwarning, self._keep  # type: ignore[assignment]

    def __exit__(self, *error: object) -> None:
        warnings.showwarning = self._show
        for name in LOGGERS:
            logging.getLogger(name).removeHandler(self)

    def _keep(self, message: Warning, category: type[Warning], *place: Any) -> None:
        self.lines.append([category.__name__, str(message)])


if __name__ == "__main__":
    main()
