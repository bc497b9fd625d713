"""The main job: one machine downloads a model from the Hub, the others get it from there, with or without the Hub."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import json
import threading
import time

import pytest

from tests.support import model
from tests.support.local_hub import LocalHub
from tests.support.machine import Machine
from tests.support.node import NodeError, free_port

from .repos import commit_of, make_repos

pytestmark = pytest.mark.timeout(300)
MINILM = "models--sentence-transformers--all-MiniLM-L6-v2"
EMBED = """
import hashlib, sys, torch
from transformers import AutoModel, AutoTokenizer

name = sys.argv[1]
tokenizer, model = AutoTokenizer.from_pretrained(name), AutoModel.from_pretrained(name)
with torch.no_grad():
    vector = model(**tokenizer("the quick brown fox", return_tensors="pt")).last_hidden_state.mean(1)
print(hashlib.sha256(vector.numpy().tobytes()).hexdigest())
"""
SMALL = """
import sys
from transformers import AutoConfig
for name in sys.argv[1:]:
    print(AutoConfig.from_pretrained(name).model_type)
"""


def embedding(machine, name=model.MINILM, **options):
    done = machine.run(EMBED, str(name), **options)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


def in_tree(node, path=""):
    """Names in a folder of the fleet tree of a node."""
    try:
        return [entry["Name"] for entry in node.rpc("files/ls", f"/ipfs_accelerate/{path}")["Entries"] or []]
    except NodeError:
        return []


def arrives(node, path, name, seconds=20):
    deadline = time.monotonic() + seconds
    while name not in in_tree(node, path):
        assert time.monotonic() < deadline, f"{path}/{name} is not in the fleet tree after {seconds} s"
        time.sleep(0.1)


class Fleet:
    """Machine `a` has loaded the model with the Hub up, in a short program, and its background publishing is done."""

    def __init__(self, folder, models, node_class):
        self.folder, self.node_class = folder, node_class
        self.hub = LocalHub(models).start()
        self.a = Machine(folder / "a", hub=self.hub, node=node_class)
        self.commit = commit_of(self.hub, model.MINILM)
        self.vector = embedding(self.a)
        arrives(self.a.node, f"{MINILM}/snapshots/{self.commit}", "model.safetensors")
        arrives(self.a.node, f"{MINILM}/refs", "main", 5)
        self.publication = json.loads(self.a.hook("publish", model.MINILM, "--json").stdout)
        self.made = [self.a]

    def join(self, name, **options):
        """A new machine, whose node is in the swarm."""
        self.made.append(Machine(self.folder / name, node=self.node_class, bootstrap=[self.a.node], **options))
        return self.made[-1]

    def stop(self):
        for machine in self.made:
            machine.stop()
        self.hub.stop()


@pytest.fixture(scope="module")
def fleet(models, node_class, tmp_path_factory):
    running = Fleet(tmp_path_factory.mktemp("fleet"), models, node_class)
    yield running
    running.stop()


def weights_sent(hub):
    """Bytes of weights that the Hub has sent, by both of its addresses."""
    return sum(row["bytes"] for row in hub.log if "safetensors" in row["path"] and row["method"] == "GET")


def test_the_first_machine_is_like_plain(fleet, tmp_path):
    assert fleet.vector == embedding(Machine(tmp_path / "plain"), model.minilm_folder(), hooked=False)


def test_what_publish_says(fleet):
    """One document; its CID opens the snapshot folder, its publisher the fleet tree."""
    said, node = fleet.publication, fleet.a.node
    assert (said["repo"], said["commit"]) == (model.MINILM, fleet.commit)
    names = in_tree(node, f"{MINILM}/snapshots/{fleet.commit}")
    assert said["files"] == len(names) >= 5
    files = fleet.hub.repos[("models", model.MINILM)].commits[fleet.commit]["files"]
    assert said["bytes"] == sum(files[name].size for name in names)
    assert {entry["Name"] for entry in node.rpc("ls", said["cid"])["Objects"][0]["Links"]} == set(names)
    assert json.loads(fleet.a.hook("publish", model.MINILM, "--json").stdout) == said


def test_a_machine_without_the_hub(fleet):
    """Empty caches and no Hub: the trusted publisher's word and bytes. Then once more with everything down."""
    b = fleet.join("b", IPFS_ACCELERATE_PUBLISHERS=fleet.publication["publisher"])
    fleet.hub.log.clear()
    assert embedding(b) == fleet.vector
    assert fleet.hub.log == []
    files = fleet.hub.repos[("models", model.MINILM)].commits[fleet.commit]["files"]
    loaded = [path for path in b.store.glob(f"{MINILM}/snapshots/{fleet.commit}/**/*") if path.is_file()]
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {path.name for path in loaded}
    for path in loaded:
        content = path.read_bytes()
        git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        assert path.resolve().name in (git, hashlib.sha256(content).hexdigest())
        assert len(content) == files[path.relative_to(b.store / MINILM / "snapshots" / fleet.commit).as_posix()].size
    b.node.stop()
    assert embedding(b) == fleet.vector


def test_nobodys_word_is_taken_unasked(fleet):
    """Without the Hub and without a trusted publisher a peer's bytes are not enough."""
    c = fleet.join("c")
    assert c.hook("fetch", model.MINILM).returncode != 0
    assert not list(c.store.glob("models--*/snapshots/*/*"))


