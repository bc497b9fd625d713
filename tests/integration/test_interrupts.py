"""Ctrl-C at random moments, and while a source hangs: the end comes at once, and nothing is half visible."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from tests.support.fault_server import FaultProxy
from tests.support.in_process import write_repo
from tests.support.local_hub import LocalHub

from .crash_child import REPO, check_visible, make_files

pytestmark = pytest.mark.usefixtures("interruptible")
INTERRUPTS = int(os.environ.get("CRASHES") or 8)
AT_ONCE = 5.0  # seconds; a source that hangs would be waited for longer
FETCH = [sys.executable, "-m", "ipfs_accelerate_py.hook", "fetch", REPO]


@pytest.fixture
def hub(tmp_path):
    write_repo(tmp_path / "models", REPO, make_files(0))
    with LocalHub(tmp_path / "models", lfs_threshold=1 << 20, bandwidth=4_000_000) as running:
        yield running


def interrupt(child):
    """Ctrl-C; the seconds until the end, and what was said on stderr."""
    child.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, said = child.communicate(timeout=60)
    return time.monotonic() - began, said


@pytest.mark.timeout(60 + 18 * INTERRUPTS)
def test_at_random_moments_of_a_fetch(machine, hub):
    user = machine("user", hub=hub)
    began = time.monotonic()
    assert user.hook("fetch", REPO, env={"IPFS_ACCELERATE_HOME": str(user.home / "first")}).returncode == 0
    whole = time.monotonic() - began
    ends = []
    for number in range(INTERRUPTS * 3):
        store = user.home / f"store{number}"
        environment = {**user.environment, "IPFS_ACCELERATE_HOME": str(store)}
        child = subprocess.Popen(FETCH, env=environment, cwd=user.home, stderr=subprocess.PIPE, text=True)
        time.sleep(random.uniform(0.1 * whole, 0.95 * whole))
        seconds, said = interrupt(child)
        assert seconds < AT_ONCE
        assert child.returncode in (0, 130, -signal.SIGINT), said
        ends.append(child.returncode)
        check_visible(store, make_files(0))
        if child.returncode == 0:
            whole *= 0.8  # the first one had been slow
        if len(ends) >= INTERRUPTS and child.returncode:
            break
    assert ends[-1] != 0
    # where one left off the next goes on
    assert user.hook("fetch", REPO, env={"IPFS_ACCELERATE_HOME": str(store)}).returncode == 0
    assert check_visible(store, make_files(0)) == len(make_files(0))


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("fault", [{"hang": True}, {"stall": 300_000}, {"bandwidth": 20_000}, {"status": 503}], ids=str)
@pytest.mark.parametrize("what", ["api/models", "_blob"])
def test_while_the_hub_is_ill(machine, hub, fault, what):
    user = machine("user", hub=hub)
    hub.fault(match=f"GET .*{what}", **fault)
    child = subprocess.Popen(FETCH, env=user.environment, cwd=user.home, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: [row for row in hub.log if what in row["path"]])
    time.sleep(random.uniform(0, 0.3))
    seconds, said = interrupt(child)  # it may have ended by itself, with an error
    assert seconds < AT_ONCE
    assert "Traceback" not in said and child.returncode in (1, 130, -signal.SIGINT), said
    check_visible(user.store, make_files(0))


LOAD = """
import sys
from transformers import AutoConfig, AutoModel
print(AutoConfig.model_type if hasattr(AutoConfig, "model_type") else "imported", flush=True)
AutoModel.from_pretrained("acme/model")
"""


@pytest.mark.parametrize("kind", ["gateway", "mirror", "hub"])
def test_a_load_that_waits_for_a_source_that_hangs(machine, hub, kind):
    """The KeyboardInterrupt is the user's, as without us."""
    user = machine("user", hub=hub)
    with FaultProxy(hub.endpoint) as source:
        source.set_fault("hangs")
        if kind == "hub":
            hub.fault(match="GET .*resolve", hang=True)
        else:
            user.more[f"IPFS_ACCELERATE_{kind.upper()}S"] = source.url
            user.more["IPFS_ACCELERATE_PUBLISHERS"] = "12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5"
            hub.fault(match="GET .*resolve", hang=True)
        child = user.start(LOAD)
        assert child.stdout.readline()
        wait_for(lambda: [row for row in hub.log if "resolve" in row["path"] or "/api/" in row["path"]] or source.log)
        time.sleep(random.uniform(0.1, 0.6))
        seconds, said = interrupt(child)
    assert seconds < AT_ONCE
    # plain Python, too, ends with 1 where a library evaluates something when the interpreter ends
    assert child.returncode in (-signal.SIGINT, 1) and said.splitlines()[-1] == "KeyboardInterrupt", said
    check_visible(user.store, make_files(0))


