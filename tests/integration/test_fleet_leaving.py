"""What a machine held and fetched ends for the others at the moment in which it leaves the fleet."""

from __future__ import annotations

import itertools

import pytest

from ipfs_accelerate_py.fleet.members import rank
from ipfs_accelerate_py.store import layout
from tests.support.together import TogetherMachine, start_together

pytestmark = pytest.mark.timeout(120)
ETAG, SIZE = "e" * 64, 1 << 30


@pytest.fixture
def three(tmp_path):
    pytest.importorskip("aiohttp")
    machines = [TogetherMachine(tmp_path / name) for name in ("stays", "other", "leaves")]
    start_together(machines)
    yield machines
    for machine in machines:
        machine.stop()


def folder_of(tracker, machines):
    """A repo for which this machine answers."""
    peers = [each.peer for each in machines]
    names = (layout.repo_folder(f"org/name-{number}") for number in itertools.count())
    return next(name for name in names if rank(name, peers)[0] == tracker.peer)


def find(machine, folder, claim=True):
    return machine.ask_agent("find", {"folder": folder, "etag": ETAG, "size": SIZE, "claim": claim})


def claims(stays, other, leaves, folder):
    assert find(leaves, folder)["claim"]["mine"]
    assert find(other, folder)["claim"]["peer"] == leaves.peer


def has_a_file(stays, other, leaves, folder):
    assert find(leaves, folder)["claim"]["mine"]
    leaves.ask_agent("release", {"folder": folder, "etag": ETAG, "done": True})
    while not find(other, folder, claim=False)["holders"]:
        pass


def says_that_it_has_the_repo(stays, other, leaves, folder):
    tell_as(leaves, stays, folder)
    assert find(other, folder, claim=False)["holders"]


def tell_as(teller, told, folder):
    """Its agent's word to another one."""
    from ipfs_accelerate_py.fleet.client import ROOT, AgentClient
    from ipfs_accelerate_py.fleet.signing import Signer
    from tests.support.together import KEY

    client = AgentClient(Signer(KEY, teller.peer), 10.0)
    client.post(f"http://{told.address}:{told.fleet.ports.agent}", f"{ROOT}hold", {"folders": [folder]})
    client.close()


@pytest.mark.parametrize("has", [claims, has_a_file, says_that_it_has_the_repo])
@pytest.mark.parametrize("tracker", ["stays", "other"])
def test_the_next_that_asks_fetches_itself(three, has, tracker):
    stays, other, leaves = three
    first = stays if tracker == "stays" else other
    folder = folder_of(first, three)
    has(first, other, leaves, folder)
    done = leaves.hook("fleet", "leave")
    assert done.returncode == 0, done.stderr
    found = find(other, folder)
    assert found["holders"] == [] and found["claim"]["mine"], found
    for machine in (stays, other):
        known = [member["peer"] for member in machine.ask_agent("status", {})["members"]]
        assert leaves.peer not in known
