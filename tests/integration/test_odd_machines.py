"""A full disk, a file system without locks, a clock that jumps, a store that is moved or deleted while in use."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import preload
from tests.support.in_process import write_repo
from tests.support.local_hub import LocalHub

from .crash_child import REPO, check_visible, make_files

LOAD = """
from transformers import AutoConfig, AutoTokenizer
print(AutoConfig.from_pretrained("tiny/bert").model_type, len(AutoTokenizer.from_pretrained("tiny/bert")) > 5)
"""
RIGHT = "bert True\n"
YEAR = 365 * 86400
MOUNT = 'mount -t tmpfs -o "$0" none "$1" && kept=$1 && shift && "$@"'
SMALL_DISK = MOUNT + '; end=$?; cp -a "$kept" "$kept.after"; exit $end'


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return preload.build(tmp_path_factory.mktemp("preload"))


@pytest.fixture
def model_hub(tmp_path):
    write_repo(tmp_path / "models", REPO, make_files(0))
    with LocalHub(tmp_path / "models", lfs_threshold=1 << 20, bandwidth=20_000_000) as running:
        yield running


def tiny_files(root):
    folder = root / "tiny" / "bert"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# -- the disk -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("disk", ["size=4k", "size=28k", "size=1m,nr_inodes=6", "size=1m,nr_inodes=24"])
def test_a_full_disk_lets_plain_transformers_load(machine, tiny_hub, tiny_models, disk):
    user = machine("user", hub=tiny_hub)
    user.store.mkdir(parents=True)
    if shutil.which("unshare") is None:
        pytest.fail("no unshare: install util-linux")
    namespace = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    load = [sys.executable, "-m", "ipfs_accelerate_py.hook", "run", "-c", LOAD]
    command = [*namespace, "sh", "-c", SMALL_DISK, disk, str(user.store), *load]
    environment = {**user.environment, "IPFS_ACCELERATE": "1"}
    done = subprocess.run(command, env=environment, cwd=user.home, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, RIGHT), done.stderr
    assert "Traceback" not in done.stderr
    # the inodes of the larger one suffice for the files of these two classes, and then there is nothing to say
    assert disk.endswith("24") or done.stderr.count("cannot be written") == 1, done.stderr
    check_visible(user.store.with_name("ipfs_accelerate.after"), tiny_files(tiny_models))


# -- no locks -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("error", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EIO], ids=errno.errorcode.get)
def test_a_file_system_without_locks(machine, model_hub, library, error):
    user = machine("user", hub=model_hub, **preload.without_locks(library, error))
    with ThreadPoolExecutor(3) as pool:
        for done in pool.map(lambda _: user.hook("fetch", REPO), range(3)):
            assert done.returncode == 0, done.stderr
    assert check_visible(user.store, make_files(0)) == len(make_files(0))


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.ENOSYS], ids=errno.errorcode.get)
def test_whoever_died_there_locks_nobody_out(machine, model_hub, library, error):
    user = machine("user", hub=model_hub, **preload.without_locks(library, error))
    fault = model_hub.fault(match="GET .*_blob", stall=500_000)
    words = [sys.executable, "-m", "ipfs_accelerate_py.hook", "fetch", REPO]
    first = subprocess.Popen(words, env=user.environment, cwd=user.home, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not [row for row in model_hub.log if "_blob" in row["path"]] and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    first.send_signal(signal.SIGKILL)
    first.wait()
    model_hub.faults.remove(fault)
    began = time.monotonic()
    done = user.hook("fetch", REPO)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < 30
    assert check_visible(user.store, make_files(0)) == len(make_files(0))


# -- the clock ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("after", [0, 300])
@pytest.mark.parametrize("years", [-10, 10])
def test_a_clock_that_is_wrong_or_jumps(machine, model_hub, library, years, after):
    user = machine("user", hub=model_hub)
    wrong = preload.with_clock(library, years * YEAR, after)
    done = user.hook("fetch", REPO, env=wrong)
    assert done.returncode == 0, done.stderr
    assert check_visible(user.store, make_files(0)) == len(make_files(0))
    model_hub.log.clear()
    for environment in ({}, wrong):  # and back again
        done = user.hook("fetch", REPO, env=environment)
        assert done.returncode == 0, done.stderr
    assert sum(row["bytes"] for row in model_hub.log if "/api/" not in row["path"]) == 0


@pytest.mark.parametrize("years", [-30, 10])
def test_files_from_another_time(machine, model_hub, years):
    user = machine("user", hub=model_hub)
    assert user.hook("fetch", REPO).returncode == 0
    moment = time.time() + years * YEAR
    for folder, _, names in os.walk(user.store):
        for name in names:
            os.utime(os.path.join(folder, name), (moment, moment), follow_symlinks=False)
    write_repo(Path(model_hub.root), REPO, {"config.json": b'{"seed": 7}'})
    model_hub.scan()
    done = user.hook("fetch", REPO)
    assert done.returncode == 0, done.stderr
    commit = model_hub.repos["models", REPO].refs["main"]
    newest = user.store / "models--acme--model" / "snapshots" / commit / "config.json"
    assert newest.read_bytes() == b'{"seed": 7}'


# -- the folder ---------------------------------------------------------------------------------------------------
MOVED = """
import os, shutil, sys
from transformers import AutoConfig, AutoTokenizer
store, how = sys.argv[1:]
print(AutoConfig.from_pretrained("tiny/bert").model_type)
if how == "moved":
    os.rename(store, store + ".old")
