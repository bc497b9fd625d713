"""Lays the states of a cell, lets both sides run, keeps what was measured."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import inspect
import json
import shutil
import threading
from itertools import count
from pathlib import Path
from typing import Any

from tests.support import local_hub

from . import child, repos
from .caches import CACHES
from .cells import Cell
from .fleets import in_fleet
from .hubs import HUBS, HubState
from .loads import LOADS
from .stores import STORES
from .verdicts import normalised
from .zygote import Zygote


class World:
    """One line of transformers. `kept`: a folder for what was measured; `work`: one for the cells."""

    def __init__(self, tiny_models: Path, work: Path, kept: Path | None = None) -> None:
        self.work, self.kept = work, kept
        self.sides = {False: Zygote(False), True: Zygote(True)}
        self.repos = repos.make_repos(work / "repos", tiny_models)
        self.older = {repo_id: folders[:1] for repo_id, folders in self.repos.items()}
        self._numbers, self._lock = count(), threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._rights: dict[str, list[Any]] = {}
        self.commits = {older: _commits(self.older if older else self.repos) for older in (True, False)}

    def prepare(self) -> None:
        """Start both interpreters, side by side."""
        for side in self.sides.values():
            side.start()

    def rights(self, load: str) -> list[Any]:
        """What plain gives for each commit when all is well, the newest last."""
        with self._one_at_a_time(f"right {load}"):
            if load not in self._rights:
                answers = []
                for older in (True, False):
                    cache = self.made("cache", "older-commit" if older else "everything")
                    answers.append(self._ask(False, HUBS["well"], [load], older=older, cache=cache))
                assert all(answer["value"] is not None for answer in answers), (load, answers)
                self._rights[load] = [answer["value"] for answer in answers]
        return self._rights[load]

    def _one_at_a_time(self, what: str) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(what, threading.Lock())

    def plain(self, cell: Cell) -> dict[str, Any]:
        """Plain knows nothing of our store: one measurement serves all cells that differ in that only."""
        key = self._plain_key(cell)
        kept = self._read("plain", key)
        return kept or self._keep("plain", key, self.run(cell, hooked=False))

    def hooked(self, cell: Cell) -> dict[str, Any]:
        key = _digest(str(cell), self._plain_key(cell), _sources_of_package())
        kept = self._read("hooked", key)
        return kept or self._keep("hooked", key, self.run(cell, hooked=True))

    def run(self, cell: Cell, hooked: bool) -> dict[str, Any]:
        """One side of a cell, now."""
        return self._ask(
            hooked, HUBS[cell.hub], [cell.load], cache=self.made("cache", cell.cache), cell=cell,
            store=self.made("store", cell.store) if hooked else None,
        )  # fmt: skip

    def made(self, kind: str, name: str) -> Path:
        """What plain (a cache) or a hooked process (a store) leaves after the loads of a state; made once."""
        state = CACHES[name] if kind == "cache" else STORES[name]
        older = getattr(state, "older", False)
        folder = self.work / "made" / f"{kind}-{'older-' if older else ''}{'-'.join(state.loaded)[:80]}"
        with self._one_at_a_time(folder.name):
            if state.loaded and not folder.exists():
                self._ask(kind == "store", HUBS["well"], list(state.loaded), older=older, keep=(kind, folder))
        return folder

    def _ask(self, hooked: bool, hub: HubState, names: list[str], **how: Any) -> dict[str, Any]:
        older, cell = how.get("older", False), how.get("cell")
        folder = self.work / f"{next(self._numbers)}"
        folder.mkdir(parents=True)
        if cell is not None:
            commits = self.commits[CACHES[cell.cache].older]
            CACHES[cell.cache].lay(folder / "hf", how["cache"], commits)
            if how.get("store") is not None:
                STORES[cell.store].lay(folder / "store", how["store"], self.commits[False])
        elif "cache" in how:
            shutil.copytree(how["cache"], folder / "hf", symlinks=True)
        with contextlib.ExitStack() as stack:
            environment = stack.enter_context(hub.serve(self.older if older else self.repos))
            if cell is not None and hooked and (fleet := STORES[cell.store].fleet) is not None:
                has = self.made("store", "complete") if fleet else None
                stack.enter_context(in_fleet(folder, environment, self.repos, has))
            lines = [LOADS[name] for name in names]
            answer = normalised(self.sides[hooked].run(folder, lines, environment), folder)
        if "keep" in how:
            kind, target = how["keep"]
            assert answer["value"] is not None, answer
            target.parent.mkdir(exist_ok=True)
            (folder / ("hf" if kind == "cache" else "store")).rename(target)
        shutil.rmtree(folder, ignore_errors=True)  # what runs on in the background may still write there
        return answer

    # -- what was measured ------------------------------------------------------------------------------------------
    def _plain_key(self, cell: Cell) -> str:
        state = CACHES[cell.cache]
        harm = inspect.getsource(state.harm) + repr(inspect.getclosurevars(state.harm).nonlocals) if state.harm else ""
        loaded = [LOADS[name] for name in state.loaded]
        return _digest(
            _recipe(),
            repr(HUBS[cell.hub]),
            *loaded,
            str(state.older),
            harm,
            LOADS[cell.load],
        )

    def _read(self, kind: str, key: str) -> dict[str, Any] | None:
        path = self.kept and self.kept / kind / f"{key}.json"
        return json.loads(path.read_text()) if path and path.exists() else None

    def _keep(self, kind: str, key: str, answer: dict[str, Any]) -> dict[str, Any]:
        if self.kept:
            (self.kept / kind).mkdir(parents=True, exist_ok=True)
            (self.kept / kind / f"{key}.json").write_text(json.dumps(answer))
        return answer

    def stop(self) -> None:
        for side in self.sides.values():
            side.stop()


def _commits(repos: dict[str, list[Path]]) -> dict[str, str]:
    """The commit that a Hub with these repos has of each."""
    with local_hub.LocalHub() as hub:
        for repo_id, folders in repos.items():
            for folder in folders:
                hub.add(repo_id, str(folder))
        return {repo_id: hub.repos["models", repo_id].refs["main"] for repo_id in repos}


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:24]


@functools.cache
def _recipe() -> str:
    """Whatever every measurement depends on: the libraries, the Hub of the tests, the repos, the child."""
    versions = [importlib.metadata.version(name) for name in ("transformers", "huggingface_hub", "torch")]
    files = sorted(Path(local_hub.__file__).parent.glob("*.py"))
    in_the_fork = inspect.getsource(child).partition("# -- in the fork")[2]
    return _digest(*versions, *(path.read_text() for path in files), in_the_fork, inspect.getsource(repos))


@functools.cache
def _sources_of_package() -> str:
    import ipfs_accelerate_py

    return _digest(*(path.read_text() for path in sorted(Path(ipfs_accelerate_py.__file__).parent.rglob("*.py"))))
