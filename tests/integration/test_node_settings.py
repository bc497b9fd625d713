"""The main job with nodes as people configure them: what A publishes B loads without the Hub, and the reverse.

docs/nodes.md has the same table, for people.
"""

import os
import threading
from contextlib import contextmanager, nullcontext

import pytest

from ipfs_accelerate_py.errors import IPFSAccelerateError, Unresolved
from ipfs_accelerate_py.ipfs.node import open_node
from ipfs_accelerate_py.publish import publisher
from ipfs_accelerate_py.stats import stats
from tests.support.in_process import write_repo
from tests.support.local_hub import LocalHub
from tests.support.machine import Machine
from tests.support.node import KuboNode
from tests.support.node_settings import kubo_with

pytestmark = pytest.mark.timeout(300)
LOGIN = {
    "bearer": {"AuthSecret": "bearer:s3cret-token", "AllowedPaths": ["/api/v0"]},
    "basic": {"AuthSecret": "basic:us er:s3cret:pass", "AllowedPaths": ["/api/v0"]},
}
OTHER_IMPORT = {
    "Import_CidVersion": 1,
    "Import_HashFunction": "blake2b-256",
    "Import_UnixFSChunker": "size-65536",
    "Import_UnixFSDAGLayout": "trickle",
    "Import_UnixFSFileMaxLinks": 16,
}
ROWS = {
    "default": kubo_with(),
    "unixfs-v1-2025": kubo_with("unixfs-v1-2025"),
    "legacy-cid-v0": kubo_with("legacy-cid-v0"),
    "another chunker, layout and hash": kubo_with(**OTHER_IMPORT),
    "folders sharded": kubo_with(Import_UnixFSHAMTDirectorySizeThreshold="1B"),
    **{f"Provide.Strategy {each}": kubo_with(Provide_Strategy=each) for each in ("all", "pinned", "mfs", "roots")},
    "Provide.Enabled false": kubo_with(Provide_Enabled=False),
    "Gateway.NoFetch": kubo_with(Gateway_NoFetch=True),
    "Gateway.DeserializedResponses false": kubo_with(Gateway_DeserializedResponses=False),
    "Gateway.ExposeRoutingAPI": kubo_with(Gateway_ExposeRoutingAPI=True),
    "API.Authorizations bearer": kubo_with(
        API_Authorizations={"us": LOGIN["bearer"]}, authorization="Bearer s3cret-token"
    ),
    "API.Authorizations basic": kubo_with(
        API_Authorizations={"us": LOGIN["basic"]}, authorization="Basic dXMgZXI6czNjcmV0OnBhc3M="
    ),
    "RPC on a unix socket": kubo_with(Addresses_API=lambda node: [f"/unix{node.repo_path}/api.sock", node.api]),
    "pebbleds": kubo_with("pebbleds"),
    "badgerds": kubo_with("badgerds"),
    "filestore off": kubo_with(Experimental_FilestoreEnabled=False),
    **{f"Routing.Type {each}": kubo_with(Routing_Type=each) for each in ("dht", "dhtserver", "auto", "none")},
    "Swarm.ResourceMgr small": kubo_with(Swarm_ResourceMgr={"MaxMemory": "64MB", "MaxFileDescriptors": 128}),
    "full, with a collector": kubo_with(Datastore_StorageMax="2MB", Datastore_GCPeriod="1s", daemon=("--enable-gc",)),
    "repo gc meanwhile": kubo_with(),
    "restarted": kubo_with(),
    "offline": kubo_with(daemon=("--offline",)),
}
# How the RPC of some is reached, besides by its TCP address.
REACHED = {
    "API.Authorizations bearer": {"node_auth": LOGIN["bearer"]["AuthSecret"]},
    "API.Authorizations basic": {"node_auth": LOGIN["basic"]["AuthSecret"]},
    "RPC on a unix socket": {"node": lambda node: f"/unix{node.repo_path}/api.sock"},
}
# What cannot work, and what both the load and doctor say of it.
CANNOT = {
    "Routing.Type none": ("Routing.Type of the node is none", "ipfs config Routing.Type dht"),
    "offline": ("the node runs offline", "start it without --offline"),
}


def repo_of(row):
    return "acme/" + "-".join("".join(char if char.isalnum() else " " for char in row).split())


@pytest.fixture(scope="module")
def contents():
    """A repo for each row: a small file, and weights of more than one block."""
    repos = ["acme/plain", *map(repo_of, ROWS)]
    return {
        repo: {"config.json": f'{{"a": "{repo}"}}'.encode(), "model.safetensors": os.urandom((2 << 20) + 7)}
        for repo in repos
    }


