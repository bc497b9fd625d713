"""One target for each reader of foreign bytes. `run` gives True if it took them; only the named errors may come out."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from huggingface_hub import constants

from ipfs_accelerate_py.errors import LockFileError, SourceError, Unresolved
from ipfs_accelerate_py.fetch.sources import FileRequest
from ipfs_accelerate_py.fetch.sources.gateway import Gateway
from ipfs_accelerate_py.hub.client import ask_commit
from ipfs_accelerate_py.ipfs import swarm
from ipfs_accelerate_py.ipfs.fleet_tree import PeerTrees
from ipfs_accelerate_py.ipfs.node import Node
from ipfs_accelerate_py.ipfs.node_trees import NodeTrees
from ipfs_accelerate_py.resolve import lockfile
from ipfs_accelerate_py.session import session
from ipfs_accelerate_py.stats import stats
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.tree import Entry, Tree, tree_from_json
from ipfs_accelerate_py.store.verify import Mismatch
from ipfs_accelerate_py.store.writer import Writer

from .answering import AnsweringServer
from .target import Target
from .words import BlockTarget, RecordTarget

REPO = "acme/model"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
PEER = "12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5"
CONTENT = hashlib.shake_256(b"content").digest(3000)
ENTRY = Entry(len(CONTENT), hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest())
LARGE = Entry(len(CONTENT), "e" * 40, hashlib.sha256(CONTENT).hexdigest())
FILES = {"config.json": ENTRY, "sub/model.safetensors": LARGE, "вес.bin": Entry(0, "d" * 40)}
TREE = Tree(COMMIT, FILES, {"tags": ["a"], "pipeline_tag": "fill-mask", "library_name": "transformers"})


def check_tree(tree: Tree) -> None:
    """A tree that was accepted has names that are safe and hashes that are some."""
    root = Path("/store").resolve()
    for path, entry in tree.files.items():
        inside = (root / layout.snapshot_path(REPO, tree.commit, path)).resolve()
        assert inside.is_relative_to(root / "models--acme--model" / "snapshots" / tree.commit), path
        assert layout.blob_path(REPO, entry.etag) and 0 <= entry.size < 1 << 50


class TreeTarget(Target):
    name, allowed, share = "listing of a commit", (ValueError,), 3.0
    seeds = (TREE.to_json(), json.dumps({"format_version": 1, "files": {}}).encode())

    def run(self, data: bytes) -> bool:
        tree = tree_from_json(COMMIT, data)
        check_tree(tree)
        assert tree_from_json(COMMIT, tree.to_json()) == tree
        return True


class LockTarget(Target):
    name, allowed, share = "lock file", (ValueError, LockFileError), 3.0

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        cids = {"config.json": "bafkrei" + "a" * 52}
        locked = lockfile.LockedCommit(REPO, ("main", "refs/pr/1"), TREE, cids)
        self.seeds = [lockfile.LockFile({(REPO, COMMIT): locked}).to_json()]

    def run(self, data: bytes) -> bool:
        found = lockfile.parse_lock_file(data)
        for (repo_id, commit), each in found.repos.items():
            assert layout.is_repo_id(repo_id) and commit == each.tree.commit
            check_tree(each.tree)
        assert lockfile.parse_lock_file(found.to_json()).to_json() == found.to_json()
        return True


class ReceiverTarget(Target):
    """Right bytes become visible; others never, however they are cut up."""

    name, allowed, share = "verifying reader", (Mismatch, SourceError), 3.0
    seeds = (CONTENT,)

    def run(self, data: bytes) -> bool:
        chance = self.mutator.random
        writer = Writer(self.folder, chance.choice((ENTRY, LARGE)))
        target = self.folder / writer.entry.etag
        try:
            if chance.random() < 0.2:
                half = chance.randrange(len(data) + 1)
                writer.write(data[:half])
                writer.write(data[half:])
            elif chance.random() < 0.1:
                source = self.folder / "source"
                source.unlink(missing_ok=True)
                source.write_bytes(data)
                writer.adopt(source, move=chance.random() < 0.5)
            else:
                writer.write(data)
            writer.finish(target)
        finally:
            writer.discard()
        assert target.read_bytes() == CONTENT, "wrong bytes are visible"
        target.unlink()
        return True


def respond(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class _Answered(Target):
    """Bytes that come from a server."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.server = AnsweringServer()

    def stop(self) -> None:
        self.server.stop()


