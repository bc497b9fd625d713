"""Each kind of source, filled by its real means: one `Holder` per kind."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time

import pytest

from ipfs_accelerate_py.fetch.sources.gateway import Gateway
from ipfs_accelerate_py.fetch.sources.hub import Hub
from ipfs_accelerate_py.fetch.sources.local_caches import LocalCaches
from ipfs_accelerate_py.fetch.sources.members import Members
from ipfs_accelerate_py.fetch.sources.mirror import Mirror
from ipfs_accelerate_py.fetch.sources.node import IPFSNode
from ipfs_accelerate_py.ipfs.node import Node
from ipfs_accelerate_py.publish import publisher
from ipfs_accelerate_py.repo import Repo
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.store import Store
from ipfs_accelerate_py.store.tree import Entry, Tree
from tests.support.fault_server import FolderServer
from tests.support.in_process import write_repo
from tests.support.local_hub import LocalHub
from tests.support.missing import need
from tests.support.node import KuboNode, free_port
from tests.support.s3 import S3Server
from tests.support.together import TogetherMachine, start_together

REPO = "acme/model"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
PATIENCE = 10.0


def entry_of(path: str, content: bytes) -> Entry:
    """What a Hub would say of a file."""
    blob_id = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    in_lfs = path.endswith(".safetensors") and content
    return Entry(len(content), blob_id, hashlib.sha256(content).hexdigest() if in_lfs else None)


class Holder:
    """Holds files of a repo. `hold` puts them there and gives their commit; `lies`: other bytes under their names."""

    def hold(self, files: dict[str, bytes], lies: dict[str, bytes] | None = None, repo: str = REPO) -> str:
        raise NotImplementedError

    def source(self, silence: float = PATIENCE):
        """The source as it reads from this holder."""
        raise NotImplementedError

    def dead(self, silence: float):
        """A source of this kind where nobody is."""
        raise NotImplementedError

    def close(self) -> None:
        """Ends what it started."""


def fill(store: Store, files: dict[str, bytes], lies: dict[str, bytes] | None = None, repo: str = REPO) -> None:
    """Files in the cache layout, whatever their hashes are."""
    for path, content in files.items():
        entry = entry_of(path, content)
        blob = store.path(layout.blob_path(repo, entry.etag))
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes((lies or {}).get(path, content))
        store.link(repo, COMMIT, path, entry)


class CacheHolder(Holder):
    def __init__(self, folder):
        self.folder = folder / "cache"

    def hold(self, files, lies=None, repo=REPO):
        fill(Store(self.folder), files, lies, repo)
        return COMMIT

    def source(self, silence=PATIENCE):
        return LocalCaches((self.folder.with_name("empty"), self.folder))

    def dead(self, silence):
        return LocalCaches((self.folder.with_name("not-there"),))


class FleetHolder(Holder):
    """Two machines of a fleet, with their agents: one holds, the other is asked."""

    def __init__(self, folder):
        self.theirs, self.ours, self.never = (TogetherMachine(folder / name) for name in ("theirs", "ours", "never"))
        start_together([self.theirs, self.ours])

    def hold(self, files, lies=None, repo=REPO):
        fill(Store(self.theirs.store), files, lies, repo)
        self.theirs.hold(repo)
        for path, content in files.items():
            file = {"folder": layout.repo_folder(repo), "etag": entry_of(path, content).etag}
            self.theirs.ask_agent("release", {**file, "done": True})
            self._wait_for({**file, "size": len(content)})
        return COMMIT

    def _wait_for(self, file):
        end = time.monotonic() + PATIENCE
        while not self.ours.ask_agent("find", file)["holders"]:
            assert time.monotonic() < end, file
            time.sleep(0.02)

    def source(self, silence=PATIENCE):
        return Members(self.ours.store, silence)

    def dead(self, silence):
        return Members(self.never.store, silence)

    def close(self):
        self.theirs.stop()
        self.ours.stop()


class NodeHolder(Holder):
    """Two nodes: one publishes, the other is asked."""

    def __init__(self, folder):
        self.folder = folder
        self.theirs = KuboNode(folder / "theirs" / ".ipfs").start()
        self.ours = KuboNode(folder / "ours" / ".ipfs", bootstrap=[self.theirs]).start()
        self.count = 0

    def hold(self, files, lies=None, repo=REPO):
        self.count += 1
        store = Store(self.folder / f"store{self.count}")
        fill(store, files, lies, repo)
        node = Node(self.theirs.api, PATIENCE)
        if node.stat(publisher.MFS_ROOT):
            node.remove(publisher.MFS_ROOT)
        # what a liar publishes has the size and the hash of what it publishes, and the right name
        tree = Tree(COMMIT, {path: entry_of(path, content) for path, content in files.items()})
        for path in files:
            found = store.path(layout.blob_path(repo, tree.files[path].etag))
            snapshot = f"{publisher.MFS_ROOT}/{layout.snapshot_path(repo, COMMIT)}/{path}"
            node.make_folder(snapshot.rpartition("/")[0])
            if lies:
                node.place(found, snapshot)
        if lies:
            node.publish(str(node.stat(publisher.MFS_ROOT)["Hash"]))
        else:
            publisher.publish(store, node, repo, tree, ["main"])
        return COMMIT

    def source(self, silence=PATIENCE):
        return IPFSNode(Node(self.ours.api, silence), (self.theirs.peer_id,))

    def dead(self, silence):
        never_started = KuboNode(self.folder / "never" / ".ipfs")
        return IPFSNode(Node(never_started.api, silence), (self.theirs.peer_id,))

    def close(self):
        self.ours.stop()
        self.theirs.stop()


class GatewayHolder(NodeHolder):
    """The publishing node's own gateway, asked over HTTP."""

    def source(self, silence=PATIENCE):
        return Gateway(self.theirs.gateway, lambda: [self.theirs.peer_id], silence)

    def dead(self, silence):
        return Gateway(f"http://127.0.0.1:{free_port()}", lambda: [self.theirs.peer_id], silence)


