"""`gc` beside a node: the fleet tree, its name and the node's references go with the files; none is left dangling."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.support.in_process import write_repo
from tests.support.local_hub import LocalHub
from tests.support.node import NodeError

pytestmark = pytest.mark.timeout(300)
SHARED = os.urandom((2 << 20) + 17)  # in both repos: the filestore keeps each block for one file only
REPOS = {
    "acme/old": {"model.safetensors": SHARED, "more.bin": SHARED[: 1 << 20] + b"old", "config.json": b'{"a": 1}'},
    "acme/kept": {"model.safetensors": SHARED, "more.bin": SHARED[: 1 << 20] + b"kept", "config.json": b'{"a": 1}'},
}

KILLED = """
import os, signal, sys
from ipfs_accelerate_py.config.settings import read_settings
from ipfs_accelerate_py.maintenance.collect import collect_garbage
from ipfs_accelerate_py.store.store import Store

seen = []
def die(event, _):
    if event in ("os.remove", "os.rename"):
        seen.append(event)
        if len(seen) == int(sys.argv[1]):
            os.kill(os.getpid(), signal.SIGKILL)

settings = read_settings()
sys.addaudithook(die)
collect_garbage(Store(settings.home), settings, older_than=30 * 86400)
"""


@pytest.fixture
def hub(tmp_path):
    for repo_id, files in REPOS.items():
        write_repo(tmp_path / "models", repo_id, files)
    with LocalHub(tmp_path / "models") as running:
        yield running


@pytest.fixture
def user(machine, hub, node_class):
    """A machine that has fetched and published both repos; one of them was last used long ago."""
    user = machine("user", hub=hub, node=node_class, IPFS_ACCELERATE_PUBLISH="off")
    for repo_id in REPOS:
        said(user, "fetch", repo_id)
        said(user, "publish", repo_id)
    make_old(user, "acme/old")
    return user


def said(user, *words, rc=0):
    done = user.hook(*words, "--json")
    assert done.returncode == rc, done.stderr
    return json.loads(done.stdout)


def make_old(user, repo_id):
    for blob in (user.store / f"models--{repo_id.replace('/', '--')}" / "blobs").iterdir():
        os.utime(blob, (1_000_000_000, 1_000_000_000))


def in_tree(node, path=""):
    try:
        return sorted(entry["Name"] for entry in node.rpc("files/ls", f"/ipfs_accelerate{path}")["Entries"] or [])
    except NodeError:
        return []


def references(node):
    """What the filestore refers to: (file, status); status 0 is good."""
    rows = node.rpc("filestore/verify")
    rows = rows if isinstance(rows, list) else [rows] if rows else []
    return [(row["FilePath"], row["Status"]) for row in rows]


def read_all(user, repo_id):
    """Every file of a published repo, as the node gives it by its name."""
    root = user.node.rpc("files/stat", "/ipfs_accelerate")["Hash"]
    folder = user.store / f"models--{repo_id.replace('/', '--')}" / "snapshots"
    [commit] = os.listdir(folder)
    assert user.node.rpc("repo/gc") is not None  # what nothing holds is gone
    got = {}
    for name in REPOS[repo_id]:
        path = f"/ipfs/{root}/{folder.parent.name}/snapshots/{commit}/{name}"
        content = user.node.rpc("cat", path, timeout=20)
        got[name] = content if isinstance(content, bytes) else json.dumps(content).encode()
    return got


def test_what_goes_from_the_store_goes_from_the_node(user):
    node = user.node
    assert in_tree(node) == ["models--acme--kept", "models--acme--old"]
    [record] = (user.store / ".locks/ipfs_accelerate/published/models--acme--old").iterdir()
    told = record.read_text()
    record.write_text(json.dumps({**json.loads(told), "publisher": "12D3KooWsomebodyelse"}))
    answer = said(user, "gc", "--older-than", "30d", "--dry-run")
    assert "published by another node" in [row["reason"] for row in answer["kept"]] and not answer["removed"]
    record.write_text(told)
    told = said(user, "gc", "--older-than", "30d", "--dry-run")
    assert in_tree(node) == ["models--acme--kept", "models--acme--old"]
    assert [row["repo"] for row in told["removed"]] == ["acme/old"]
    done = said(user, "gc", "--older-than", "30d")
    assert {**told, "dry_run": False} == done
    assert done["freed"] == sum(map(len, REPOS["acme/old"].values()))
    assert in_tree(node) == ["models--acme--kept"]
    assert not (user.store / "models--acme--old").exists()
    root = node.rpc("files/stat", "/ipfs_accelerate")["Hash"]
    assert node.rpc("name/resolve", node.peer_id, nocache="true", timeout=20)["Path"] == f"/ipfs/{root}"
    assert read_all(user, "acme/kept") == REPOS["acme/kept"]
    assert [row["published"] for row in said(user, "ls") if row["tier"] == "store"] == [True]
    # and the last one
    make_old(user, "acme/kept")
    assert [row["repo"] for row in said(user, "gc", "--older-than", "30d")["removed"]] == ["acme/kept"]
    assert in_tree(node) == []


def test_no_reference_is_left_dangling(user):
    """Blocks that the file which stays shares with the one that goes were kept for the latter alone."""
    node = user.node
    before = references(node)
    assert any("models--acme--old" in path for path, _ in before) and {status for _, status in before} == {0}
    make_old(user, "acme/old")  # to look was to read
    said(user, "gc", "--older-than", "30d")
    after = references(node)
    assert after
    assert {status for _, status in after} == {0}
    assert not [path for path, _ in after if "models--acme--old" in path]
    assert read_all(user, "acme/kept") == REPOS["acme/kept"]


def test_nor_after_one_that_was_killed(user):
    for step in (1, 3, 6):
        said(user, "fetch", "acme/old")
        said(user, "publish", "acme/old")
        make_old(user, "acme/old")
        assert user.run(KILLED, str(step), hooked=False).returncode == -signal.SIGKILL
        assert {status for _, status in references(user.node)} == {0}
        assert read_all(user, "acme/kept") == REPOS["acme/kept"]
    if (user.store / "models--acme--old/blobs").exists():
        make_old(user, "acme/old")
    said(user, "gc", "--older-than", "30d")
    assert not (user.store / "models--acme--old").exists()
    assert {status for _, status in references(user.node)} == {0}
    assert in_tree(user.node) == ["models--acme--kept"]
    assert read_all(user, "acme/kept") == REPOS["acme/kept"]


def test_what_somebody_has_pinned_in_the_node(user):
    node = user.node
    cid = node.rpc("files/stat", "/ipfs_accelerate/models--acme--old")["Hash"]
    node.rpc("pin/add", cid)
    make_old(user, "acme/old")
    assert [row["repo"] for row in said(user, "gc", "--older-than", "30d", "--dry-run")["removed"]] == ["acme/old"]
    said(user, "gc", "--older-than", "30d")
    assert {status for _, status in references(node)} == {0}
    assert read_all(user, "acme/kept") == REPOS["acme/kept"]


def test_blobs_that_somebody_else_removed(user):
    """As `hf cache rm` or `rm -rf` does: the next collection tells the node."""
    import shutil

    shutil.rmtree(user.store / "models--acme--old")
    assert {status for _, status in references(user.node)} != {0}
    removed = said(user, "gc")["removed"]
    assert ("acme/old", "published, and no longer whole in the store") in [(r["repo"], r["reason"]) for r in removed]
    assert {status for _, status in references(user.node)} == {0}
    assert in_tree(user.node) == ["models--acme--kept"]
    assert read_all(user, "acme/kept") == REPOS["acme/kept"]


def test_a_node_that_does_not_answer(user, hub):
    """What is published stays, and that is said; what is not published goes."""
    said(user, "gc")
    write_repo(hub_folder := user.home.parent / "third", "acme/third", {"config.json": b"{}"})
    hub.add("acme/third", str(hub_folder / "acme" / "third"))
    said(user, "fetch", "acme/third")
    make_old(user, "acme/third")
    user.node.stop()
    user.more["IPFS_ACCELERATE_NODE"] = user.node.api
    for options in (["--dry-run"], []):
        answer = said(user, "gc", "--older-than", "30d", *options)
        assert [row["repo"] for row in answer["removed"]] == ["acme/third"]
        reasons = {row["repo"]: row["reason"] for row in answer["kept"]}
        assert reasons["acme/old"] == "published, and the node does not answer"
    assert (user.store / "models--acme--old").exists()
    assert not (user.store / "models--acme--third").exists()
    user.node.start()
    del user.more["IPFS_ACCELERATE_NODE"]
    assert [row["repo"] for row in said(user, "gc", "--older-than", "30d")["removed"]] == ["acme/old"]