class RPCTarget(_Answered):
    """The node's RPC, and through it a publisher's words: refs and listings."""

    name, allowed, share = "RPC answers and a publisher's words", (SourceError,), 0.5

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        lines = [
            {"ID": "", "Type": 4, "Responses": [{"ID": PEER, "Addrs": ["/ip4/127.0.0.1/tcp/1"]}]},
            {"Peers": [{"Addr": "/ip4/127.0.0.1/tcp/1", "Peer": PEER}]},
            {"Path": "/ipfs/bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"},
            {"Value": ["/ip4/10.0.0.1/tcp/4001"]},
            {"Objects": [{"Hash": "x", "Links": [{"Name": "models--acme--model", "Hash": "y"}]}]},
            {"ID": PEER, "Hash": "bafy", "Size": 5, "Type": "directory", "Keys": [{"Name": "self", "Id": PEER}]},
        ]
        rows = [json.dumps(line).encode() for line in lines]
        plain = "Content-Type: application/json"
        error = json.dumps({"Message": "no", "Code": 0, "Type": "error"}).encode()
        self.seeds = [respond(row, plain) for row in rows]
        self.seeds += [respond(b"\n".join(rows), plain), respond(error, plain, status="500 Internal Server Error")]
        self.seeds += [respond(COMMIT.encode()), respond(TREE.to_json()), respond(CONTENT)]
        self.node = Node(self.server.url.replace("http://127.0.0.1:", "/ip4/127.0.0.1/tcp/"), 0.5)
        self.calls = [
            lambda: self.node.resolve(PEER),
            lambda: swarm.peers(self.node),
            lambda: swarm.is_private(self.node),
            lambda: swarm.holders(self.node, "models--acme--model"),
            lambda: self.node.stat("/x"),
            lambda: self.node.names_in("/ipfs/x"),
            lambda: self.node.read("/ipfs/x", 100_000),
            lambda: self._words().known_commit(REPO, "main"),
            lambda: self._words().known_tree(REPO, COMMIT),
            lambda: self.node.peer_id(),
        ]

    def _words(self) -> NodeTrees:
        trees = PeerTrees(self.node, (PEER,))
        trees._roots[PEER] = (float("inf"), "/ipfs/x")
        return NodeTrees(trees, 0.5)

    def run(self, data: bytes) -> bool:
        session.reset()
        self.server.answer = data
        found = self.mutator.random.choice(self.calls)()
        if isinstance(found, tuple) and isinstance(found[0], Tree):
            check_tree(found[0])
        elif isinstance(found, tuple):
            assert layout.is_commit(found[0])
        return found is not None


class GatewayTarget(_Answered):
    """Status, Content-Length, Content-Range, encodings and bodies of a gateway."""

    name, allowed, share = "gateway answers", (SourceError, Mismatch), 0.5

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        whole, rest = len(CONTENT), CONTENT[1000:]
        self.seeds = [
            respond(CONTENT, "Content-Type: application/octet-stream", 'ETag: "bafy"'),
            respond(rest, f"Content-Range: bytes 1000-{whole - 1}/{whole}", status="206 Partial Content"),
            respond(b"", f"Location: {self.server.url}/x", status="301 Moved Permanently"),
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nbb8\r\n" + CONTENT + b"\r\n0\r\n\r\n",
        ]

    def run(self, data: bytes) -> bool:
        self.server.answer = data
        gateway = Gateway(self.server.url, lambda: (PEER,), 0.5)
        kind = self.mutator.random.random()
        writer = Writer(self.folder, ENTRY)
        target = self.folder / ENTRY.etag
        try:
            if kind < 0.5:
                writer.begin("earlier")
                writer.write(CONTENT[:1000])
            gateway.fetch(FileRequest(REPO, COMMIT, "config.json", ENTRY), writer)
            writer.finish(target)
        finally:
            writer.discard()
        assert target.read_bytes() == CONTENT, "wrong bytes are visible"
        target.unlink()
        return True


class HubTarget(_Answered):
    """The Hub's answer about a commit, as its client and we read it."""

    name, allowed, share = "the Hub's listing", (Unresolved,), 0.3

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        siblings = [
            {"rfilename": path, "size": entry.size, "blobId": entry.blob_id}
            | ({"lfs": {"sha256": entry.sha256, "size": entry.size, "pointerSize": 134}} if entry.sha256 else {})
            for path, entry in FILES.items()
        ]
        info = {"id": REPO, "sha": COMMIT, "private": False, "gated": False, "siblings": siblings, "tags": ["a"]}
        self.seeds = [json.dumps(info).encode()]
        self.before, constants.ENDPOINT = constants.ENDPOINT, self.server.url

    def stop(self) -> None:
        constants.ENDPOINT = self.before
        super().stop()

    def run(self, data: bytes) -> bool:
        # huggingface_hub asks an ill status several times: the body alone is changed
        self.server.answer = respond(data, "Content-Type: application/json", "Connection: close")
        tree, _ = ask_commit(REPO, None, False, 2.0)
        check_tree(tree)
        return True


TARGETS: list[type[Target]] = [
    *(TreeTarget, LockTarget, ReceiverTarget, RecordTarget, BlockTarget),
    *(RPCTarget, GatewayTarget, HubTarget),
]


def reset() -> None:
    """Forget what the process has learnt, so that each try is like the first."""
    stats().liars.clear()
    session.reset()