elif how == "deleted":
    shutil.rmtree(store)
elif how == "a file":
    shutil.rmtree(store)
    open(store, "w").close()
elif how == "emptied":
    for folder, _, names in os.walk(store):
        for name in names:
            os.unlink(os.path.join(folder, name))
elif how == "blobs":
    shutil.rmtree(os.path.join(store, "models--tiny--bert", "blobs"))
print(AutoConfig.from_pretrained("tiny/bert").model_type, len(AutoTokenizer.from_pretrained("tiny/bert")) > 5)
print(AutoConfig.from_pretrained("tiny/gpt2").model_type)
"""


@pytest.mark.parametrize("how", ["moved", "deleted", "a file", "emptied", "blobs"])
def test_a_store_that_goes_while_it_is_used(machine, tiny_hub, how):
    user = machine("user", hub=tiny_hub)
    done = user.run(MOVED, str(user.store), how)
    assert (done.returncode, done.stdout) == (0, "bert\nbert True\ngpt2\n"), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("what", ["", "models--acme--model", "models--acme--model/blobs", ".locks"])
def test_a_folder_that_is_deleted_in_the_middle_of_a_fetch(machine, model_hub, what):
    """The fetch completes or says in one line why not; the next one completes."""
    user = machine("user", hub=model_hub)
    model_hub.bandwidth = 1_500_000
    words = [sys.executable, "-m", "ipfs_accelerate_py.hook", "fetch", REPO]
    child = subprocess.Popen(words, env=user.environment, cwd=user.home, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not [row for row in model_hub.log if "_blob" in row["path"]] and time.monotonic() < deadline:
        time.sleep(0.02)
    shutil.rmtree(user.store / what, ignore_errors=True)
    _, said = child.communicate(timeout=60)
    assert "Traceback" not in said
    assert child.returncode == 0 or said.strip()
    check_visible(user.store, make_files(0))
    model_hub.bandwidth = 0
    assert user.hook("fetch", REPO).returncode == 0
    assert check_visible(user.store, make_files(0)) == len(make_files(0))


def test_old_left_overs_go_and_those_in_use_stay(machine, model_hub):
    user = machine("user", hub=model_hub)
    assert user.hook("fetch", REPO).returncode == 0
    blobs = user.store / "models--acme--model" / "blobs"
    old, fresh = blobs / f"{'a' * 16}.host.1-x.incomplete", blobs / f"{'b' * 16}.host.1-x.incomplete"
    for path in (old, fresh):
        path.write_bytes(b"part")
    os.utime(old, (time.time() - 2 * 86400,) * 2)
    next(path for path in blobs.iterdir() if path.stat().st_size > 1_000_000).unlink()  # there is something to fetch
    assert user.hook("fetch", REPO).returncode == 0
    assert fresh.exists() and not old.exists()
