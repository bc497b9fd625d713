"""A large file that machines of a fleet fetch together: its ranges leave the Hub over several, and each byte once."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import threading
import time

import pytest

from ipfs_accelerate_py.fleet.client import ROOT, AgentClient
from ipfs_accelerate_py.fleet.members import rank
from ipfs_accelerate_py.fleet.ranges import UNIT
from ipfs_accelerate_py.fleet.signing import Signer
from ipfs_accelerate_py.store import layout
from tests.support.in_process import write_repo
from tests.support.local_hub import LocalHub
from tests.support.together import KEY, TogetherMachine, bytes_from_hub, start_together, start_workers

REPO = "acme/large"
LARGE = "model.safetensors"
SIZE = 6 * UNIT + 12_345
RATE = 16 << 20  # bytes per second, of a connection to the Hub


@pytest.fixture(scope="module")
def content():
    return os.urandom(SIZE)


@pytest.fixture(scope="module")
def digest(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(scope="module")
def models(tmp_path_factory, content):
    root = tmp_path_factory.mktemp("models")
    write_repo(root, REPO, {"config.json": b"{}", LARGE: content})
    return root


@pytest.fixture
def hub(models):
    with LocalHub(models, bandwidth=RATE) as running:
        yield running


@pytest.fixture
def other_hub(models):
    """The Hub as one of the machines sees it: with the same repo, and troubles of its own."""
    with LocalHub(models, bandwidth=RATE) as running:
        yield running


@pytest.fixture
def fleet(tmp_path, hub):
    """Makes machines that know of each other, with their agents: one for each Hub."""
    made = []

    def make(*hubs, others=()):
        made.extend(TogetherMachine(tmp_path / f"m{number}", each) for number, each in enumerate(hubs))
        start_together(made, others)
        return made

    yield make
    for machine in made:
        machine.stop()


def downloads(hub):
    """The ranges that the Hub's CDN was asked for, in order: (first byte, last byte or None)."""
    found = []
    for row in list(hub.log):
        if (row["origin"] == "cdn" or "/_blob/" in row["path"]) and row["method"] == "GET":
            first, _, last = (row["range"] or "bytes=0-").removeprefix("bytes=").partition("-")
            found.append((int(first), int(last) if last else None))
    return found


def wait_for_bytes(machine, digest, least=1 << 20):
    """Waits until it has some of the file in order."""
    blobs = machine.store / layout.blob_path(REPO, digest)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        parts = blobs.parent.glob(f"{digest[:16]}.*.incomplete")
        if max((part.stat().st_size for part in parts), default=0) >= least:
            return
        time.sleep(0.02)
    raise AssertionError("the bytes do not come")


def begin(machines, digest):
    """The first claims the file, then the others come; their workers."""
    first, *others = start_workers(machines, REPO)
    first.go()
    wait_for_bytes(machines[0], digest)
    for worker in others:
        worker.go()
    return [first, *others]


def load(machines, digest):
    """The same; what each got."""
    return [worker.result() for worker in begin(machines, digest)]


# how a Hub gives a file: by Xet too, from another host, from its own with a redirect, or from where it is asked
HUBS = {"as the Hub": {}, "xet": {"xet": True}, "own host": {"cdn": "same"}, "resolve-cache": {"resolve_cache": True}}


@pytest.mark.lines
@pytest.mark.parametrize("kind", HUBS)
def test_each_byte_leaves_the_hub_once_and_over_several_machines(models, fleet, digest, kind):
    with LocalHub(models, bandwidth=RATE, **HUBS[kind]) as hub:
        machines = fleet(*[hub] * 4)
        workers = [worker.go() for worker in start_workers(machines, REPO)]
        results = [worker.result() for worker in workers]
    assert [result["files"][LARGE] for result in results] == [digest] * 4
    assert bytes_from_hub(hub) <= 1.02 * SIZE
    asked = downloads(hub)
    assert len(asked) >= 4 and len({first for first, _ in asked}) == len(asked)
    assert all(result["liars"] == {} for result in results)
    assert [list(machine.store.rglob("*.incomplete")) for machine in machines] == [[]] * 4


def test_whoever_comes_later_helps_from_then_on(hub, fleet, digest):
    results = load(fleet(hub, hub), digest)
    assert [result["files"][LARGE] for result in results] == [digest] * 2
    assert bytes_from_hub(hub) <= 1.02 * SIZE and len(downloads(hub)) >= 4


def test_a_machine_that_nobody_follows_asks_seldom(hub, fleet, digest):
    machines = fleet(hub, hub)
    [result] = [worker.go().result() for worker in start_workers(machines[:1], REPO)]
    assert result["files"][LARGE] == digest
    assert downloads(hub) == [(0, UNIT - 1), (UNIT, 3 * UNIT - 1), (3 * UNIT, None)]


