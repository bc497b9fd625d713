"""docs/cookbook.md, block by block as it stands there, on four machines; the Hub goes away where the page says so."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from tests.support.documents import ROOT, read_blocks
from tests.support.local_hub import LocalHub
from tests.support.machine import Machine
from tests.support.missing import need
from tests.support.s3 import S3Server
from tests.support.shell import Shell

pytestmark = pytest.mark.timeout(600)
PAGE = ROOT / "docs" / "cookbook.md"
# what other tests do: `make venv` installs as the page says, but editable
NOT_HERE = {"pip install ."}


class Reader:
    """Somebody who goes through the page; `types` does the next blocks and returns what each command printed."""

    def __init__(self, shells):
        self.shells, self.blocks = shells, read_blocks(PAGE)

    def types(self, *where):
        said = {}
        for machine in where:
            block = self.blocks.pop(0)
            assert block.where == machine, (
                f"{PAGE.name}:{block.number} is for {block.where}, this test expects {machine}"
            )
            for shell in self.shells.values() if machine == "all machines" else [self.shells[machine]]:
                for command in block.commands:
                    if command in NOT_HERE:
                        continue
                    done = shell.type(command)
                    where_it_is = f"{PAGE.name}:{block.number}, on {machine}: {command}"
                    assert done.returncode == 0, f"{where_it_is}\n{done.stdout}\n{done.stderr}"
                    assert "Traceback" not in done.stderr, f"{where_it_is}\n{done.stderr}"
                    said[command] = done.stdout
        return said


@pytest.fixture
def machines(tmp_path, tiny_models, node_class):
    """A and B with a node and the Hub, C and D with neither; C's Hub and D's never answer."""
    repo = shutil.copytree(tiny_models / "tiny" / "bert", tmp_path / "repo")
    (repo / "README.md").write_text("# A model\n")  # no program asks for it
    with LocalHub() as hub:
        hub.add("org/name", repo)
        a = Machine(tmp_path / "a", hub=hub, node=node_class)
        b = Machine(tmp_path / "b", hub=hub, node=node_class, bootstrap=[a.node])
        made = {"A": a, "B": b, "C": Machine(tmp_path / "c"), "D": Machine(tmp_path / "d")}
        yield made, hub
        for machine in made.values():
            machine.stop()


@pytest.fixture
def s3(tmp_path):
    need(S3Server)
    with S3Server(tmp_path / "s3") as server:
        server.make_bucket("models")
        yield server


def files(machine):
    return {path.name for path in machine.store.glob("models--org--name/snapshots/*/*")}


def forget(machine):
    """What the machine has of models, in the store and in the Hugging Face cache."""
    for folder in (machine.store, machine.cache):
        shutil.rmtree(folder, ignore_errors=True)


def test_the_cookbook(machines, s3, tmp_path, node_class):
    machines, hub = machines
    a, _, c, d = machines.values()
    program = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[1]
    plain = Machine(tmp_path / "plain", hub=hub)
    expected = plain.run(program, hooked=False).stdout
    assert expected.startswith("embedding ")

    places = {
        "http://10.0.0.1:8080": f"http://127.0.0.1:{a.node.gateway_port}",
        "/ip4/10.0.0.1/tcp/8080": f"/ip4/127.0.0.1/tcp/{a.node.gateway_port}",
        "/mnt/models": str(tmp_path / "mnt" / "models"),
    }
    shells = {name: Shell(machine, places) for name, machine in machines.items()}
    for shell in shells.values():
        (shell.machine.home / "embed.py").write_text(program)
        shell.exported.update(s3.environment)
        (shell.bin / "ipfs").symlink_to(node_class.binary())
    reader = Reader(shells)

    # one machine
    reader.types("all machines")
    said = reader.types("A")
    assert said["python embed.py"] == expected
    assert not a.copies()
    asked_for = files(a)
    reader.types("A")
    assert asked_for < files(a)

    # the second machine
    (published,) = reader.types("A").values()
    for shell in shells.values():
        shell.replaced["12D3KooW..."] = json.loads(published)["publisher"]
    reader.types("B")
    hub.stop()
    assert reader.types("B")["python embed.py"] == expected

    # the third machine, without a node
    reader.types("A")
    a.node.stop()
    a.node.start()
    assert reader.types("C")["python embed.py"] == expected

    # a lock file
    reader.types("A")
    shutil.copy(a.home / "models.lock", c.home)
    shutil.copy(a.home / "models.lock", d.home)
    forget(c)
    assert reader.types("C")["python embed.py"] == expected

    # mirrors; no machine answers any more
    a.node.stop()
    for places in ("a folder", "a bucket"):
        forget(c)
        reader.types("A", "C")
        assert files(c) == files(a), places

    # a machine without any network
    reader.types("D")
    assert files(d) == files(a)
    shutil.rmtree(tmp_path / "mnt")
    assert reader.types("D")["HF_HUB_OFFLINE=1 python embed.py"] == expected

    # housekeeping
    reader.types("B")
    assert not reader.blocks, f"{PAGE.name}:{reader.blocks[0].number} is not read here: say what it needs and gives"
