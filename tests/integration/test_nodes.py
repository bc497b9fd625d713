"""Two private nodes through ipfshttpclient: the calls the project relies on."""

import hashlib
import io
import os
import time

import pytest
from ipfshttpclient import Client, exceptions

from tests.support.node import swarm_address
from tests.support.node_settings import kubo_with

pytestmark = pytest.mark.filterwarnings("ignore")
ABSENT = "bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"
RECIPE = {"raw_leaves": True, "chunker": "size-1048576", "opts": {"cid-version": 1, "cid-base": "base32"}}


@pytest.fixture
def pair(nodes):
    return nodes(2)


@pytest.fixture
def clients(pair):
    return [Client(node.api, timeout=60) for node in pair]


def publish(node, client, path):
    root = client.files.stat(path)["Hash"]
    node.rpc("name/publish", f"/ipfs/{root}", resolve="false", ttl="5s", allow_offline="true")
    return root


def test_the_swarm_is_private_and_on_loopback(pair):
    first, second = pair
    assert second.peer_id in first.peers()
    assert first.rpc("bootstrap/list")["Peers"] in (None, [])
    for node in pair:
        addresses = node.rpc("id")["Addresses"]
        assert addresses and all(address.startswith("/ip4/127.0.0.1/") for address in addresses)


def test_a_folder_under_the_nodes_own_name_is_read_by_the_other(pair, clients):
    first = pair[0]
    content = os.urandom(20 << 20)
    added = clients[0].add(io.BytesIO(content), **RECIPE)
    clients[0].files.mkdir("/tree/models--x--y/snapshots", parents=True)
    clients[0].files.cp(f"/ipfs/{added['Hash']}", "/tree/models--x--y/snapshots/model.safetensors")
    clients[0].files.write("/tree/models--x--y/refs", io.BytesIO(b"main"), create=True)
    root = publish(first, clients[0], "/tree")

    path = clients[1].name.resolve(first.peer_id, opts={"timeout": "5s"})["Path"]
    assert path == f"/ipfs/{root}"
    assert clients[1].cat(f"{path}/models--x--y/refs", opts={"timeout": "20s"}) == b"main"
    got = clients[1].cat(f"{path}/models--x--y/snapshots/model.safetensors", opts={"timeout": "60s"})
    assert hashlib.sha256(got).digest() == hashlib.sha256(content).digest()
    part = clients[1].cat(f"{path}/models--x--y/snapshots/model.safetensors", offset=5_000_000, length=10)
    assert part == content[5_000_000:5_000_010]


def test_a_changed_name_is_seen_at_once_without_its_cache(pair, clients):
    first, _ = pair
    for content in (b"1", b"2"):
        clients[0].files.write("/changing", io.BytesIO(content), create=True, truncate=True, opts={"parents": True})
        root = publish(first, clients[0], "/changing")
        path = clients[1].name.resolve(first.peer_id, nocache=True, opts={"timeout": "5s"})["Path"]
        assert path == f"/ipfs/{root}"


def test_same_bytes_have_the_same_cid_everywhere(clients):
    content = b"0123456789abcdef" * 200_000
    cids = {client.add(io.BytesIO(content), **RECIPE)["Hash"] for client in clients}
    assert cids == {"bafybeihnrhpe2df6ai2ymll2v6s47jzklywxojnnwbj7bhoeqn5blfzrhm"}


def test_a_raw_block_has_the_cid_of_its_content_and_leads_to_its_holder(pair):
    first, second = pair
    cid = first.put_block(b"models--x--y")
    assert cid == "bafkreiczwz45m3ynkh5dtiyvyompmtpvsj6wj4vxhjdmzwjckuunyaucri"
    first.rpc("routing/provide", cid)
    answers = second.rpc("routing/findprovs", cid, num_providers="5")
    found = {peer["ID"] for answer in answers if answer["Type"] == 4 for peer in answer["Responses"]}
    assert first.peer_id in found


def test_what_is_not_there_is_an_error_in_time(pair, clients):
    with pytest.raises(exceptions.ErrorResponse, match=r"not resolve|not found"):
        clients[1].name.resolve("12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf", opts={"timeout": "5s"})
    start = time.monotonic()
    with pytest.raises(exceptions.ErrorResponse, match="deadline"):
        clients[1].cat(f"/ipfs/{ABSENT}", opts={"timeout": "1s"})
    assert 0.9 < time.monotonic() - start < 15
    with pytest.raises(exceptions.ErrorResponse, match="exist"):
        clients[0].files.stat("/nope")


def test_a_node_keeps_its_ports_name_and_content_over_a_restart(pair, clients):
    first, second = pair
    clients[0].files.write("/kept", io.BytesIO(b"kept"), create=True)
    name, api = first.peer_id, first.api
    first.stop()
    with pytest.raises(exceptions.ConnectionError):
        clients[0].id()
    first.start()
    assert (first.peer_id, first.api) == (name, api)
    assert clients[0].files.read("/kept") == b"kept"
    second.connect_to(first)


def test_references_are_stored_instead_of_a_copy(pair, clients, tmp_path_factory):
    node, client = pair[0], clients[0]
    file = node.repo_path.parent / "blob"
    file.write_bytes(os.urandom(4 << 20))
    before = client.repo.stat()["RepoSize"]
    client.add(str(file), nocopy=True, **RECIPE)
    assert client.repo.stat()["RepoSize"] - before < 100_000
    assert (node.repo_path / "swarm.key").exists()


def test_nothing_is_left_of_a_node_that_stopped(node_class, tmp_path):
    node = node_class(tmp_path / ".ipfs").start()
    group = node.process.pid
    node.stop()
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)


def test_a_peer_that_was_met_while_starting_gives_blocks(pair, tmp_path):
    """By the bootstrap list, before the RPC answers: older ones than 0.43.1 never ask it. A load would connect anew."""
    first = pair[0]
    node = kubo_with(Bootstrap=[swarm_address(first)])(tmp_path / ".ipfs")
    for _ in range(3):
        with node:
            block = first.put_block(os.urandom(32))
            deadline = time.monotonic() + 10
            while first.peer_id not in node.peers():
                assert time.monotonic() < deadline
                time.sleep(0.02)
            node.rpc("block/get", block, timeout=10)