def test_weights_come_from_the_swarm(fleet):
    """The Hub says what the bytes must be, its CDN refuses: peers are found without being named."""
    d = fleet.join("d", hub=fleet.hub)
    fleet.hub.log.clear()
    fleet.hub.fault(match="GET /_blob/", reset=True)
    try:
        assert embedding(d) == fleet.vector
    finally:
        fleet.hub.faults.clear()
    assert weights_sent(fleet.hub) == 0


def test_one_copy_on_disk(fleet):
    """The node refers to files outside of its repo. The store lies below the folder that holds the repo."""

    def used(folder):
        return sum(
            path.lstat().st_blocks * 512 for path in folder.rglob("*") if path.is_file() and not path.is_symlink()
        )

    files = fleet.hub.repos[("models", model.MINILM)].commits[fleet.commit]["files"]
    weights = files["model.safetensors"].size
    assert used(fleet.a.store) >= weights
    assert used(fleet.a.node.repo_path) <= 0.05 * weights
    assert used(fleet.a.store) + used(fleet.a.node.repo_path) <= 1.05 * sum(file.size for file in files.values())


def has_block(node, content):
    """Whether the node itself has this file, of one block."""
    digest = b"\x01\x55\x12\x20" + hashlib.sha256(content).digest()
    cid = "b" + base64.b32encode(digest).decode().lower().rstrip("=")
    with contextlib.suppress(NodeError, OSError):
        return bool(node.rpc("block/stat", cid, offline="true", timeout=3))
    return False


def test_closed_repos_never_reach_the_node(node_class, tiny_models, tmp_path):
    """Gated and private ones load with the user's token and stay on this machine; so does all with PUBLISH=off."""
    folders = make_repos(tmp_path, tiny_models)
    closed = {"gated": {"gated": "manual", "allow": ["alice"]}, "private": {"private": True, "allow": ["alice"]}}
    with LocalHub(tokens={"hf_alice": "alice"}) as hub, contextlib.ExitStack() as stack:
        hub.add("acme/gated", folders["gpt2"], meta=closed["gated"])
        hub.add("acme/private", folders["vit"], meta=closed["private"])
        hub.add("acme/public", folders["bert"])
        hub.add("acme/kept", folders["second"])
        a = Machine(tmp_path / "a", hub=hub, node=node_class, HF_TOKEN="hf_alice")
        stack.callback(a.stop)
        done = a.run(SMALL, "acme/kept", env={"IPFS_ACCELERATE_PUBLISH": "off"})
        assert done.stdout.split() == ["bert"], done.stderr
        done = a.run(SMALL, "acme/gated", "acme/private", "acme/public")
        assert done.stdout.split() == ["gpt2", "vit", "bert"], done.stderr
        # the public one was noted last: when it is there, the others would be
        arrives(a.node, "models--acme--public/snapshots", commit_of(hub, "acme/public"))
        time.sleep(1)
        for name in ("gated", "private"):
            refused = a.hook("publish", f"acme/{name}")
            assert refused.returncode != 0 and "Traceback" not in refused.stderr
        assert [name for name in in_tree(a.node) if name.startswith("models--")] == ["models--acme--public"]
        for name, kind in {"gated": "gpt2", "private": "vit", "kept": "second"}.items():
            assert not has_block(a.node, (folders[kind] / "config.json").read_bytes()), name
            assert not has_block(a.node, f"models--acme--{name}".encode()), name
        assert has_block(a.node, (folders["bert"] / "config.json").read_bytes())


class Stranger(http.server.BaseHTTPRequestHandler):
    """A web server where a node was expected."""

    status = 200

    def do_POST(self):
        page = b"<!doctype html><title>Welcome</title>"
        self.send_response(self.status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    do_GET = do_POST

    def log_message(self, *args):
        pass


@pytest.mark.parametrize("behind", ["nothing", "HTML", "404", "silence"])
def test_what_is_no_node(behind, tiny_hub, machine):
    """The load works, and one line on stderr tells the address; a node that is merely silent may be busy."""
    port, servers = free_port(), []
    if behind != "nothing":
        kind = type("S", (Stranger,), {"status": 404 if behind == "404" else 200})
        if behind == "silence":
            kind.do_POST = kind.do_GET = lambda self: time.sleep(300)
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", port), kind))
        servers[0].daemon_threads = True
        threading.Thread(target=servers[0].serve_forever, daemon=True).start()
    address = f"/ip4/127.0.0.1/tcp/{port}"
    try:
        began = time.monotonic()
        done = machine("m", hub=tiny_hub, IPFS_ACCELERATE_NODE=address).run(SMALL, "tiny/bert", "tiny/gpt2")
        seconds = time.monotonic() - began
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
    assert done.stdout.split() == ["bert", "gpt2"], done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("ipfs_accelerate_py")]
    assert len(said) == 1 or (behind == "silence" and not said), done.stderr
    assert all(str(port) in line for line in said)
    assert "Traceback" not in done.stderr
    assert seconds < 60


def test_an_address_that_is_none(tiny_hub, machine):
    done = machine("m", hub=tiny_hub, IPFS_ACCELERATE_NODE="nonsense:/").run(SMALL, "tiny/bert", "tiny/gpt2")
    assert done.stdout.split() == ["bert", "gpt2"], done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("ipfs_accelerate_py")]
    assert len(said) == 1 and "nonsense" in said[0], done.stderr
