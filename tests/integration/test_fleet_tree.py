"""The fleet tree is the same on every Kubo, whatever its `Import.*`, and an older version's is mended."""

import json
import os
import threading

import pytest

from ipfs_accelerate_py.ipfs.cid import cid_of
from ipfs_accelerate_py.ipfs.fleet_tree import MFS_ROOT
from ipfs_accelerate_py.ipfs.node import Node
from ipfs_accelerate_py.publish import publisher
from ipfs_accelerate_py.session import session
from ipfs_accelerate_py.store import layout
from tests.support.node_settings import kubo_with

REPO = "acme/model"
FILES = {"config.json": b'{"a": 1}', "sub/vocab.txt": b"one\ntwo\n", "model.safetensors": os.urandom(3 << 20)}
OTHER = {
    "Import_CidVersion": 1,
    "Import_HashFunction": "blake2b-256",
    "Import_UnixFSChunker": "size-65536",
    "Import_UnixFSDAGLayout": "trickle",
    "Import_UnixFSFileMaxLinks": 16,
}
KINDS = {
    "default": kubo_with(),
    "unixfs-v1-2025": kubo_with("unixfs-v1-2025"),
    "legacy-cid-v0": kubo_with("legacy-cid-v0"),
    "other": kubo_with(**OTHER),
}
EMPTY_BLOCK = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """One node of each kind, by name, started when it is first wanted."""
    folder, made = tmp_path_factory.mktemp("nodes"), {}

    def start(name):
        if name not in made:
            made[name] = KINDS[name](folder / name / ".ipfs").start()
        return made[name]

    yield start
    for node in made.values():
        node.stop()


@pytest.fixture
def known(serve_repos, here):
    serve_repos({REPO: FILES}, lfs_threshold=1 << 20)
    resolution = here.resolve(REPO)
    here.make_present(resolution)
    return resolution


def publish(running, known, here, silence=10.0):
    session.reset()  # a new process
    return publisher.publish(here.store, Node(running.api, silence), REPO, known.tree, ["main", "pr/1"])


def hashes(running, path=MFS_ROOT):
    """CIDs of the fleet tree by path."""
    found = {path: running.rpc("files/stat", path)["Hash"]}
    for row in running.rpc("files/ls", path, long="true")["Entries"] or []:
        below = f"{path}/{row['Name']}"
        found |= hashes(running, below) if row["Type"] == 1 else {below: row["Hash"]}
    return found


def blocks(running, cid):
    """The CIDs of all blocks of a file."""
    rows = running.rpc("refs", cid, recursive="true", unique="true")
    return {cid, *(row["Ref"] for row in (rows if isinstance(rows, list) else [rows]) if isinstance(row, dict))}


def wanted(known):
    """The CIDs of the files of the fleet tree, computed without a node."""
    ref = cid_of(known.commit.encode())
    files = {layout.snapshot_path(REPO, known.commit, path): cid_of(content) for path, content in FILES.items()}
    tree = {layout.tree_path(REPO, known.commit): cid_of(known.tree.to_json())}
    refs = {layout.ref_path(REPO, "main"): ref, layout.ref_path(REPO, "pr/1"): ref}
    return {f"{MFS_ROOT}/{path}": cid for path, cid in (files | tree | refs).items()}


@pytest.mark.parametrize("name", KINDS)
def test_the_same_bytes_are_the_same_everywhere(name, kinds, known, here):
    """Each file by the pinned recipe, each folder as CIDv1 with sha2-256: the whole tree is the same CID."""
    running = kinds(name)
    publish(running, known, here)
    found = hashes(running)
    assert {path: found[path] for path in wanted(known)} == wanted(known)
    assert all(cid.startswith(("bafkrei", "bafybei")) for cid in found.values()), found
    publish(kinds("default"), known, here)
    assert hashes(kinds("default"))[f"{MFS_ROOT}/models--acme--model"] == found[f"{MFS_ROOT}/models--acme--model"]


@pytest.mark.parametrize("name", KINDS)
def test_an_older_versions_tree_is_mended(name, kinds, known, here):
    """What `files/write` and `files/mkdir` made of it under these settings, also of other repos and by hand."""
    running = kinds(name)
    publish(running, known, here)
    right = hashes(running)
    running.rpc("files/rm", MFS_ROOT, recursive="true")
    listing = json.dumps({"format_version": 1, "files": {f"{n}.bin": {} for n in range(90_000)}}).encode()
    others = {"gateways": b"http://127.0.0.1:8080\n", "models--acme--old/trees/x.json": listing}
    files = dict.fromkeys(wanted(known)) | {f"{MFS_ROOT}/{path}": data for path, data in others.items()}
    for path, data in files.items():
        repo_file = path.removeprefix(f"{MFS_ROOT}/{layout.snapshot_path(REPO, known.commit)}/")
        content = data or FILES.get(repo_file) or (known.tree.to_json() if "/trees/" in path else known.commit.encode())
        running.rpc("files/mkdir", path.rpartition("/")[0], parents="true")
        running.rpc("files/write", path, body=b"before", create="true", truncate="true")
        running.rpc("files/write", path, body=content, create="true", truncate="true")
    if name == "unixfs-v1-2025":
        assert EMPTY_BLOCK in blocks(running, hashes(running)[f"{MFS_ROOT}/gateways"])
    publish(running, known, here)
    found = hashes(running)
    for path, data in others.items():
        assert found.pop(f"{MFS_ROOT}/{path}") == cid_of(data), path
    small = {path: cid for path, cid in right.items() if "/trees/" in path or "/refs/" in path}
    assert {path: found[path] for path in small} == small
    folders = {path: cid for path, cid in found.items() if any(other.startswith(f"{path}/") for other in found)}
    assert all(cid.startswith("bafybei") for cid in folders.values()), folders


def test_a_collection_meanwhile_takes_nothing(kinds, known, here):
    """`repo gc` runs without a pause while the same model is published again and again: all blocks are there."""
    running = kinds("unixfs-v1-2025")
    stop = threading.Event()
    collected = []

    def collect():
        while not stop.is_set():
            collected.append(running.rpc("repo/gc"))

    thread = threading.Thread(target=collect)
    thread.start()
    try:
        for _ in range(8):
            running.rpc("files/rm", MFS_ROOT, recursive="true", force="true")
            publish(running, known, here, 2.0)
            found = hashes(running)
            for path, cid in wanted(known).items():
                running.rpc("dag/stat", cid, offline="true", progress="false")  # an error if a block is gone
                assert found[path] == cid
    finally:
        stop.set()
        thread.join()
    assert len(collected) > 8
