"""The Hub asks one machine of a fleet to wait: the others know, and do not ask meanwhile."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import threading
import time
import urllib.request

import pytest

from ipfs_accelerate_py.fleet import heed, waits
from ipfs_accelerate_py.fleet.client import ROOT, AgentClient
from ipfs_accelerate_py.fleet.keys import page_token
from ipfs_accelerate_py.fleet.signing import Signer
from ipfs_accelerate_py.hub.limits import waits_itself
from tests.support.in_process import write_repo
from tests.support.local_hub import LocalHub
from tests.support.together import KEY, TogetherMachine, start_together, start_workers

REPO = "acme/model"
FILES = {
    "config.json": b'{"model_type": "bert"}',
    "model.safetensors": os.urandom(12 << 20),
    "tokenizer.json": os.urandom(100_000).hex().encode(),
    "vocab.txt": b"one\ntwo\n",
}
DIGESTS = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
API, RESOLVE = "/api/models/", "/resolve/"
WAIT = 8


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    write_repo(root, REPO, FILES)
    return root


@pytest.fixture
def hub(models):
    with LocalHub(models) as running:
        yield running


@pytest.fixture
def fleet(tmp_path, hub):
    """Makes machines that know of each other, with their agents."""
    made = []

    def make(count, **environment):
        new = [TogetherMachine(tmp_path / f"m{len(made) + at}", hub, **environment) for at in range(count)]
        made.extend(new)
        start_together(new)
        return new

    yield make
    for machine in made:
        machine.stop()


class Window:
    """The Hub's answers to what matches while its limit stands: 429, with the seconds that are left."""

    def __init__(self, hub, match, seconds):
        self.hub, self.seconds = hub, seconds
        self.fault = hub.fault(match=match, status=429, retry_after=seconds) or hub.faults[-1]
        self.began = time.time()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while (left := self.began + self.seconds - time.time()) > 0:
            self.fault["retry_after"] = math.ceil(left)
            time.sleep(0.05)
        self.hub.faults.remove(self.fault)


def refused(hub):
    return [row for row in hub.log if row["status"] == 429]


def about(hub, kind):
    """What an anonymous request of this kind is about."""
    return hashlib.sha256("\n".join((hub.endpoint, kind, "")).encode()).hexdigest()[:32]


def waits_at(machine):
    return machine.ask_agent("limit", {"waits": {}})["waits"]


def wait_until_known(machine):
    """Waits until its agent knows of a limit."""
    end = time.monotonic() + 20
    while not waits_at(machine):
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.lines
def test_the_others_ask_for_no_words_until_the_time_is_over(hub, fleet):
    machines = fleet(4)
    first, *others = start_workers(machines, REPO)
    hub.fault(match=API, status=429, retry_after=WAIT, times=1)
    first.go()
    for machine in machines[1:]:
        wait_until_known(machine)
    until = refused(hub)[0]["t"] + WAIT
    first.result()  # plain asks once more, at once
    hub.log.clear()
    for worker in others:
        worker.go()
    results = [worker.result() for worker in others]
    assert [result["files"] for result in results] == [DIGESTS] * 3
    if not waits_itself():  # nor does plain: it asks, and raises what it is answered
        assert all("to wait" not in result["stderr"] for result in results)
        return
    assert not [row for row in hub.log if API in row["path"] and row["t"] < until]
    assert not refused(hub)
    assert all("asked a machine of the fleet to wait" in result["stderr"] for result in results)


def count_with(hub, machines, match):
    """How often the Hub refused, of four that begin one after the other while its limit stands."""
    first, *others = start_workers(machines, REPO)
    hub.log.clear()
    window = Window(hub, match, WAIT)
    first.go()
    end = time.monotonic() + 20
    while not refused(hub) or any(machine.fleet_is_on and not waits_at(machine) for machine in machines[1:]):
        assert time.monotonic() < end
        time.sleep(0.02)
    for worker in others:
        worker.go()
    assert [worker.result()["files"] for worker in (first, *others)] == [DIGESTS] * 4
    assert time.time() > window.began + WAIT
    return len(refused(hub))


def test_the_hub_refuses_one_machine_in_place_of_all(hub, fleet):
    together = fleet(4)
    for machine in together:
        machine.fleet_is_on = True
    alone = [machine for _ in range(4) for machine in fleet(1)]
    for machine in alone:
        machine.fleet_is_on = False
    counts = [count_with(hub, machines, RESOLVE) for machines in (alone, together)]
    print("refused: alone, together", counts)
    assert counts[1] <= counts[0] / 2


