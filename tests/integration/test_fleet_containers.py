"""A machine of a fleet as a container: started again and again with its volume, at another address each time."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest

from ipfs_accelerate_py.fleet.invitation import Invitation, read_invitation, write_invitation
from tests.support.containers import can_confine, confine
from tests.support.fleet import move_to_another_address
from tests.support.local_hub import LocalHub

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def run(tmp_path):
    """`run(machine, ...)`: `fleet run` as the one program of a container; returns it when the agent is ready."""
    started = []

    def start(machine, *words, **options):
        log = tmp_path / f"run-{len(started)}.log"
        with log.open("w") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "ipfs_accelerate_py.hook", "fleet", "run", *words],
                env={**machine.environment, **options.pop("env", {})},
                cwd=machine.home,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                **options,
            )
        process.log = log
        started.append(process)
        end = time.monotonic() + 60
        while machine.hook("fleet", "status", "-q").returncode:
            assert process.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.2)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


def ends(process, number=signal.SIGTERM, seconds=30):
    """Tells it to end, as a container's engine does; its exit code."""
    process.send_signal(number)
    return process.wait(seconds)


def test_started_again_at_move_to_another_address(machine, run):
    """`join` and `run` are said at every start; the other members learn where it is now, within seconds."""
    a, b = machine("a"), machine("b")
    invitation = a.home / "invitation"
    a.fleet("init", "lab", "--no-start", "--write", str(invitation), *a.places())
    first = run(a)
    for start in range(2):
        again = b.fleet("join", f"@{invitation}", "--no-start", *b.places()[2:])
        assert (again["fleet"], again["running"]) == ("lab", False)
        process = run(b, "--listen", b.address)
        a.sees(b.peer, agent=f"http://{b.address}:{b.folder.read().ports.agent}")
        b.sees(a.peer)
        config = json.loads((b.folder.repo / "config").read_text())
        assert b.address in config["Addresses"]["Swarm"][0]
        assert ends(process) == 0, process.log.read_text()
        if not start:
            move_to_another_address(b)
    text = process.log.read_text()
    assert f"the agent of the fleet 'lab' is at http://{b.address}:" in text and "Traceback" not in text
    assert a.folder.read().key.hex() not in text + first.log.read_text()


def test_run_at_an_address_that_is_not_its_own(machine):
    a = machine("a")
    a.init("lab", "--no-start")
    before = a.folder.read()
    for words, message in (
        (["--listen", "192.0.2.77"], "cannot listen at 192.0.2.77"),
        (["--announce", "no name"], "is no host name"),
    ):
        done = a.hook("fleet", "run", *words)
        assert done.returncode == 1 and message in done.stderr and "Hint: " in done.stderr, done.stderr
    assert a.folder.read() == before


def test_run_announces_a_name(machine, run):
    """Others reach it by that name from then on, over Kubo as well; an empty name takes it back."""
    a, b = machine("a"), machine("b")
    a.address = "127.0.0.1"  # that of the name localhost
    a.init("lab", "--no-start")
    process = run(a, "--announce", "localhost")
    port = a.folder.read().ports.agent
    b.join(a)
    assert b.sees(a.peer)["agent"] == f"http://localhost:{port}"
    assert b.members[a.peer]["swarm"][0].startswith("/dns/localhost/tcp/")
    api = f"/ip4/127.0.0.1/tcp/{b.folder.read().ports.api}"
    end = time.monotonic() + 30
    while (
        a.peer
        not in subprocess.run(
            [b.places()[-1], "--api", api, "swarm", "peers"], env=b.environment, capture_output=True, text=True
        ).stdout
    ):
        assert time.monotonic() < end
        time.sleep(0.2)
    assert ends(process) == 0
    run(a, "--announce", "")
    b.sees(a.peer, agent=f"http://127.0.0.1:{port}")


def test_a_name_at_which_some_member_answers(machine, run):
    """The machine that made the invitation never runs, and its address is not in it: the members find each other."""
    maker, a, b = machine("maker"), machine("a"), machine("b")
    a.address = "127.0.0.1"
    made = maker.init("lab", "--no-start", "--address", "localhost:4612", "--address", "no-such-name.invalid")
    found = read_invitation(made["invitation"])
    assert found.members == () and found.contacts == ("http://localhost:4612", "http://no-such-name.invalid:4612")
    a.fleet("join", made["invitation"], "--no-start", *a.places())
    a_port = a.folder.read().ports.agent
    run(a)
    # where other programs have the usual port, the invitation says another one
    invitation = write_invitation(Invitation("lab", found.key, (), contacts=(f"http://localhost:{a_port}",)))
    joined = b.fleet("join", "-", "--no-start", *b.places(), code=1)
    assert "no invitation" in joined  # nothing on the standard input
    assert b.fleet("join", invitation, *b.places())["met"]
    assert a.sees(b.peer)["there"] and b.sees(a.peer)["there"]
    assert a.fleet("status")["agent"]["contacts"].keys() == set(found.contacts)
    # all that it remembers is of another place: the name leads back
    b.fleet("stop")
    rows = json.loads(b.folder.members.read_text())
    for row in rows["members"]:
        row |= {"agent": "http://127.0.0.1:9", "swarm": []}
    b.folder.members.write_text(json.dumps(rows))
    b.fleet("start")
    b.sees(a.peer, agent=f"http://127.0.0.1:{a_port}")


