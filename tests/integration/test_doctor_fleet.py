"""doctor with IPFS nodes: well in a fleet of two, and each thing that can be wrong with a node or its peers."""

import json
import time

import pytest

from ipfs_accelerate_py.config.settings import read_settings
from ipfs_accelerate_py.doctor import publishers, swarm
from ipfs_accelerate_py.doctor.check import run
from ipfs_accelerate_py.session import session
from tests.support.machine import Machine
from tests.support.small_server import serve, silence

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def ask(monkeypatch, tmp_path):
    """The checks of the swarm with these settings: {name: row}."""

    def ask(node, **more):
        given = {"NODE": getattr(node, "api", node), "HOME": str(tmp_path / "store"), **more}
        for key in ("NODE", "HOME", "GATEWAYS", "MIRRORS", "PUBLISH", "PUBLISHERS"):
            monkeypatch.delenv(f"IPFS_ACCELERATE_{key}", raising=False)
            if key in given:
                monkeypatch.setenv(f"IPFS_ACCELERATE_{key}", given[key])
        monkeypatch.delenv("STORAGE_FORCE_LOCAL", raising=False)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        session.reset()  # each ask is a process of its own
        return {row.name: row.to_dict() for row in run(swarm.checks(read_settings()))}

    monkeypatch.setenv("IPFS_PATH", str(tmp_path / "no-repo"))
    return ask


def all_well(rows, but=""):
    return not [row for name, row in rows.items() if not row["ok"] and name != but]


class Pair:
    """Machine `a` has published a model; machine `b` has joined its swarm. Their doctors run under `run`, hooked."""

    code = "import sys; from ipfs_accelerate_py.cli.main import main; sys.exit(main(['doctor', '--json']))"

    def __init__(self, folder, hub, node_class):
        self.a = Machine(folder / "a", hub=hub, node=node_class)
        done = self.a.hook("publish", "tiny/bert", "--all", "--json")
        assert done.returncode == 0, done.stderr
        self.b = Machine(folder / "b", hub=hub, node=node_class, bootstrap=[self.a.node])

    def doctor(self, machine, **environ):
        done = machine.run(self.code, env={"IPFS_ACCELERATE_TIMEOUT": "5", **environ})
        assert "Traceback" not in done.stderr, done.stderr
        return {row["name"]: row for row in json.loads(done.stdout)["checks"]}

    def stop(self):
        self.a.stop()
        self.b.stop()


@pytest.fixture
def pair(tiny_hub, node_class, tmp_path):
    made = Pair(tmp_path, tiny_hub, node_class)
    yield made
    made.stop()


def test_a_fleet_of_two(pair):
    """All is well; the round trip names what was echoed, read, and given."""
    began = time.monotonic()
    rows = pair.doctor(pair.b, IPFS_ACCELERATE_GATEWAYS=pair.a.node.gateway)
    assert time.monotonic() - began < 60
    assert all_well(rows, "doors"), [row for row in rows.values() if not row["ok"]]
    trip = rows["round trip"]["detail"]
    assert f"peer {pair.a.node.peer_id} echoed" in trip
    assert f"came from peer {pair.a.node.peer_id} with the right hash" in trip and "tiny/bert/" in trip
    assert "the swarm names it as a holder" in trip
    assert f"gateway {pair.a.node.gateway} got a new block from our node" in trip
    assert pair.b.node.peer_id in rows["node"]["detail"]
    assert "no model yet" in rows["name"]["detail"]
    # the one who has published
    rows = pair.doctor(pair.a)
    assert all_well(rows, "doors"), [row for row in rows.values() if not row["ok"]]
    assert f"/ipns/{pair.a.node.peer_id} leads to the tree" in rows["name"]["detail"]
    assert "none of the 1 peers" in rows["round trip"]["detail"]
    assert "was not tried" in rows["round trip"]["detail"]


def test_the_hint_for_a_name_that_is_not_published(pair, ask):
    """The name leads to something older than the tree; the hinted command publishes it."""
    node = pair.a.node
    node.rpc("files/mkdir", "/ipfs_accelerate/models--tiny--other", parents="true")
    row = ask(node, HOME=str(pair.a.store))["name"]
    assert not row["ok"] and "is not published" in row["detail"]
    words = row["hint"].split()
    assert words[:4] == ["python", "-m", "ipfs_accelerate_py.hook", "publish"] and words[4] in (
        "tiny/bert",
        "tiny/other",
    )
    done = pair.a.hook("publish", "tiny/bert")
    assert done.returncode == 0, done.stderr
    assert ask(node, HOME=str(pair.a.store))["name"]["ok"]


