"""States of our own store: what a hooked process has left there, and what 0.1.0 left."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .caches import EVERYTHING


@dataclass(frozen=True)
class StoreState:
    """`loaded`: what a hooked process has loaded with this store, from a Hub that is well; then each repo is harmed.

    `like`: the state of the Hugging Face cache of a plain process that has loaded as much. That one judges it too:
    where a part is here and nobody gives the rest, the outcome is the one that plain has with that part.
    `fleet`: the machine is in one whose other member has all the files, or none; None: it is in none.
    """

    loaded: tuple[str, ...] = ()
    harm: Callable[[Path, str], None] | None = None
    like: str = ""
    fleet: bool | None = None

    def lay(self, target: Path, made: Path, commits: dict[str, str]) -> None:
        """Copy what was made into a new store, and harm it."""
        if made.exists():
            shutil.copytree(made, target, symlinks=True)
        for repo_id, commit in commits.items():
            if self.harm:
                self.harm(target / f"models--{repo_id.replace('/', '--')}", commit)


def _list(files: dict[str, object] | None) -> Callable[[Path, str], None]:
    """A listing as 0.1.0 wrote it after a mirror that drops the query string; None: each file, without its hashes."""

    def harm(folder: Path, commit: str) -> None:
        rows = files
        if rows is None:
            names = [path.name for path in (folder / "snapshots" / commit).glob("*")]
            rows = {name: {"size": None, "blob_id": None} for name in names}
        for part, text in (
            ("refs/main", commit),
            (f"trees/{commit}.json", json.dumps({"format_version": 1, "files": rows, "info": {}})),
        ):
            (folder / part).parent.mkdir(parents=True, exist_ok=True)
            (folder / part).write_text(text)

    return harm


STORES: dict[str, StoreState] = {
    "empty": StoreState(),
    "complete": StoreState(EVERYTHING),
    "partial": StoreState(("config",), like="config"),
    "0.1.0-empty-listing": StoreState((), _list({})),
    "0.1.0-listing-of-0-files": StoreState(EVERYTHING, _list({})),
    "0.1.0-listing-without-hashes": StoreState(EVERYTHING, _list(None)),
    "0.1.0-partial-and-empty-listing": StoreState(("config",), _list({}), "config"),
    "in-a-fleet": StoreState(fleet=False),
    "in-a-fleet-that-has-all": StoreState(fleet=True),
    "partial-in-a-fleet": StoreState(("config",), like="config", fleet=False),
}
FLEETS = tuple(name for name, state in STORES.items() if state.fleet is not None)
