"""docs/own_swarm.md, as it stands there, on two machines with a Kubo daemon each."""

from __future__ import annotations

import json
import shutil
import subprocess
import time

import pytest

from tests.support.documents import ROOT, read_blocks
from tests.support.local_hub import LocalHub
from tests.support.machine import Machine
from tests.support.node import KuboNode, free_port
from tests.support.shell import Shell

PAGE = ROOT / "docs" / "own_swarm.md"
DAEMON = "LIBP2P_FORCE_PNET=1 ipfs daemon"
# The last lines of the page, in its text.
WITHDRAW = (
    "ipfs files rm -r /ipfs_accelerate/models--org--name",
    "ipfs repo gc",
    "ipfs name publish $(ipfs files stat --hash /ipfs_accelerate)",
)


class Member:
    """A machine of the fleet, whose user types what the page says."""

    def __init__(self, machine):
        # ports of its own, and loopback only; the rest is the page's
        self.shell = Shell(machine, {"ipfs init": "ipfs init --empty-repo --profile=test"})
        (self.shell.bin / "ipfs").symlink_to(KuboNode.binary())
        self.machine, self.port, self.daemon = machine, free_port(), None

    def types(self, *commands):
        for command in commands:
            if command == DAEMON:
                self.start()
                continue
            done = self.shell.type(command)
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def stay_on_loopback(self):
        self.types(
            f"""ipfs config --json Addresses.Swarm '["/ip4/127.0.0.1/tcp/{self.port}"]'""",
            "ipfs config --json Routing.LoopbackAddressesOnLanDHT true",
        )
        return f"/ip4/127.0.0.1/tcp/{self.port}/p2p/{self.types('ipfs config Identity.PeerID')}"

    def start(self):
        environment = {**self.shell.environment, "LIBP2P_FORCE_PNET": "1"}
        self.log = self.machine.home / "daemon.log"
        with self.log.open("w") as log:
            self.daemon = subprocess.Popen([self.shell.bin / "ipfs", "daemon"], env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while "Daemon is ready" not in self.log.read_text():  # asking it earlier would take its repo's lock
            assert time.monotonic() < deadline and self.daemon.poll() is None, self.log.read_text()
            time.sleep(0.1)

    def waits_for(self, command, is_right, seconds=30):
        deadline = time.monotonic() + seconds
        while not is_right((done := self.shell.type(command)).stdout):
            assert time.monotonic() < deadline, f"{command}\n{done.stdout}\n{done.stderr}\n{self.log.read_text()}"
            time.sleep(0.2)

    def stop(self):
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait(20)


@pytest.fixture
def members(tmp_path, tiny_models, node_class):
    with LocalHub() as hub:
        hub.add("org/name", tiny_models / "tiny" / "bert")
        made = [Member(Machine(tmp_path / name, hub=hub)) for name in ("first", "second")]
        yield *made, hub
        for member in made:
            member.stop()


def test_the_fleet_page(members):
    first, second, hub = members
    key, each, publish, gateway, _, look = read_blocks(PAGE)  # the datasets' have a test in test_repo_kinds

    first.types(*key.commands)
    second.types("ipfs init")
    shutil.copy(first.machine.home / ".ipfs" / "swarm.key", second.machine.home / ".ipfs")
    address = first.stay_on_loopback()
    second.stay_on_loopback()
    for member in (first, second):
        member.shell.replaced["/ip4/10.0.0.1/tcp/4001/p2p/12D3KooW..."] = address
        member.types(*each.commands)
    second.waits_for("ipfs swarm peers", lambda said: f"tcp/{first.port}/" in said)

    first.types("python -m ipfs_accelerate_py.hook fetch org/name")
    command, export = publish.commands
    said = json.loads(first.types(command))
    assert said["publisher"] == address.rpartition("/")[2]
    second.shell.replaced["12D3KooW..."] = said["publisher"]
    second.types(export)
    hub.stop()
    second.types("python -m ipfs_accelerate_py.hook fetch org/name")
    first.types(*gateway.commands)
    assert first.types("ipfs files read /ipfs_accelerate/gateways") == "http://10.0.0.1:8080"
    assert "models--org--name" in first.types(*look.commands)

    # one copy on disk: the node has references to the store's files
    assert "models--org--name/blobs/" in first.types("ipfs filestore ls")

    text = " ".join(PAGE.read_text().split())
    assert all(f"`{command}`" in text for command in WITHDRAW)
    first.types(*WITHDRAW)
    root = first.types("ipfs files stat --hash /ipfs_accelerate")
    assert first.types("ipfs name resolve --nocache") == f"/ipfs/{root}"
    assert "models--" not in first.types(f"ipfs ls /ipfs/{root}")