def test_a_download_of_the_hubs_client_is_gone_on_with_at_once(machine, tmp_path):
    """Ctrl-C in the middle, and the same command again: not from the beginning, and not a minute later."""
    weights = os.urandom(30_000_000)
    write_repo(tmp_path / "large", REPO, {"model.safetensors": weights})
    with LocalHub(tmp_path / "large", lfs_threshold=1 << 20, bandwidth=10_000_000) as hub:
        user = machine("user", hub=hub)
        child = subprocess.Popen(FETCH, env=user.environment, cwd=user.home, stderr=subprocess.PIPE, text=True)
        wait_for(lambda: sum(path.stat().st_size for path in user.store.rglob("*.incomplete")) > 9_000_000)
        interrupt(child)
        before = len(hub.log)
        assert user.hook("fetch", REPO).returncode == 0
        sent = sum(row["bytes"] for row in hub.log[before:] if row["method"] == "GET" and row["origin"] == "cdn")
    assert 0 < sent < 25_000_000
    check_visible(user.store, {"model.safetensors": weights})
    assert not list(user.store.rglob("*.incomplete"))


LEFTOVERS = """
import os, subprocess, sys, threading, time
from ipfs_accelerate_py.config.settings import read_settings
from ipfs_accelerate_py.store import layout, partial as parts
from ipfs_accelerate_py.store.resolution import Authority, Resolution
from ipfs_accelerate_py.fetch.retrieval import Retrieval
from ipfs_accelerate_py.store.store import Store
from ipfs_accelerate_py.store.tree import Entry, Tree

settings = read_settings()
store, caught = Store(settings.home), sys.argv[2] == "caught"
files = {name: Entry(40 << 30, "a" * 40, name * 64) for name in "ab"}
dead = subprocess.Popen(["true"])
dead.wait()
for entry in files.values():
    folder = store.path(layout.blob_path("acme/large", entry.etag)).parent
    folder.mkdir(parents=True, exist_ok=True)
    host = parts._host() if sys.argv[1] == "own" else "elsewhere"
    path = folder / f"{entry.etag[:16]}.{host}.{dead.pid}-abc.incomplete"
    with open(path, "wb") as file:
        file.truncate(30 << 30)
    os.utime(path, (path.stat().st_mtime - 90,) * 2)
resolution = Resolution("acme/large", "main", Tree("c" * 40, files), Authority.HUB, True)
print("go", flush=True)
try:
    Retrieval(store, settings, resolution).make_present(files)
except KeyboardInterrupt:
    if not caught:
        raise
    end = time.monotonic() + 10
    while threading.active_count() > 1 and time.monotonic() < end:
        time.sleep(0.05)
    print(threading.active_count(), flush=True)
"""


@pytest.mark.parametrize("whose", ["own", "other"])
@pytest.mark.parametrize("then", ["ends", "caught"])
def test_while_large_parts_of_earlier_runs_are_read(machine, hub, whose, then):
    """Of two files at once: neither the end of the interpreter nor a program that goes on waits for that."""
    user = machine("user", hub=hub)
    command = [sys.executable, "-c", LEFTOVERS, whose, then]
    child = subprocess.Popen(command, env=user.environment, cwd=user.home, stdout=-1, stderr=-1, text=True)
    assert child.stdout.readline() == "go\n"
    time.sleep(1.0)
    child.send_signal(signal.SIGINT)
    began = time.monotonic()
    said, errors = child.communicate(timeout=60)
    assert time.monotonic() - began < AT_ONCE
    if then == "caught":
        assert said == "1\n", errors
    else:
        assert child.returncode == -signal.SIGINT and errors.splitlines()[-1] == "KeyboardInterrupt"
    kept = {path: path.stat().st_size for path in user.store.glob("models--*/blobs/*.incomplete")}
    for path in kept:
        path.unlink()  # what was copied is large
    assert sorted(kept.values())[-2:] == [30 << 30] * 2  # for the next run to go on from