@pytest.fixture(scope="module")
def hub(contents, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for repo, content in contents.items():
        write_repo(folder, repo, content)
    with LocalHub(folder, lfs_threshold=1 << 20) as running:
        yield running


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A Kubo as it comes."""
    with KuboNode(tmp_path_factory.mktemp("plain") / ".ipfs") as node:
        yield node


@contextmanager
def collecting(nodes):
    """Garbage is collected without a pause."""
    stop = threading.Event()

    def work(node):
        while not stop.is_set():
            node.rpc("repo/gc")

    threads = [threading.Thread(target=work, args=[node]) for node in nodes]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


class Fleet:
    """Two nodes and a store for each job; both nodes are asked as a user of them would set it."""

    def __init__(self, here, hub, folder):
        self.here, self.hub, self.folder, self.count = here, hub, folder, 0

    def _start_anew(self, node, reached, hub, publishers=()):
        self.count += 1
        told = {key: value(node) if callable(value) else value for key, value in reached.items()}
        settings = {"node": node.api, "node_auth": "", **told}
        self.here.change(home=self.folder / f"store{self.count}", publishers=publishers, **settings)
        self.here.point_at(hub)
        self.here.forget()
        stats().served.clear()

    def publish(self, repo, node, reached):
        self._start_anew(node, reached, self.hub)
        known = self.here.resolve(repo)
        self.here.make_present(known)
        publisher.publish(self.here.store, open_node(self.here.settings, 10.0), repo, known.tree, ["main"])

    def load(self, repo, node, reached, publisher_id):
        """What a store without anything gets by a node while the Hub is gone."""
        self._start_anew(node, reached, None, publishers=(publisher_id,))
        self.here.make_present(self.here.resolve(repo))
        assert set(stats().served) == {"node"}
        return self.here.visible()


@pytest.fixture
def fleet(here, hub, tmp_path):
    return Fleet(here, hub, tmp_path / "fleet")


@pytest.mark.parametrize("row", [row for row in ROWS if row not in CANNOT])
def test_both_ways(row, fleet, plain, contents, tmp_path):
    repo, reached = repo_of(row), REACHED.get(row, {})
    meanwhile = collecting if row == "repo gc meanwhile" else nullcontext
    with ROWS[row](tmp_path / "a" / ".ipfs", bootstrap=[plain]) as node, meanwhile([plain, node]):
        fleet.publish(repo, node, reached)
        fleet.publish("acme/plain", plain, {})
        if row == "restarted":
            node.stop()
            node.start()
        assert fleet.load(repo, plain, {}, node.peer_id) == contents[repo]
        assert fleet.load("acme/plain", node, reached, plain.peer_id) == contents["acme/plain"]


@pytest.mark.parametrize("row", CANNOT)
def test_what_cannot_work_is_said(row, fleet, plain, hub, tmp_path, caplog, contents):
    """Once by the load, with what mends it, and by doctor; with the Hub there all works, publishing included."""
    repo, (what, mend) = repo_of(row), CANNOT[row]
    machine = Machine(tmp_path / "a", hub=hub, node=ROWS[row], bootstrap=[plain] if row != "offline" else [])
    try:
        fleet.publish(repo, machine.node, {})
        assert fleet.here.visible() == contents[repo]
        caplog.clear()
        fleet.publish("acme/plain", plain, {})
        with pytest.raises(Unresolved, match=what):
            fleet.load("acme/plain", machine.node, {}, plain.peer_id)
        said = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
        said = [each for each in said if what in each]
        assert len(said) == 1 and mend in said[0]
        found = machine.hook("doctor", "--json")
        assert what in found.stdout and mend in found.stdout, found.stdout
    finally:
        machine.stop()


def test_a_daemon_that_is_restarted_in_the_middle(fleet, plain, contents, tmp_path):
    """While it is gone its user's loads go on as ever; after it is back, so does the fleet."""
    with kubo_with()(tmp_path / "a" / ".ipfs", bootstrap=[plain]) as node:
        fleet.publish("acme/plain", plain, {})
        fleet._start_anew(node, {}, fleet.hub, publishers=(plain.peer_id,))
        known = fleet.here.resolve("acme/plain")
        stopping = threading.Timer(0.05, node.kill)
        stopping.start()
        fleet.here.make_present(known)
        stopping.join()
        assert fleet.here.visible() == contents["acme/plain"]
        with pytest.raises(IPFSAccelerateError, match="no IPFS node answers"):
            fleet.publish(repo_of("default"), node, {})
        node.start()
        fleet.publish(repo_of("default"), node, {})
        assert fleet.load(repo_of("default"), plain, {}, node.peer_id) == contents[repo_of("default")]


def test_a_login_is_never_shown(fleet, hub, plain, tmp_path):
    """By the environment or in the URL; a wrong or missing one is one line, and the load goes on."""
    secret = "s3cret-token"
    machine = Machine(tmp_path / "a", hub=hub, node=ROWS["API.Authorizations bearer"], bootstrap=[plain])
    login = {"IPFS_ACCELERATE_NODE_AUTH": f"bearer:{secret}", "IPFS_ACCELERATE_LOG": "DEBUG"}
    try:
        for each in (("publish", "acme/plain", "--all", "--debug"), ("config", "--json"), ("env",), ("doctor",)):
            done = machine.hook(*each, env=login)
            assert secret not in done.stdout + done.stderr, each
            assert each[0] == "doctor" or done.returncode == 0, done.stderr
        for auth, what in (("", "wants a login"), ("bearer:wr0ng-token", "refuses our login")):
            env = {"IPFS_ACCELERATE_NODE_AUTH": auth, "IPFS_ACCELERATE_HOME": str(tmp_path / f"store {what}")}
            done = machine.hook("fetch", "acme/plain", env=env)
            assert done.returncode == 0, done.stderr
            assert done.stderr.count(what) == 1 and "IPFS_ACCELERATE_NODE_AUTH" in done.stderr, done.stderr
            assert "wr0ng" not in done.stderr
    finally:
        machine.stop()
