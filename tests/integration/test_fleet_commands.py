"""docs/fleet.md, as it stands there, on two machines; the Hub is gone when the second loads."""

from __future__ import annotations

import itertools
import json
import os

import pytest

from tests.support.documents import ROOT, read_blocks
from tests.support.local_hub import LocalHub
from tests.support.machine import Machine
from tests.support.node import KuboNode
from tests.support.shell import Shell

pytestmark = pytest.mark.timeout(300)
PAGE = ROOT / "docs" / "fleet.md"
WORKER = """
from transformers import AutoModel
print(sum(each.sum().item() for each in AutoModel.from_pretrained("org/name").parameters()))
"""


@pytest.fixture
def shells(tmp_path, tiny_models, node_class):
    with LocalHub() as hub:
        hub.add("org/name", tiny_models / "tiny" / "bert")
        made = []
        for name, at in zip(("first", "second"), itertools.count(2), strict=False):
            place = f"--listen 127.{os.getpid() % 200 + 20}.7.{at} --ipfs {KuboNode.binary()}"
            # on loopback only; the rest is the page's
            shell = Shell(Machine(tmp_path / name, hub=hub), {"fleet init": f"fleet init {place}"})
            shell.replaced["fleet join "] = f"fleet join {place} "
            shell.exported["PATH"] = shell.environment["PATH"]
            (shell.machine.home / "worker.py").write_text(WORKER)
            made.append(shell)
        yield *made, hub
        for shell in made:
            shell.type("ipfs-accelerate fleet leave")


def typed(shell, command):
    done = shell.type(command)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_fleet_page(shells):
    first, second, hub = shells
    init, join, run, trust = (command for block in read_blocks(PAGE) for command in block.commands)
    invitation = next(word for word in typed(first, init).split() if word.startswith("ipfs-fleet1:"))
    second.replaced["ipfs-fleet1:..."] = invitation
    assert "it has met" in typed(second, join)
    loaded = typed(first, run)
    status = json.loads(typed(first, "ipfs-accelerate fleet status --json"))
    second.replaced["12D3KooWA..."] = status["peer"]
    assert status["peer"] in typed(second, trust)
    hub.fault(match="GET /_blob/", reset=True)
    assert typed(second, run) == loaded
    # without the Hub: the word of the member that is trusted
    hub.stop()
    (second.machine.home / "again").mkdir()
    second.exported |= {"IPFS_ACCELERATE_TIMEOUT": "3"}
    assert typed(second, run) == loaded
