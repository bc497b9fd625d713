"""One interpreter with huggingface_hub imported, plain or hooked: each call is a fork of it, one after the other."""

from __future__ import annotations

import copy
import gc
import importlib
import inspect
import json
import os
import pickle
import re
import sys
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from tests.support.fork_server import serve, write_apart

from .seen import files_below, observe

IMPORTED = ("hf_api", "hf_file_system", "file_download", "_snapshot_download", "utils", "errors", "hub_mixin")


def main() -> None:
    serve(_import_client, _carry_out, pause=0.002)


def _import_client() -> None:
    import fsspec  # noqa: F401

    for name in IMPORTED:
        importlib.import_module(f"huggingface_hub.{name}")
    gc.freeze()  # a fork then copies less


def _carry_out(order: dict[str, Any]) -> None:
    import fsspec
    import huggingface_hub

    folder, home = Path(order["folder"]), Path(order["home"])
    write_apart(folder)
    (home / "cwd").mkdir(exist_ok=True)
    os.chdir(home / "cwd")
    before = set(sys.modules)
    from huggingface_hub import constants

    if order["offline"]:
        constants.HF_HUB_OFFLINE = True
    names = {"hh": huggingface_hub, "fsspec": fsspec, **_names(huggingface_hub), **order["names"]}
    found = observe(lambda: eval(order["expression"], names))
    found["files"], found["locks"] = files_below(home)
    found["modules"] = sorted(set(sys.modules) - before)
    (folder / "answer.json").write_text(json.dumps(found))


def _names(hh: Any) -> dict[str, Any]:
    class Quiet(tqdm):  # type: ignore[type-arg]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **{**options, "disable": True})

    class Loud(tqdm):  # type: ignore[type-arg]
        def close(self) -> None:
            super().close()
            print("bar closed", self.total, self.n)

    found = {name: getattr(hh, name) for name in FUNCTIONS if hasattr(hh, name)}
    return {
        **found, "api": hh.HfApi(), "fs": hh.HfFileSystem(), "Path": Path, "Quiet": Quiet, "Loud": Loud,
        "edited": edited, "failing": failing, "read": read, "ranged": ranged, "identity": identity, "mocked": mocked,
    }  # fmt: skip


FUNCTIONS = ("hf_hub_download", "snapshot_download", "try_to_load_from_cache", "get_cached_repo_tree")


def edited(path: str) -> bool:
    Path(path).write_text("edited")
    return True


def failing(call: Any) -> str:
    try:
        return str(call())
    except Exception as error:
        return type(error).__name__


def read(file: Any) -> Any:
    with file:
        return [type(file).__name__, file.read()]


def ranged(file: Any) -> Any:
    with file:
        file.seek(-20, 2)
        end = file.read()
        file.seek(5)
        return [end, file.read(10), file.tell(), file.size]


def identity(find: Any) -> dict[str, Any]:
    """What a public name is."""
    found = find()
    about: dict[str, Any] = {
        name: str(getattr(found, name, "-")) for name in ("__name__", "__qualname__", "__module__", "__doc__")
    }
    about["type"] = type(found).__name__
    about["repr"] = re.sub(r"0x[0-9a-f]+", "0x", repr(found))
    for name in ("isfunction", "ismethod", "isroutine", "isclass", "iscoroutinefunction"):
        about[name] = getattr(inspect, name)(found)
    for name, ask in (
        ("signature", lambda: str(inspect.signature(found))),
        ("annotations", lambda: sorted(map(str, getattr(found, "__annotations__", {}).items()))),
        ("source", lambda: inspect.getsource(found)),
        ("file", lambda: inspect.getsourcefile(found)),
        ("pickle", lambda: pickle.loads(pickle.dumps(found)) == find()),
        ("pickled", lambda: pickle.dumps(found, 0).decode("latin-1")),
        ("copy", lambda: copy.copy(found) == found and copy.deepcopy(found) is not None),
        ("same", lambda: find() == found and hash(find()) == hash(found)),
        ("defaults", lambda: [str(found.__defaults__), str(found.__kwdefaults__)]),
    ):
        try:
            about[name] = ask()
        except Exception as error:
            about[name] = f"{type(error).__name__}: {error}"
    return about


def mocked(name: str) -> list[Any]:
    """What a test that replaces a name sees, inside and after."""
    from unittest import mock

    module, _, attribute = name.rpartition(".")
    owner = (
        importlib.import_module(module)
        if not module.endswith("HfApi")
        else importlib.import_module("huggingface_hub").HfApi
    )
    before = getattr(owner, attribute)
    with mock.patch(name, return_value="mock"):
        inside = getattr(owner, attribute)("acme/model", "config.json")
    with mock.patch(name, autospec=True, return_value="mock"):
        specified = inspect.signature(getattr(owner, attribute))
    return [inside, str(specified), getattr(owner, attribute) == before]


if __name__ == "__main__":
    main()
