"""A member behind an uplink that is slower than the Hub: nobody waits for it much longer than it would have alone."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import os
import time

import pytest

from ipfs_accelerate_py.fleet.members import Member
from ipfs_accelerate_py.fleet.ranges import UNIT
from ipfs_accelerate_py.store import layout
from tests.support.in_process import write_repo
from tests.support.local_hub import LocalHub
from tests.support.throttle import Throttle
from tests.support.together import TogetherMachine, bytes_from_hub, start_together, start_workers

REPO = "acme/large"
LARGE = "model.safetensors"
CONTENT = os.urandom(5 * UNIT + 12_345)
SIZE, DIGEST = len(CONTENT), hashlib.sha256(CONTENT).hexdigest()
HUB_RATE = 24e6  # bytes per second
UPLINK = 1.5e6
_relays = (f"127.{os.getpid() % 50 + 201}.77.{at}" for at in itertools.count(2))


class Behind(TogetherMachine):
    """A machine that the others reach through its uplink only."""

    def __init__(self, folder, hub=None, **environment):
        super().__init__(folder, hub, **environment)
        self.relay = next(_relays)
        self.fleet = dataclasses.replace(self.fleet, announce=self.relay)
        self.folder.write(self.fleet)

    @property
    def member(self):
        return Member(self.peer, "behind", f"http://{self.relay}:{self.fleet.ports.agent}", seen=time.time())

    def uplink(self, rate):
        port = self.fleet.ports.agent
        return Throttle((self.address, port), rate, at=(self.relay, port))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    write_repo(root, REPO, {"config.json": b"{}", LARGE: CONTENT})
    return root


@pytest.fixture
def two(models, tmp_path):
    """`two(rate, hub_rate)`: one behind such an uplink, another in the open, their Hub each, and the uplink."""
    with contextlib.ExitStack() as stack:

        def make(rate, hub_rate=HUB_RATE):
            hubs = [stack.enter_context(LocalHub(models, bandwidth=hub_rate)) for _ in range(2)]
            machines = Behind(tmp_path / "behind", hubs[0]), TogetherMachine(tmp_path / "open", hubs[1])
            uplink = stack.enter_context(machines[0].uplink(rate))
            for machine in machines:
                machine.hold(REPO)
                stack.callback(machine.stop)
            return *machines, *hubs, uplink

        yield make


def give_whole(machine):
    blob = machine.store / layout.blob_path(REPO, DIGEST)
    blob.parent.mkdir(parents=True)
    blob.write_bytes(CONTENT)


def test_who_has_it_whole_is_left_for_the_hub(two):
    behind, other, _, hub, uplink = two(UPLINK)
    give_whole(behind)
    start_together([behind, other])
    other.wait_for_word_of(behind, layout.repo_folder(REPO))

    [result] = [worker.go().result() for worker in start_workers([other], REPO)]

    assert result["files"][LARGE] == DIGEST
    assert uplink.given < SIZE / 2 < bytes_from_hub(hub) < 1.1 * SIZE


def test_who_is_followed_is_left_for_the_hub(two):
    behind, other, _, hub, uplink = two(UPLINK)
    start_together([behind, other])
    first, second = start_workers([behind, other], REPO)
    first.go()
    while not list(behind.store.rglob("*.incomplete")):
        time.sleep(0.02)
    second.go()

    assert [worker.result()["files"][LARGE] for worker in (first, second)] == [DIGEST] * 2
    assert uplink.given < SIZE / 2 < bytes_from_hub(hub) <= 1.5 * SIZE


def test_where_the_hub_is_no_quicker_it_is_left_alone(two):
    behind, other, _, hub, uplink = two(6e6, hub_rate=6e6)
    give_whole(behind)
    start_together([behind, other])
    other.wait_for_word_of(behind, layout.repo_folder(REPO))

    [result] = [worker.go().result() for worker in start_workers([other], REPO)]

    assert result["files"][LARGE] == DIGEST
    assert uplink.given > SIZE and bytes_from_hub(hub) < SIZE / 10


def test_where_the_hub_fails_then_the_member_gives_the_rest(two):
    behind, other, _, hub, uplink = two(6e6)
    give_whole(behind)
    start_together([behind, other])
    other.wait_for_word_of(behind, layout.repo_folder(REPO))
    worker = other.worker(REPO).wait()
    hub.fault(match="^GET /_blob/", truncate=8 << 20)
    worker.go()

    assert worker.result()["files"][LARGE] == DIGEST
    assert uplink.given > SIZE / 2
