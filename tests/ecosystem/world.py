"""Runs the rows on lanes, plain and hooked, and keeps what plain did: it knows nothing of our sources."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import queue
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.support import local_hub
from tests.support.forks import ROOT

from .lane import Lane
from .rows import Row
from .states import STATES

HERE = Path(__file__).parent
LIBRARIES = (
    *("huggingface_hub", "transformers", "sentence_transformers", "setfit", "peft", "diffusers", "timm"),
    *("open_clip_torch", "datasets", "faster_whisper", "torch"),
)
Answer = dict[str, Any]


class World:
    """`kept`: a folder for repos and plain's answers; `work`: a folder for the lanes. `sides`: lanes of each kind."""

    def __init__(self, kept: Path, work: Path, plain: int = 2, hooked: int = 1) -> None:
        self.kept, self.work = kept, work
        self._lanes = {side: queue.SimpleQueue() for side in (True, False)}  # type: ignore[var-annotated]
        self._all = [
            Lane(work / f"{'hooked' if side else 'plain'}-{number}", side)
            for side, count in ((False, plain), (True, hooked))
            for number in range(count)
        ]
        for lane in self._all:
            self._lanes[lane.hooked].put(lane)
        self.root = make_repos(kept)

    def measure(
        self, rows: Iterable[Row], plain: Iterable[str], hooked: Iterable[str], seen: Callable[..., None] | None = None
    ) -> dict[tuple[str, str], dict[str, Answer]]:
        """(row, state) -> side -> answer, for the states that are asked for on each side."""
        found: dict[tuple[str, str], dict[str, Answer]] = {}
        orders = [(row, side, _ready(states)) for row in rows for side, states in ((False, plain), (True, hooked))]

        def run(order: tuple[Row, bool, list[list[str]]]) -> None:
            row, side, groups = order
            for names in groups:
                for name, answer in self._run(row, names, side).items():
                    found.setdefault((row.name, name), {})["hooked" if side else "plain"] = answer
                    if seen is not None:
                        seen(row, name, side, answer)

        with ThreadPoolExecutor(len(self._all) + 1) as pool:
            list(pool.map(run, orders))
        return found

    def _run(self, row: Row, names: list[str], side: bool) -> dict[str, Answer]:
        """States that build on one another, on one lane. The first is the one that makes it warm."""
        kept = self.kept / "plain" / f"{_recipe(row)}-{'-'.join(names).replace(' ', '-')}.json"
        if not side and kept.exists():
            return json.loads(kept.read_text())  # type: ignore[no-any-return]
        # a late activation needs an interpreter that has imported everything without us
        lanes = self._lanes[side and not STATES[names[0]].late]
        lane: Lane = lanes.get()
        try:
            answers, warm = {}, lane.folder / "warm"
            for name in names:
                state = STATES[name]
                lane.lay(warm if state.warm else None)
                answers[name] = self.ask(lane, row, name)
                if name == names[0] and len(names) > 1:
                    lane.keep(warm)
        finally:
            lanes.put(lane)
        if not side:
            kept.parent.mkdir(exist_ok=True)
            kept.write_text(json.dumps(answers))
        return answers

    def flip_each(self, row: Row, xet: bool, side: bool = True) -> Iterator[tuple[str, str, Answer]]:
        """Each file of the row's repos: a load with nothing here while one byte of that file is flipped."""
        lane: Lane = self._lanes[side].get()
        try:
            for repo in row.repos:
                for file in sorted((self.root / repo).rglob("*")):
                    if file.is_file() and file.stat().st_size:
                        path = file.relative_to(self.root / repo).as_posix()
                        lane.lay(None)
                        yield repo, path, self.ask(lane, row, "flipped", (repo, path), xet)
        finally:
            self._lanes[side].put(lane)

    def ask(self, lane: Lane, row: Row, name: str, flipped: tuple[str, str] | None = None, xet: bool = False) -> Answer:
        """One load; `hub` and `cdn`: how many requests came there."""
        state = STATES[name]
        with state.serve(row, self.root, lane.port, flipped, xet) as log:
            answer = lane.run(row.module, state.late, state.limit)
            asked = list(log)
        answer.pop("modules", None)
        answer["asked"] = [f"{each['method']} {each['path']}" for each in asked]
        answer["hub"] = sum(each["origin"] == "hub" for each in asked)
        answer["cdn"] = len(asked) - answer["hub"]
        return answer

    def stop(self) -> None:
        for lane in self._all:
            lane.stop()


def _ready(states: Iterable[str]) -> list[list[str]]:
    """The states in groups: each with the one that makes it warm before it."""
    states = list(states)
    early = [name for name in states if not STATES[name].late and not STATES[name].flipped]
    late = [name for name in states if STATES[name].late]
    groups = [
        ["cold", *(name for name in early if name != "cold")] if early else [],
        [name for name in states if STATES[name].flipped],
        ["late", *(name for name in late if name != "late")] if late else [],
    ]
    return [group for group in groups if group]


def make_repos(kept: Path) -> Path:
    """The Hub's root folder, made once for each recipe, in a process of its own."""
    root = kept / f"repos-{_recipe()}"
    if not root.exists():
        made = kept / f"making-{os.getpid()}-{time.monotonic_ns()}"
        kept.mkdir(parents=True, exist_ok=True)
        ran = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "tests.ecosystem.repos", str(made)],
            cwd=ROOT, env={**os.environ, "IPFS_ACCELERATE": "0"}, capture_output=True, text=True,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        made.rename(root)
    return root


def _recipe(row: Row | None = None) -> str:
    """What the repos, or plain's answers of a row, depend on."""
    versions = [importlib.metadata.version(name) for name in LIBRARIES]
    files = sorted((HERE / "cases").glob("*.py"))
    if row is not None:
        source = (HERE / "cases" / f"{row.case}.py").read_text()
        files = [path for path in files if path.stem == row.case or path.stem in source]
        files = [HERE / "states.py", HERE / "child.py", HERE / "digest.py", HERE / "lane.py", *files]
        files += sorted(Path(local_hub.__file__).parent.glob("*.py"))
    texts = [repr(row), *versions, *(path.read_text() for path in files)]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