def test_a_forged_wait_of_a_year_costs_no_more_than_the_bound(hub, fleet):
    liar, machine = fleet(2)
    [worker] = start_workers([machine], REPO)
    client = AgentClient(Signer(KEY, liar.peer), 10.0)
    subjects = dict.fromkeys((about(hub, "api"), about(hub, "files")), 365 * 86400.0)
    try:
        client.post(machine.member.agent, ROOT + "limit", {"waits": subjects})
    finally:
        client.close()
    left = waits_at(machine)
    assert set(left) == set(subjects) and max(left.values()) <= waits.MOST
    result = worker.go().result(seconds=240)
    assert result["files"] == DIGESTS
    assert heed.MOST - 5 < result["seconds"] < heed.MOST + 60  # for words and bytes together; a busy machine's own time
    [again] = start_workers([machine], REPO)
    assert "to wait" not in again.go().result()["stderr"]  # what is known and held here waits for nothing


@pytest.mark.lines
def test_words_that_are_known_here_are_used_without_a_question(hub, fleet):
    first, second = fleet(2)
    for machine in (first, second):
        [worker] = start_workers([machine], REPO)
        assert worker.go().result()["files"] == DIGESTS
    first.ask_agent("limit", {"waits": {about(hub, "api"): 60}})
    wait_until_known(second)
    hub.log.clear()
    [worker] = start_workers([second], REPO)
    result = worker.go().result()
    assert result["files"] == DIGESTS and result["seconds"] < 10
    assert not [row for row in hub.log if API in row["path"]]


LIKE_PLAIN = """\
import sys, time
from huggingface_hub import hf_hub_download
with open(hf_hub_download(sys.argv[1], "config.json"), "rb") as file:
    print(file.read().decode())
"""


@pytest.mark.lines
def test_where_plain_needs_no_words_of_the_api_a_load_waits_for_none(hub, fleet):
    first, second = fleet(2)
    first.ask_agent("limit", {"waits": {about(hub, "api"): 200}})
    wait_until_known(second)
    got = second.run(LIKE_PLAIN, REPO)
    assert got.stdout.encode().strip() == FILES["config.json"], got.stderr
    assert "it is asked again when that time is over" not in got.stderr
    assert not [row for row in hub.log if API in row["path"]]


def look(machine, path):
    """What the local site of its agent shows a browser."""
    url = f"http://127.0.0.1:{machine.fleet.ports.local}{path}"
    asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {page_token(KEY)}"})
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return answer.read().decode()


def test_it_is_shown_on_every_machine(hub, fleet):
    first, second, third = fleet(3)
    first.ask_agent("limit", {"waits": {"0" * 32: 100}})
    for machine in (second, third):
        wait_until_known(machine)
        report = machine.ask_agent("status", {})
        assert 80 < report["hub_wait"] <= 100
        assert "it has asked this network to wait" in machine.hook("fleet", "status").stdout
        status = json.loads(machine.hook("fleet", "status", "--json").stdout)
        assert 0 < status["agent"]["hub_wait"] <= 100
        page = json.loads(look(machine, "/page.json"))
        assert "The Hub" in [row["what"] for row in page["problems"]["rows"]]
        [row] = re.findall(r"^ipfs_accelerate_fleet_hub_wait_seconds (.*)$", look(machine, "/metrics"), re.MULTILINE)
        assert 0 < float(row) <= 100


def test_what_cannot_be_read_is_left_out(fleet):
    first, _ = fleet(2)
    odd = {"": 5, "0" * 31: 5, "g" * 32: 5, "1" * 32: -1, "2" * 32: "5", "3" * 32: None, "4" * 32: math.inf}
    first.ask_agent("limit", {"waits": odd})
    assert set(waits_at(first)) == {"4" * 32} and max(waits_at(first).values()) <= waits.MOST
    for broken in ([], 5, "x", None, {f"{at:032x}": 5 for at in range(1000)}):
        first.ask_agent("limit", {"waits": broken})
    assert set(waits_at(first)) == {"4" * 32}


def test_a_machine_alone_is_told_nothing(fleet):
    [machine] = fleet(1)
    assert machine.ask_agent("limit", {"waits": {"0" * 32: 100}})["waits"] == {}
    assert machine.ask_agent("status", {})["hub_wait"] > 0
