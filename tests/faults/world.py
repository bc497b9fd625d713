"""One model and all places that may have it: a cache, a node behind a proxy, a gateway, mirrors, a Hub behind a proxy.

`Cell` is one place in the matrix; `World.run` lets it happen and says what came of it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ipfs_accelerate_py.errors import IPFSAccelerateError, Unavailable, Unresolved, VerificationError
from ipfs_accelerate_py.ipfs.node import Node
from ipfs_accelerate_py.publish import publisher
from ipfs_accelerate_py.resolve import lockfile
from ipfs_accelerate_py.stats import stats
from ipfs_accelerate_py.store import layout, partial
from ipfs_accelerate_py.store.resolution import Resolution
from ipfs_accelerate_py.store.store import Store
from tests.support.fault_server import FaultProxy, FaultServer, FolderServer
from tests.support.in_process import Here, write_repo
from tests.support.local_hub import LocalHub
from tests.support.node import KuboNode

from .file_faults import FILE_FAULTS

REPO = "acme/model"
FILES = {
    "config.json": b'{"model_type": "bert"}',
    "vocab.txt": b"a\nb\n" * 2000,
    "sub/other.json": b"{}",
    "weights.safetensors": hashlib.shake_256(b"weights").digest(2_500_000),
}
TIMEOUT = 0.5  # IPFS_ACCELERATE_TIMEOUT
# Faults of bodies strike files; the others strike whatever is asked.
OF_BODIES = ("one byte flipped", "another file's bytes", "too short", "too long", "range ignored")
FILE_REQUESTS = {"node": "/cat", "hub": r"/resolve/|/_blob"}
WORDS = {"node": r"(?!.*/cat)", "hub": r"/api/"}  # JSON


@dataclass(frozen=True)
class Cell:
    """`source` has `fault`; the store was `cold`, `warm` or `half` fetched; `alone`: nobody else has the bytes."""

    source: str
    fault: str
    before: str
    alone: bool

    def __str__(self) -> str:
        return f"{self.source}-{self.fault}-{self.before}-{'alone' if self.alone else 'with another'}"


@dataclass
class Outcome:
    """What came of it: `loaded` or the error; `asked`: bytes that each source sent."""

    loaded: bool
    error: Exception | None
    seconds: float
    asked: dict[str, int]
    wrong: list[str]

    def __str__(self) -> str:
        what = "loaded right" if self.loaded else type(self.error).__name__
        return f"{what:18} {self.seconds:6.2f} s  " + ", ".join(f"{who} {size}" for who, size in self.asked.items())


class World:
    """Serves the whole module: a node takes seconds to start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_repo(folder / "models", REPO, FILES)
        self.hub = LocalHub(folder / "models", lfs_threshold=1 << 20, cdn="none").start()
        self.hub_proxy = FaultProxy(self.hub.endpoint).start()
        self.tree_folder = folder / "published"
        self.gateway = FolderServer(self.tree_folder).start()
        self.mirror = FolderServer(self.tree_folder).start()
        self.other_mirror = FolderServer(self.tree_folder).start()
        self.node: Any = None
        self.node_proxy: FaultProxy | None = None
        self.commit = self.hub.repos["models", REPO].refs["main"]

    def fill(self, here: Here) -> Resolution:
        """Fetch the model once, for what the others hold. Gives the right words."""
        here.change(home=self.tree_folder)
        here.point_at(self.hub)
        known = here.resolve(REPO)
        here.make_present(known)
        locked = lockfile.LockedCommit(REPO, ("main",), known.tree)
        (self.folder / "lock").write_bytes(lockfile.LockFile({(REPO, known.commit): locked}).to_json())
        return known

    def start_node(self, known: Resolution) -> None:
        """A node that publishes the model."""
        if self.node is None:
            self.node = KuboNode(self.folder / "node" / ".ipfs").start()
            self.node_proxy = FaultProxy(self.node.api_url).start()
            publisher.publish(Store(self.tree_folder), Node(self.node.api, 20.0), REPO, known.tree, ["main"])

    @property
    def servers(self) -> dict[str, FaultServer]:
        found: dict[str, FaultServer] = {"hub": self.hub_proxy, "gateway": self.gateway, "mirror": self.mirror}
        found["other mirror"] = self.other_mirror
        return found if self.node_proxy is None else {"node": self.node_proxy, **found}

    def run(
        self,
        cell: Cell,
        here: Here,
        known: Resolution,
        around: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> Outcome:
        """Prepare the store, let the fault be there, load. `around`: what surrounds the load."""
        for server in self.servers.values():
            server.set_fault()
        here.forget()
        here.change(home=here.cache.with_name("store"), timeout=TIMEOUT, publishers=("12D3Koo" + "x" * 45,))
        self._prepare(cell, here, known)
        for server in self.servers.values():
            server.log.clear()
        self.hub.log.clear()
        self._break(cell, here)
        here.forget()
        loaded, error = False, None
        with around():
            began = time.monotonic()
            try:
                found = here.resolve(REPO)
                present = here.make_present(found)
                loaded = {path: where.read_bytes() for path, where in present.items()} == FILES
            except IPFSAccelerateError as caught:
                error = caught
            seconds = time.monotonic() - began
        asked = {name: server.sent for name, server in self.servers.items() if server.log}
        if cell.source != "hub" and self.hub.log:
            asked["hub"] = sum(row["bytes"] for row in self.hub.log)
        return Outcome(loaded, error, seconds, asked, self._wrong(here))

    # -- before -----------------------------------------------------------------------------------------------------
    def _prepare(self, cell: Cell, here: Here, known: Resolution) -> None:
        """The store before; the Hub's word is known to it, except where the cold machine has never met the Hub."""
        here.point_at(self.hub)
        knows_nothing = cell.source == "hub" and cell.before == "cold"
        if not knows_nothing:
            here.resolve(REPO)
        if cell.before == "warm":
            here.make_present(known)
        elif cell.before == "half":
            here.make_present(known, "config.json", "vocab.txt")
            entry = known.tree.files["weights.safetensors"]
            blobs = here.store.root / layout.repo_folder(REPO) / "blobs"
            dead = partial.prefix(entry.etag).replace(f".{os.getpid()}-", ".4194303-")  # no process has this number
            (blobs / f"{dead}x{partial.SUFFIX}").write_bytes(FILES["weights.safetensors"][:1_500_000])

    def _break(self, cell: Cell, here: Here) -> None:
        server = self.servers.get(cell.source)
        if server is not None:
            server.set_fault(cell.fault, match=self._match(cell))
        here.point_at(None if cell.alone else self.hub)  # type: ignore[arg-type]
        if cell.source == "hub":
            here.point_at(SimpleNamespace(endpoint=self.hub_proxy.url))  # type: ignore[arg-type]
            if not cell.alone:
                here.change(mirrors=(self.other_mirror.url,))
            if not cell.alone and cell.before == "cold":  # somebody must say what the files must be
                here.change(lock=self.folder / "lock")
        elif cell.source == "node":
            assert server is not None
            here.change(node=server.url, publishers=(self.node.peer_id,))
        elif cell.source == "gateway":
            here.change(gateways=(self.gateway.url,))
        elif cell.source == "mirror":
            here.change(mirrors=(self.mirror.url,))
        elif cell.source == "mirror folder":
            damaged = self.folder / "damaged mirror"
            self._copy_damaged(cell, damaged)
            here.change(mirrors=(f"file://{damaged}",))
        elif cell.source == "lower tier":
            self._copy_damaged(cell, here.cache)

    def _match(self, cell: Cell) -> str:
        if cell.fault in OF_BODIES:
            return FILE_REQUESTS.get(cell.source, "")
        return WORDS.get(cell.source, "") if cell.fault == "garbage in place of JSON" else ""

    def _copy_damaged(self, cell: Cell, target: Path) -> None:
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.tree_folder, target, symlinks=True, ignore=shutil.ignore_patterns(".locks"))
        for visible in (target / layout.snapshot_path(REPO, self.commit)).rglob("*"):
            if visible.is_symlink():
                FILE_FAULTS[cell.fault](visible.parent / os.readlink(visible))

    # -- after ------------------------------------------------------------------------------------------------------
    def _wrong(self, here: Here) -> list[str]:
        """Files and blobs that a load could find and that are not right."""
        wrong = [path for path, content in here.visible().items() if content != FILES.get(path)]
        right = {hashlib.sha256(content).hexdigest() for content in FILES.values()}
        return wrong + [
            blob.name
            for blob in here.store.root.glob("models--*/blobs/*")
            if not blob.name.endswith(".incomplete") and hashlib.sha256(blob.read_bytes()).hexdigest() not in right
        ]

    def stop(self) -> None:
        for server in self.servers.values():
            server.stop()
        self.hub.stop()
        if self.node is not None:
            self.node.stop()
        stats().liars.clear()


CLEAR = (Unavailable, Unresolved, VerificationError)
