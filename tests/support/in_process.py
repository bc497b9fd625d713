"""The storage layer inside the test's own process, with folders of its own and pointed at a loopback Hub.

`here`, a fixture of every test, makes one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import huggingface_hub
from huggingface_hub import constants, file_download

from ipfs_accelerate_py import state
from ipfs_accelerate_py.config.settings import Settings
from ipfs_accelerate_py.fetch.retrieval import Retrieval
from ipfs_accelerate_py.publish.outbox import withdraw_closed
from ipfs_accelerate_py.resolve import resolver
from ipfs_accelerate_py.session import session
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.resolution import Resolution
from ipfs_accelerate_py.store.store import Store

from .local_hub import LocalHub

if TYPE_CHECKING:
    import pytest

NOBODY = "http://127.0.0.1:9"  # a port on which nothing listens


class Here:
    """This machine: a store, a Hugging Face cache below it, no node; what the process remembers starts empty."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.cache = folder / "cache"
        self.settings = Settings(
            home=folder / "store",
            node="off",
            lower=(self.cache,),
            publish="off",
            publishers=(),
            timeout=1.0,
            log="WARNING",
            force_local=False,
        )
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(folder / "no-token"))
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(self.cache))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        for name in [*os.environ]:
            if name.startswith(("IPFS_", "HF_", "HUGGING")) and name != "IPFS_BIN":
                monkeypatch.delenv(name)
        self.point_at(None)
        self.forget()

    def change(self, **settings: Any) -> None:
        self.settings = replace(self.settings, **settings)

    @property
    def store(self) -> Store:
        return Store(self.settings.home)

    def point_at(self, hub: LocalHub | None) -> None:
        """What HF_ENDPOINT does in a fresh process."""
        endpoint = hub.endpoint if hub else NOBODY
        self._monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        for module in (constants, file_download):  # the older line of the client keeps a copy
            if hasattr(module, "HUGGINGFACE_CO_URL_TEMPLATE"):
                self._monkeypatch.setattr(module, "HUGGINGFACE_CO_URL_TEMPLATE", template)

    def forget(self) -> None:
        """What a new process does not know."""
        session.reset()
        state.liars.clear()
        state.served.clear()
        state.vouched.clear()

    def resolve(self, repo_id: str, revision: str | None = None, **options: Any) -> Resolution:
        return resolver.resolve(
            self.store,
            self.settings,
            repo_id,
            revision,
            on_closed=withdraw_closed(self.store, self.settings),
            **options,
        )

    def make_present(self, resolution: Resolution, *paths: str, **options: Any) -> dict[str, Path]:
        wanted: Iterable[str] = paths or resolution.tree.files
        return Retrieval(self.store, self.settings, resolution, **options).make_present(wanted)

    def fill_cache(self, hub: LocalHub, repo_id: str, revision: str = "main", *paths: str) -> str:
        """Lets plain huggingface_hub download into the lower tier; the commit."""
        patterns = {"allow_patterns": list(paths)} if paths else {}
        found = huggingface_hub.snapshot_download(
            repo_id, revision=revision, cache_dir=self.cache, endpoint=hub.endpoint, token=False, **patterns
        )
        return Path(found).name

    def learn_in_cache(self, repo_id: str, revision: str, commit: str, seconds_from_now: float) -> None:
        """Lets the lower tier know a commit, as of a moment."""
        _write_ref(self.cache, repo_id, revision, commit, seconds_from_now)

    def learn_in_store(self, repo_id: str, revision: str, commit: str, seconds_from_now: float) -> None:
        """Lets the store know a commit, as of a moment."""
        _write_ref(self.store.root, repo_id, revision, commit, seconds_from_now)

    def visible(self) -> dict[str, bytes]:
        """Every file that a load could find in the store, with what it holds."""
        found = {}
        for snapshot in self.store.root.glob("models--*/snapshots/*"):
            for path in snapshot.rglob("*"):
                if path.is_symlink() or path.is_file():
                    found[path.relative_to(snapshot).as_posix()] = path.read_bytes()
        return found

    def blobs(self) -> list[str]:
        """Names of the complete blobs in the store."""
        return sorted(path.name for path in self.store.root.glob("models--*/blobs/*"))


def _write_ref(root: Path, repo_id: str, revision: str, commit: str, seconds_from_now: float) -> None:
    ref = root / layout.ref_path(repo_id, revision)
    ref.parent.mkdir(parents=True, exist_ok=True)
    ref.write_text(commit)
    moment = time.time() + seconds_from_now
    os.utime(ref, (moment, moment))


def write_repo(root: Path, repo_id: str, files: dict[str, bytes]) -> None:
    """Lays files into a Hub's root folder."""
    for name, content in files.items():
        path = root / repo_id / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
