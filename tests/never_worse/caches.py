"""States of the Hugging Face cache: what plain has left there, and what is wrong with it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CacheState:
    """`loaded`: what plain has loaded with this cache, from a Hub that is well; then each repo's folder is harmed.

    `older`: that was when the Hub had the commit before.
    """

    loaded: tuple[str, ...] = ()
    harm: Callable[[Path, str], None] | None = None
    older: bool = False

    def lay(self, target: Path, made: Path, commits: dict[str, str]) -> None:
        """Copy what plain made into a new HF_HOME, and harm it."""
        if made.exists():
            shutil.copytree(made, target, symlinks=True)
        for repo_id, commit in commits.items():
            folder = target / "hub" / f"models--{repo_id.replace('/', '--')}"
            if self.harm and folder.exists():
                self.harm(folder, commit)


def _no_snapshot(folder: Path, commit: str) -> None:
    shutil.rmtree(folder / "snapshots" / commit)


def _dangle(folder: Path, commit: str) -> None:
    for path in (folder / "snapshots" / commit).rglob("*"):
        if path.is_symlink() and path.name not in ("config.json", "tokenizer_config.json"):
            path.resolve().unlink()


def _newline(folder: Path, commit: str) -> None:
    (folder / "refs" / "main").write_text(commit + "\n")


def _list(files: dict[str, object]) -> Callable[[Path, str], None]:
    def harm(folder: Path, commit: str) -> None:
        (folder / "trees").mkdir(exist_ok=True)
        listing = {"format_version": 1, "files": files}
        (folder / "trees" / f"{commit}.json").write_text(json.dumps(listing))

    return harm


def _half_written(folder: Path, commit: str) -> None:
    """As another tool leaves it that was ended while it wrote: the name of the part is that of the client's."""
    for path in (folder / "snapshots" / commit).rglob("*"):
        if path.is_symlink() and path.name in ("tokenizer.json", "model.safetensors", "modeling_own.py"):
            blob = path.resolve()
            content = blob.read_bytes()
            path.unlink()
            blob.unlink()
            blob.with_name(blob.name + ".incomplete").write_bytes(content[: len(content) // 2])


EVERYTHING = ("config", "tokenizer", "model", "processor", "image-processor", "pipeline", "remote-code", "templates")
CACHES: dict[str, CacheState] = {
    "nothing": CacheState(),
    "config": CacheState(("config",)),
    "model": CacheState(("model",)),
    "tokenizer": CacheState(("tokenizer",)),
    "tokenizer+config": CacheState(("tokenizer", "config")),
    "remote-code+config": CacheState(("remote-code", "config")),
    "everything": CacheState(EVERYTHING),
    "remote-code": CacheState(("remote-code",)),
    "ref-without-snapshot": CacheState(EVERYTHING, _no_snapshot),
    "dangling-links": CacheState(EVERYTHING, _dangle),
    "ref-with-newline": CacheState(EVERYTHING, _newline),
    "older-commit": CacheState(EVERYTHING, older=True),  # its .no_exist marks name a file that the new one has
    "listing-of-0-files": CacheState(EVERYTHING, _list({})),
    "config+listing-of-0-files": CacheState(("config",), _list({})),
    "half-written": CacheState(EVERYTHING, _half_written),
}