def test_a_peer_that_lies(pair, ask):
    """A file of its tree that is not what its listing says is never called well."""
    node = pair.a.node
    (commit,) = [e["Name"] for e in node.rpc("files/ls", "/ipfs_accelerate/models--tiny--bert/snapshots")["Entries"]]
    folder = f"/ipfs_accelerate/models--tiny--bert/snapshots/{commit}"
    for entry in node.rpc("files/ls", folder, long="true")["Entries"]:
        node.rpc("files/rm", f"{folder}/{entry['Name']}")
        node.rpc("files/write", f"{folder}/{entry['Name']}", body=b"wrong", create="true")
    root = node.rpc("files/stat", "/ipfs_accelerate")["Hash"]
    node.rpc("name/publish", f"/ipfs/{root}", ttl="5s", resolve="false", allow_offline="true")
    row = ask(pair.b.node)["round trip"]
    assert not row["ok"] and f"peer {node.peer_id} gives wrong bytes" in row["detail"], row


def test_publishers(nodes, ask):
    """Found by the node or by a gateway; a name that nobody has published, and `swarm` without a node, are not."""
    node, other = nodes(2)
    other.rpc("files/mkdir", "/ipfs_accelerate", parents="true")
    root = other.rpc("files/stat", "/ipfs_accelerate")["Hash"]
    other.rpc("name/publish", f"/ipfs/{root}", resolve="false", allow_offline="true")

    def look_up(where, names, gateways=""):
        ask(where, PUBLISHERS=names, **({"GATEWAYS": gateways} if gateways else {}))
        return run(publishers.checks(read_settings()))[0].to_dict()

    found = look_up(node, f"{other.peer_id},swarm")
    assert found["ok"] and "by the node" in found["detail"] and "swarm: 1 peers" in found["detail"], found
    nobody = "12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf"
    missing = look_up(node, f"{other.peer_id},{nobody}")
    assert not missing["ok"] and nobody in missing["detail"] and other.peer_id not in missing["detail"], missing
    assert "IPFS_ACCELERATE_PUBLISHERS" in missing["hint"]
    assert look_up("off", "")["ok"]
    for names in ("swarm", nobody):
        alone = look_up("off", names)
        assert not alone["ok"] and "there is" in alone["detail"]
    by_gateway = look_up("off", other.peer_id, node.gateway)
    assert by_gateway["ok"] and f"the record that {node.gateway} shows" in by_gateway["detail"], by_gateway
    refused = look_up("off", nobody, node.gateway)
    assert not refused["ok"] and node.gateway in refused["detail"]


@pytest.mark.parametrize(
    "version", ["0.43.1", "0.43.1-rc1", "0.44.0-dev/0478248", "0.100.0", "1.0.0", "of an unknown version"]
)
def test_a_kubo_that_is_new_enough(version):
    assert swarm.fixes_missing(version) is None


@pytest.mark.parametrize("version", ["0.43.0", "0.42.0-dev", "0.9.1"])
def test_a_kubo_that_is_older(version):
    assert "update Kubo to 0.43.1 or newer" in swarm.fixes_missing(version)


def test_the_version_of_the_node(nodes, ask):
    (node,) = nodes(1)
    version = node.rpc("version")["Version"]
    row = ask(node)["node"]
    assert row["ok"] and f"Kubo {version} answers" in row["detail"]
    assert row["hint"] == swarm.fixes_missing(version)


def test_no_node(ask, tmp_path, monkeypatch):
    """None configured and none wanted are no failures; the hint says how to get one."""
    for setting in ("auto", "off"):
        rows = ask(setting)
        assert all_well(rows)
        assert f"IPFS_ACCELERATE_NODE={setting}" in rows["node"]["detail"] and "ipfs daemon" in rows["node"]["hint"]
    monkeypatch.setenv("STORAGE_FORCE_LOCAL", "1")
    assert run(swarm.checks(read_settings()))[0].ok


def test_what_is_no_node(ask):
    with silence() as silent, serve(lambda path, headers: (200, {}, b"<!doctype html>")) as page:
        found = {what: ask(url) for what, url in {"dead": "http://127.0.0.1:9", "silent": silent, "page": page}.items()}
        with serve(lambda path, headers: (404, {}, b"")) as missing:
            found["missing"] = ask(missing)
        with serve(lambda path, headers: (200, {"Content-Type": "application/json"}, b"{}")) as empty:
            found["empty"] = ask(empty)
    words = {"dead": "no IPFS node answers", "silent": "was silent", "page": "not the RPC API"}
    for what, rows in found.items():
        assert not rows["node"]["ok"] and words.get(what, "not the RPC API") in rows["node"]["detail"], rows
        assert "IPFS_ACCELERATE_NODE" in rows["node"]["hint"] or "ipfs" in rows["node"]["hint"]
        assert not rows["peers"]["ok"] and rows["peers"]["hint"] == "mend 'node' first"
        assert rows["round trip"]["hint"] == "mend 'peers' first"


