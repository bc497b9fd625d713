"""Each kind of source, filled by its real means: one `Holder` per kind."""

from __future__ import annotations

import contextlib
import hashlib
import os

import pytest

from ipfs_accelerate_py.storage import layout, publisher
from ipfs_accelerate_py.storage.node import Node
from ipfs_accelerate_py.storage.sources.hub import Hub
from ipfs_accelerate_py.storage.sources.ipfs_node import IPFSNode
from ipfs_accelerate_py.storage.sources.lower_tier import LowerTier
from ipfs_accelerate_py.storage.store import Store
from ipfs_accelerate_py.storage.tree import Entry, Tree
from tests.support.in_process import here, write_repo  # noqa: F401
from tests.support.local_hub import LocalHub
from tests.support.node import IMPLEMENTATIONS, asked_for, available

REPO = "acme/model"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
PATIENCE = 10.0


def entry_of(path: str, content: bytes) -> Entry:
    """What a Hub would say of a file."""
    blob_id = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    in_lfs = path.endswith(".safetensors") and content
    return Entry(len(content), blob_id, hashlib.sha256(content).hexdigest() if in_lfs else None)


class Holder:
    """Holds files of REPO. `hold` puts them there and gives their commit; `lies` are other bytes under their names."""

    def hold(self, files: dict[str, bytes], lies: dict[str, bytes] | None = None) -> str:
        raise NotImplementedError

    def source(self, silence: float = PATIENCE):
        """The source as it reads from this holder."""
        raise NotImplementedError

    def dead(self, silence: float):
        """A source of this kind where nobody is."""
        raise NotImplementedError

    def close(self) -> None:
        """Ends what it started."""


def fill(store: Store, files: dict[str, bytes], lies: dict[str, bytes] | None = None) -> None:
    """Files in the cache layout, whatever their hashes are."""
    for path, content in files.items():
        entry = entry_of(path, content)
        blob = store.path(layout.blob_path(REPO, entry.etag))
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes((lies or {}).get(path, content))
        store.link(REPO, COMMIT, path, entry)


class CacheHolder(Holder):
    def __init__(self, folder):
        self.folder = folder / "cache"

    def hold(self, files, lies=None):
        fill(Store(self.folder), files, lies)
        return COMMIT

    def source(self, silence=PATIENCE):
        return LowerTier((self.folder.with_name("empty"), self.folder))

    def dead(self, silence):
        return LowerTier((self.folder.with_name("not-there"),))


class NodeHolder(Holder):
    """Two nodes: one publishes, the other is asked."""

    def __init__(self, folder, implementation):
        self.folder, self.implementation = folder, implementation
        self.theirs = implementation(folder / "theirs" / ".ipfs").start()
        self.ours = implementation(folder / "ours" / ".ipfs", bootstrap=[self.theirs]).start()
        self.count = 0

    def hold(self, files, lies=None):
        self.count += 1
        store = Store(self.folder / f"store{self.count}")
        fill(store, files, lies)
        node = Node(self.theirs.api, PATIENCE)
        if node.stat(publisher.MFS_ROOT):
            node.remove(publisher.MFS_ROOT)
        # what a liar publishes has the size and the hash of what it publishes, and the right name
        tree = Tree(COMMIT, {path: entry_of(path, content) for path, content in files.items()})
        for path in files:
            found = store.path(layout.blob_path(REPO, tree.files[path].etag))
            snapshot = f"{publisher.MFS_ROOT}/{layout.snapshot_path(REPO, COMMIT)}/{path}"
            node.make_folder(snapshot.rpartition("/")[0])
            if lies:
                node.copy_in(node.add(found), snapshot)
        if lies:
            node.publish(str(node.stat(publisher.MFS_ROOT)["Hash"]))
        else:
            publisher.publish(store, node, REPO, tree, ["main"])
        return COMMIT

    def source(self, silence=PATIENCE):
        return IPFSNode(Node(self.ours.api, silence), (self.theirs.peer_id,))

    def dead(self, silence):
        never_started = self.implementation(self.folder / "never" / ".ipfs")
        return IPFSNode(Node(never_started.api, silence), (self.theirs.peer_id,))

    def close(self):
        self.ours.stop()
        self.theirs.stop()


class HubHolder(Holder):
    def __init__(self, folder):
        self.folder = folder
        self.hub = LocalHub(folder / "models").start()
        self.count = 0

    def hold(self, files, lies=None):
        self.count += 1
        with contextlib.suppress(FileNotFoundError):
            for path in sorted((self.folder / "models" / REPO).rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
        write_repo(self.folder / "models", REPO, files)
        self.hub.faults.clear()
        self.hub.scan()
        commit = self.hub.repos["models", REPO].refs["main"]
        listed = self.hub.repos["models", REPO].commits[commit]["files"]
        for path, content in (lies or {}).items():
            listed[path] = listed[path]._replace(src=content, size=len(content))
        return commit

    def source(self, silence=PATIENCE):
        return Hub(self.folder / f"scratch{self.count}")

    def close(self):
        self.hub.stop()


KINDS = ["lower tier", *asked_for(), "hub"]


@pytest.fixture(scope="module", params=KINDS)
def running(request, tmp_path_factory):
    """One holder for all tests: nodes take seconds to start."""
    folder = tmp_path_factory.mktemp("holder")
    if request.param == "lower tier":
        made = CacheHolder(folder)
    elif request.param == "hub":
        made = HubHolder(folder)
    else:
        implementation = IMPLEMENTATIONS[request.param]
        if implementation.missing():
            if os.environ.get("CI") and not available():
                pytest.fail("no IPFS node: " + "; ".join(each.missing() for each in IMPLEMENTATIONS.values()))
            pytest.skip(implementation.missing())
        made = NodeHolder(folder, implementation)
    yield made
    made.close()


@pytest.fixture
def holder(running, here):  # noqa: F811
    """A source's holder; this process is pointed at it where it is a Hub."""
    if isinstance(running, HubHolder):
        here.point_at(running.hub)
    return running