TROUBLES = {
    "gives nothing": {"stall": 1 << 20},
    "drips": {"bandwidth": 50_000},
    "refuses": {"status": 503},
    "limits": {"status": 429, "retry_after": 60},
    "closes the connection": {"reset": True},
    "breaks off": {"truncate": 3 << 20},
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_the_hub_is_ill_for_one_that_helps(hub, other_hub, fleet, digest, trouble):
    """What it does not give is asked of the Hub by the one that it helps; neither fails."""
    other_hub.fault(match="GET /_blob/", **trouble)
    results = load(fleet(hub, other_hub), digest)
    assert [result["files"][LARGE] for result in results] == [digest] * 2
    assert bytes_from_hub(hub) <= 1.02 * SIZE


def test_one_that_helps_with_wrong_bytes_harms_nobody_and_is_named(hub, other_hub, fleet, digest):
    other_hub.fault(match="GET /_blob/", corrupt=70_000)
    machines = fleet(hub, other_hub, hub)
    results = load(machines, digest)
    assert [result["files"][LARGE] for result in results] == [digest] * 3
    assert list(results[0]["liars"]) == [f"member {machines[1].peer}"]
    corrupt = {row["peer"]: row["corrupt"] for row in machines[0].ask_agent("status", {})["members"]}
    assert LARGE in corrupt[machines[1].peer]
    assert bytes_from_hub(hub) <= 2.1 * SIZE


@pytest.mark.parametrize("who", ["its worker", "its agent", "both"])
def test_one_that_helps_is_killed(hub, fleet, digest, who):
    machines = fleet(*[hub] * 3)
    first, *others = begin(machines, digest)
    wait_for_bytes(machines[1], digest)
    if who != "its agent":
        others[0].kill()
    if who != "its worker":
        machines[1].kill_agent()
    for worker in (first, *others[who != "its agent" :]):
        assert worker.result()["files"][LARGE] == digest
    assert bytes_from_hub(hub) <= 1.02 * SIZE + 3 * UNIT


def test_the_one_that_is_helped_is_killed(hub, fleet, digest):
    """The next one goes on with what the others have fetched for it."""
    machines = fleet(*[hub] * 4)
    first, *others = begin(machines, digest)
    for machine in machines[1:]:
        wait_for_bytes(machine, digest)
    first.kill()
    machines[0].kill_agent()
    assert [worker.result()["files"][LARGE] for worker in others] == [digest] * 3
    assert bytes_from_hub(hub) <= 1.02 * SIZE + 3 * UNIT


def test_two_that_fetch_the_same_agree_again(hub, fleet, digest):
    """The one that answers for the repo stands still for a while: another answers, and lets another machine fetch."""
    hub.bandwidth = RATE // 2
    machines = fleet(*[hub] * 3)
    first = rank(layout.repo_folder(REPO), [machine.peer for machine in machines])[0]
    machines.sort(key=lambda machine: machine.peer == first)
    *loading, tracker = machines
    assert tracker.agent is not None
    workers = [machine.worker(REPO, env={"IPFS_ACCELERATE_LOG": "debug"}).wait() for machine in loading]
    workers[0].go()
    wait_for_bytes(loading[0], digest)
    os.kill(tracker.agent.pid, signal.SIGSTOP)
    try:
        workers[1].go()
        time.sleep(3)
    finally:
        os.kill(tracker.agent.pid, signal.SIGCONT)
    results = [worker.result() for worker in workers]
    assert [result["files"][LARGE] for result in results] == [digest] * 2
    assert any("fetches it" in result["stderr"] for result in results)
    assert bytes_from_hub(hub) <= 1.7 * SIZE


@contextlib.contextmanager
def dripping(address):
    """Whoever asks there is answered letter by letter, without an end."""

    def answer(connection):
        with contextlib.suppress(OSError), connection:
            for letter in b"HTTP/1.1 206 Partial Content\r\nX-Drip: " + b"x" * 10_000:
                connection.sendall(bytes([letter]))
                if ended.wait(0.2):
                    return

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    ended = threading.Event()
    with socket.create_server(address) as listener:
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield
        finally:
            ended.set()
            listener.shutdown(socket.SHUT_RDWR)


def test_members_that_take_ranges_and_only_drip(hub, fleet, tmp_path, digest):
    """They are not waited for longer than for one that is silent, and there are not many of them."""
    liars = [TogetherMachine(tmp_path / f"liar{number}", hub) for number in range(6)]
    first, second = fleet(hub, hub, others=liars)
    worker = first.worker(REPO, env={"IPFS_ACCELERATE_LOG": "info"}).wait()
    with contextlib.ExitStack() as stack:
        for liar in liars:
            stack.enter_context(dripping((liar.address, liar.fleet.ports.agent)))
        worker.go()
        wait_for_bytes(first, digest)
        for liar in liars:
            client = AgentClient(Signer(KEY, liar.peer), 5.0)
            question = {"folder": layout.repo_folder(REPO), "etag": digest, "size": SIZE, "length": UNIT}
            for honest in (first, second):  # one of them answers for the repo
                client.post(honest.member.agent, f"{ROOT}range", question)
            client.close()
        result = worker.result()
    assert result["files"][LARGE] == digest
    assert bytes_from_hub(hub) <= 1.02 * SIZE
    assert 1 <= result["stderr"].count("does not give its range") <= 3


def test_a_disk_that_takes_no_ranges_is_no_trouble(hub, fleet, digest):
    """Of a follower, whose own load fails as it would alone."""
    machines = fleet(hub, hub)
    full = machines[1].worker(REPO, preexec_fn=limit_file_size)
    [first] = start_workers(machines[:1], REPO)
    first.go()
    wait_for_bytes(machines[0], digest)
    full.go()
    assert first.result()["files"][LARGE] == digest
    full.process.communicate(timeout=60)
    assert full.process.returncode != 0
    assert bytes_from_hub(hub) <= 3 * SIZE


def limit_file_size():
    """No file of this process grows beyond 5 MB, as on a disk that is full then."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5 << 20, 5 << 20))