class MirrorHolder(Holder):
    """A folder behind one of fsspec's schemes: of its own, on an S3 server, or on a plain web server."""

    def __init__(self, folder, scheme):
        self.scheme, self.server = scheme, None
        self.folder = folder / "mirror"
        if scheme == "s3":
            self.server = S3Server(folder / "s3").start()
            self.folder = self.server.buckets / "models" / "below"
            self.kept = {name: os.environ.get(name) for name in self.server.environment}
            os.environ.update(self.server.environment)
        elif scheme == "http":
            self.server = FolderServer(self.folder).start()

    @property
    def url(self):
        urls = {"file": self.folder.as_uri(), "s3": "s3://models/below"}
        return urls.get(self.scheme) or self.server.url

    def hold(self, files, lies=None, repo=REPO):
        shutil.rmtree(self.folder, ignore_errors=True)
        for path, content in files.items():  # nothing of the layout but snapshots
            found = self.folder / layout.snapshot_path(repo, COMMIT, path)
            found.parent.mkdir(parents=True, exist_ok=True)
            found.write_bytes((lies or {}).get(path, content))
        return COMMIT

    def source(self, silence=PATIENCE):
        return Mirror(self.url)

    def dead(self, silence):
        nowhere = {"file": "file:///no/such/folder", "s3": "s3://no-such-bucket/x"}
        return Mirror(nowhere.get(self.scheme) or f"http://127.0.0.1:{free_port()}")

    def close(self):
        if self.server is not None:
            self.server.stop()
        if self.scheme == "s3":
            for name, value in self.kept.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


class HubHolder(Holder):
    def __init__(self, folder):
        self.folder = folder
        self.hub = LocalHub(folder / "models").start()
        self.count = 0

    def hold(self, files, lies=None, repo=REPO):
        self.count += 1
        kind, name = f"{Repo.parse(repo).kind}s", Repo.parse(repo).id
        below = name if kind == "models" else f"{kind}/{name}"
        with contextlib.suppress(FileNotFoundError):
            for path in sorted((self.folder / "models" / below).rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
        write_repo(self.folder / "models", below, files)
        self.hub.faults.clear()
        self.hub.scan()
        commit = self.hub.repos[kind, name].refs["main"]
        listed = self.hub.repos[kind, name].commits[commit]["files"]
        for path, content in (lies or {}).items():
            listed[path] = listed[path]._replace(src=content, size=len(content))
        return commit

    def source(self, silence=PATIENCE):
        return Hub(self.folder / f"scratch{self.count}")

    def close(self):
        self.hub.stop()


MIRRORS = ["mirror file", "mirror s3", "mirror http"]
KINDS = ["lower tier", "fleet", "node", "gateway", *MIRRORS, "hub"]


@pytest.fixture(scope="module", params=KINDS)
def running(request, tmp_path_factory):
    """One holder for all tests: nodes take seconds to start."""
    folder = tmp_path_factory.mktemp("holder")
    if request.param == "lower tier":
        made = CacheHolder(folder)
    elif request.param == "hub":
        made = HubHolder(folder)
    elif request.param in MIRRORS:
        if request.param == "mirror s3":
            need(S3Server)
        made = MirrorHolder(folder, request.param.removeprefix("mirror "))
    elif request.param == "fleet":
        made = FleetHolder(folder)
    else:
        need(KuboNode)
        made = (GatewayHolder if request.param == "gateway" else NodeHolder)(folder)
    yield made
    made.close()


@pytest.fixture
def holder(running, here):
    """A source's holder; this process is pointed at it where it is a Hub."""
    if isinstance(running, HubHolder):
        here.point_at(running.hub)
    return running