def test_a_node_that_stopped_and_the_hint_that_starts_it(node_class, tmp_path, ask, monkeypatch):
    """`auto` with the `api` file that a killed node has left: a failure, until the node runs again."""
    node = node_class(tmp_path / "n" / ".ipfs").start()
    try:
        monkeypatch.setenv("IPFS_PATH", str(node.repo_path))
        assert ask("auto")["node"]["ok"]
        said = (node.repo_path / "api").read_text()
        node.kill()
        (node.repo_path / "api").write_text(said)  # as a power cut leaves it, whatever a dying node could still do
        row = ask("auto")["node"]
        assert not row["ok"] and "ipfs daemon" in row["hint"]
        node.start()
        assert ask("auto")["node"]["ok"]
    finally:
        node.stop()


def test_a_node_that_hangs(nodes, ask):
    node = nodes(2)[1]
    node.pause()
    try:
        began = time.monotonic()
        row = ask(node)["node"]
        assert not row["ok"] and "silent" in row["detail"] and row["hint"]
        assert time.monotonic() - began < 25
    finally:
        node.resume()
    assert ask(node)["node"]["ok"]


def test_a_node_without_peers_and_the_hint_that_connects_it(node_class, tmp_path, nodes, ask):
    """Alone it fails; after `swarm connect`, as the hint says, it is well."""
    (other,) = nodes(1)
    node = node_class(tmp_path / "alone" / ".ipfs").start()
    try:
        rows = ask(node)
        assert rows["node"]["ok"] and not rows["peers"]["ok"] and "ipfs swarm connect" in rows["peers"]["hint"]
        assert rows["round trip"]["hint"] == "mend 'peers' first"
        node.connect_to(other)
        rows = ask(node)
        assert rows["peers"]["ok"] and "connected" in rows["peers"]["detail"]
        assert rows["round trip"]["ok"]
    finally:
        node.stop()


def test_a_peer_that_hangs(node_class, tmp_path, nodes, ask):
    """Connected by its own word, and no echo comes: the round trip says so."""
    (node,) = nodes(1)
    other = node_class(tmp_path / "other" / ".ipfs", bootstrap=[node]).start()
    alone = {other.peer_id} == node.peers()
    try:
        other.pause()
        began = time.monotonic()
        row = ask(node)["round trip"]
        assert time.monotonic() - began < 25
        if alone:  # other tests of this module may have left the node with a second peer, who does echo
            assert not row["ok"] and "no peer echoes" in row["detail"] and "ipfs daemon" in row["hint"], row
    finally:
        other.resume()
        other.stop()


def test_a_public_swarm(node_class, tmp_path, nodes, ask):
    """A public bootstrap address, though nobody is dialled: `auto` fails, and the hints mend it."""
    node = node_class(tmp_path / "public" / ".ipfs").start()
    public = "/ip4/104.131.131.82/tcp/4001/p2p/QmaCpDMGvV2BGHeYERUEnRQAwE3N8SzbUtfsmvsqQLuvuJ"
    try:
        node.rpc("config", "Bootstrap", json.dumps([public]), json="true")
        (node.repo_path / "swarm.key").unlink(missing_ok=True)
        row = ask(node)["private swarm"]
        assert not row["ok"] and "public swarm" in row["detail"]
        assert "ipfs bootstrap rm --all" in row["hint"] and "IPFS_ACCELERATE_PUBLISH=on" in row["hint"]
        assert ask(node, PUBLISH="on")["private swarm"]["ok"]
        node.rpc("config", "Bootstrap", "[]", json="true")
        assert ask(node)["private swarm"]["ok"]
    finally:
        node.stop()


def test_a_gateway_that_peers_tell_of(nodes, ask):
    """By the file `gateways` in a peer's tree: asked for a new block of ours; a dead one fails the round trip."""
    node, other = nodes(2)
    for address, good in ((other.gateway, True), ("http://127.0.0.1:9", False)):
        other.rpc("files/mkdir", "/ipfs_accelerate", parents="true")
        other.rpc("files/write", "/ipfs_accelerate/gateways", body=address.encode(), create="true", truncate="true")
        root = other.rpc("files/stat", "/ipfs_accelerate")["Hash"]
        other.rpc("name/publish", f"/ipfs/{root}", ttl="1s", resolve="false", allow_offline="true")
        time.sleep(1.5)
        row = ask(node)["round trip"]
        assert row["ok"] is good and address in row["detail"], row
    assert "127.0.0.1:9" in row["detail"] and row["hint"]
