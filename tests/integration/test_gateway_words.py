"""A machine without a node, the Hub down: publishers' trees through gateways, and none that a gateway makes up."""

import base64
import json
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from ipfs_accelerate_py.errors import Unresolved
from ipfs_accelerate_py.net import timeouts
from tests.support.fault_server import FaultServer
from tests.support.fault_server.faults import Answer
from tests.support.local_hub import LocalHub
from tests.support.small_server import silence

RECORDED = json.loads((Path(__file__).parents[1] / "support" / "published_tree.json").read_text())
COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "config.json": b'{"model_type": "bert"}',
    "sub/vocab.txt": b"one\ntwo\n",
    "model.safetensors": b"weights" * 400,
}
LOAD = "from transformers import AutoConfig\nprint(AutoConfig.from_pretrained('tiny/bert').model_type)"


class RecordedGateway(FaultServer):
    """Gives what a Kubo's gateway gave: the record, the blocks, and the files by their paths."""

    def __init__(self):
        super().__init__()
        self.record = base64.b64decode(RECORDED["record"])
        self.blocks = {cid: base64.b64decode(block) for cid, block in RECORDED["blocks"].items()}

    def answer(self, request, ignore_range=False):
        url = urlsplit(request.path)
        path = unquote(url.path)
        if url.query == "format=ipns-record" and path == f"/ipns/{RECORDED['peer_id']}":
            return Answer(200, {}, self.record)
        if url.query == "format=raw" and path.removeprefix("/ipfs/") in self.blocks:
            return Answer(200, {}, self.blocks[path.removeprefix("/ipfs/")])
        for name, content in FILES.items():
            if path == f"/ipns/{RECORDED['peer_id']}/models--acme--model/snapshots/{COMMIT}/{name}":
                return Answer(200, {}, content)
        return Answer(404, {}, b"")


@pytest.fixture
def gateway(here):
    with RecordedGateway() as server:
        here.change(gateways=(server.url,), publishers=(RECORDED["peer_id"],))
        yield server


def test_words_and_bytes_without_a_node(gateway, here):
    resolution = here.resolve("acme/model")
    assert resolution.commit == COMMIT and RECORDED["peer_id"] in resolution.according_to
    here.make_present(resolution)
    assert here.visible() == FILES


def test_its_word_is_hearsay(gateway, here):
    here.resolve("acme/model")
    assert here.store.is_unconfirmed("acme/model", COMMIT) and here.store.is_unconfirmed("acme/model", "refs/main")


def test_the_name_of_the_repo_is_not_told_for_a_word(gateway, here):
    here.resolve("acme/model")
    assert gateway.log and not any("acme" in row["path"] for row in gateway.log)


def test_a_gateway_that_makes_up_a_name_is_not_believed(gateway, here):
    gateway.record = gateway.record.replace(RECORDED["root"].encode(), b"Qm" + b"a" * 44)
    with pytest.raises(Unresolved):
        here.resolve("acme/model")


@pytest.mark.parametrize("fault", ["one byte flipped", "another file's bytes", "HTML error page with status 200"])
def test_a_gateway_that_changes_blocks_is_not_believed(gateway, here, fault):
    gateway.set_fault(fault, match="format=raw")
    with pytest.raises(Unresolved):
        here.resolve("acme/model")


def test_the_next_gateway_is_asked(gateway, here):
    with RecordedGateway() as other:
        here.change(gateways=(gateway.url, other.url))
        gateway.set_fault("one byte flipped")
        assert here.resolve("acme/model").commit == COMMIT


# -- gateways that keep us waiting -------------------------------------------------------------------------------------
OTHERS = tuple(RECORDED["peer_id"][:-1] + letter for letter in "abcdefgh")


@pytest.fixture
def patience(monkeypatch):
    """What an answer may take where nobody knows anything: a second in place of ten."""
    monkeypatch.setattr(timeouts, "IDLE", 1.0)


@pytest.mark.parametrize("fault", ["hangs", "refuses", "401"])
def test_one_that_was_silent_is_not_waited_for_again(gateway, here, patience, fault):
    here.change(publishers=(*OTHERS, RECORDED["peer_id"]))
    gateway.set_fault(fault)
    with pytest.raises(Unresolved):
        here.resolve("acme/model")
    assert len(gateway.log) == (0 if fault == "refuses" else 1)


def test_the_next_one_is_asked_in_its_place(gateway, here, patience):
    with RecordedGateway() as other:
        here.change(gateways=(gateway.url, other.url))
        gateway.set_fault("hangs")
        assert here.resolve("acme/model").commit == COMMIT
        assert len(gateway.log) == 1


def test_one_that_drips_is_given_up(gateway, here, patience):
    """Each byte comes in time, and all of them would take a quarter of a minute."""
    gateway.set_fault("slow drip")
    began = time.monotonic()
    with pytest.raises(Unresolved):
        here.resolve("acme/model")
    assert time.monotonic() - began < 10 and len(gateway.log) == 1


def test_all_together_have_a_time(here, patience, caplog):
    with silence() as url:
        here.change(gateways=tuple(f"{url}/{number}" for number in range(25)), publishers=(RECORDED["peer_id"],))
        began = time.monotonic()
        with pytest.raises(Unresolved):
            here.resolve("acme/model")
    assert time.monotonic() - began < 15
    assert "publishers cannot be asked: they took more than 3 s" in caplog.text


def test_nobody_is_believed_by_default(gateway, here):
    here.settings = replace(here.settings, publishers=())
    with pytest.raises(Unresolved):
        here.resolve("acme/model")
    assert gateway.log == []


def test_a_machine_without_node_and_hub_loads_from_a_peers_gateway(machine, node_class, tiny_models):
    with LocalHub(tiny_models) as hub:
        first = machine("first", hub=hub, node=node_class)
        assert first.run(LOAD).returncode == 0
        done = first.hook("publish", "tiny/bert", "--json")
        assert done.returncode == 0, done.stderr
        publisher = json.loads(done.stdout)["publisher"]
    second = machine(
        "second",
        IPFS_ACCELERATE_NODE="off",
        IPFS_ACCELERATE_GATEWAYS=first.node.gateway,
        IPFS_ACCELERATE_PUBLISHERS=publisher,
    )
    done = second.run(LOAD)
    assert done.stdout == "bert\n", done.stderr