def test_an_address_that_belongs_to_another_member_now(machine):
    """Containers get each other's addresses: who answers is asked who it is."""
    a, b, c = machine("a"), machine("b"), machine("c")
    a.init("lab")
    b.join(a)
    c.join(a)
    c.sees(b.peer)
    for each in (b, c):
        each.fleet("stop")
    rows = json.loads(c.folder.members.read_text())
    moved = next(row for row in rows["members"] if row["peer"] == b.peer)
    moved["agent"] = a.fleet("status")["url"]
    moved["age"], rows["written"] = 0.0, time.time()  # newer than what the others tell of it
    c.folder.members.write_text(json.dumps(rows))
    c.fleet("start")
    c.sees(a.peer)
    end = time.monotonic() + 30
    while "another member" not in c.members[b.peer]["trouble"] or c.members[b.peer]["there"]:
        assert time.monotonic() < end, c.members[b.peer]
        time.sleep(0.2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_within_the_grace_period(machine, run, number):
    """With exit code 0 and its Kubo; half of the 30 s that the examples give it are enough on a busy machine."""
    a = machine("a")
    a.init("lab", "--no-start")
    process = run(a)
    assert ends(process, number, 15) == 0
    assert a.fleet("status", code=1)["agent"] is None
    assert not a.folder.agent.exists()
    run(a)  # nothing was left that would hinder the next one


@pytest.mark.skipif(not can_confine(), reason="the kernel gives no user namespaces")
@pytest.mark.parametrize("home", ["/", None, "/no/such/folder"])
def test_a_user_without_a_home(machine, home):
    """A user id that no list of users has, as containers are given, and nothing to write to but the volume."""
    a = machine("a")
    (a.store / "tmp").mkdir(parents=True)
    environment = {"HF_HOME": str(a.store / "huggingface"), "TMPDIR": str(a.store / "tmp"), "HOME": home or ""}
    a.more = {**a.more, **environment}
    unset = ["env", "-u", "HOME"] if home is None else []

    def words(*more):
        command = [*unset, sys.executable, "-m", "ipfs_accelerate_py.hook", "fleet", *more]
        return confine(command, [a.store], user=54321)

    done = subprocess.run(
        words("init", "lab", "--no-start", *a.places()), env=a.environment, cwd="/", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    log = a.home / "run.log"
    with log.open("w") as stream:
        process = subprocess.Popen(words("run"), env=a.environment, cwd="/", stdout=stream, stderr=stream)
    try:
        end = time.monotonic() + 60
        while True:
            done = subprocess.run(words("status", "--json"), env=a.environment, cwd="/", capture_output=True, text=True)
            if done.returncode == 0 and json.loads(done.stdout)["agent"]["kubo"]["running"]:
                break
            assert process.poll() is None and time.monotonic() < end, log.read_text() + done.stderr
            time.sleep(0.2)
    finally:
        code = ends(process)
    text = log.read_text()
    assert code == 0 and "Traceback" not in text and "Read-only" not in text, text
    assert a.folder.facts.is_file()


@pytest.mark.skipif(not can_confine(), reason="the kernel gives no user namespaces")
def test_a_load_without_a_home(machine, tiny_models):
    """A worker whose user has no home and no name is served by the hook, and what it loads is in its store."""
    code = "from transformers import AutoConfig; print(AutoConfig.from_pretrained('tiny/bert').model_type)"
    with LocalHub(tiny_models) as hub:
        a = machine("a", hub=hub)
        (a.store / "tmp").mkdir(parents=True)
        a.more = {"HF_HOME": str(a.store / "huggingface"), "TMPDIR": str(a.store / "tmp"), "IPFS_ACCELERATE": "1"}
        command = ["env", "-u", "HOME", sys.executable, "-m", "ipfs_accelerate_py.hook", "run", "-c", code]
        words = confine(command, [a.store], user=54321)
        done = subprocess.run(words, env=a.environment, cwd="/", capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "bert\n"), done.stderr
    assert "ipfs_accelerate" not in done.stderr
    assert (a.store / "models--tiny--bert").is_dir()
