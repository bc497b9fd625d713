"""A machine that is in a fleet: its agent runs, and so does that of another member, on loopback and without Kubo."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from ipfs_accelerate_py.store import layout
from tests.support.together import TogetherMachine, start_together

_MAKING = threading.Lock()  # addresses come one by one, and cells are measured side by side


@contextlib.contextmanager
def in_fleet(folder: Path, environment: dict[str, str], repos: Iterable[str], has: Path | None) -> Iterator[None]:
    """The store in `folder` is that of a member for as long as this lasts. `has`: a store with what the other one has,
    None for nothing; `environment`: where the Hub is, for the agents too.
    """
    if has is not None:
        shutil.copytree(has, folder / "other-store", symlinks=True)
    shared = {"IPFS_ACCELERATE_NODE": "off", **environment}
    with _MAKING:
        own = TogetherMachine(folder / "own", None, **shared, IPFS_ACCELERATE_HOME=str(folder / "store"))
        other = TogetherMachine(folder / "other", None, **shared, IPFS_ACCELERATE_HOME=str(folder / "other-store"))
    try:
        if has is not None:
            for repo_id in repos:
                other.hold(repo_id)
        start_together([own, other])
        if has is not None:
            for repo_id in repos:
                own.wait_for_word_of(other, layout.repo_folder(repo_id))
        yield
    finally:
        for machine in (own, other):
            machine.stop()
