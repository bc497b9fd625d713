"""A repo that becomes gated or private is taken back at the next look: out of the node's tree, and out of its name."""

from __future__ import annotations

import time

import pytest

from tests.support.local_hub import LocalHub
from tests.support.node import NodeError

LOAD = """
import sys
from transformers import AutoConfig
print(AutoConfig.from_pretrained(sys.argv[1]).model_type)
"""


def in_tree(node, path=""):
    try:
        return {entry["Name"] for entry in node.rpc("files/ls", f"/ipfs_accelerate/{path}")["Entries"] or []}
    except NodeError:
        return set()


def under_name(node):
    root = node.rpc("name/resolve", f"/ipns/{node.peer_id}")["Path"]
    links = node.rpc("ls", root)["Objects"][0]["Links"]
    return {link["Name"] for link in links}


def waits_until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.2)


@pytest.fixture
def hub(tiny_models):
    with LocalHub(tiny_models) as running:
        yield running


def test_they_are_withdrawn_when_the_hub_next_says_so(machine, node_class, hub):
    user = machine("user", hub=hub, node=node_class)
    for name in ("tiny/bert", "tiny/gpt2", "tiny/vit"):
        assert user.run(LOAD, name).returncode == 0
    waits_until(lambda: under_name(user.node) == {"models--tiny--bert", "models--tiny--gpt2", "models--tiny--vit"})
    hub.repos["models", "tiny/bert"].meta.update(gated="manual")
    hub.repos["models", "tiny/gpt2"].meta.update(private=True)
    for name in ("tiny/bert", "tiny/gpt2"):
        user.run(LOAD, name)
    waits_until(lambda: under_name(user.node) == {"models--tiny--vit"})
    assert in_tree(user.node) == {"models--tiny--vit"}
    records = (user.store / ".locks/ipfs_accelerate/published").glob("*/*")
    assert [record.parent.name for record in records] == ["models--tiny--vit"]
    # what it has on its own disk already it may use
    done = user.run(LOAD, "tiny/bert")
    assert done.stdout == "bert\n", done.stderr


def test_an_unknown_revision_is_no_reason(machine, node_class, hub):
    user = machine("user", hub=hub, node=node_class)
    assert user.run(LOAD, "tiny/bert").returncode == 0
    waits_until(lambda: in_tree(user.node) == {"models--tiny--bert"})
    wrong = user.run(LOAD.replace("sys.argv[1]", "sys.argv[1], revision='none'"), "tiny/bert")
    assert wrong.returncode == 1
    time.sleep(2)
    assert in_tree(user.node) == {"models--tiny--bert"}
    access = user.store / ".locks/ipfs_accelerate/access/models--tiny--bert"
    assert access.read_bytes() == b"public"
