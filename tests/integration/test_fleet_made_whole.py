"""`fleet init` and `fleet join` where the store cannot be made: an error that says where, and nothing is left."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys

import pytest

from ipfs_accelerate_py.errors import StoreError
from ipfs_accelerate_py.fleet.folder import FleetFolder
from ipfs_accelerate_py.fleet.invitation import Invitation, write_invitation
from tests.support.node import KuboNode

pytestmark = pytest.mark.timeout(300)
INVITATION = write_invitation(Invitation("lab", bytes(range(32)), ()))


def type_fleet(machine, *words, limit=None):
    """A command, of which no file may become larger than `limit` bytes: it stands for a full disk."""

    def bound():
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    places = ["--no-start", "--listen", machine.address, "--ipfs", str(KuboNode.binary())]
    return subprocess.run(
        [sys.executable, "-m", "ipfs_accelerate_py.hook", "fleet", *words, *places],
        env=machine.environment, cwd=machine.home, capture_output=True, text=True, preexec_fn=bound, timeout=100,
    )  # fmt: skip


def put_a_file(machine):
    machine.store.parent.mkdir(parents=True)
    machine.store.write_text("something")


def put_a_file_above(machine):
    machine.store.parent.parent.mkdir(parents=True, exist_ok=True)
    machine.store.parent.write_text("something")


def put_a_dangling_link(machine):
    machine.store.parent.mkdir(parents=True)
    machine.store.symlink_to("nothing")


# what is there before, and the largest file that can be written
STATES = {
    "a file in its place": (put_a_file, None),
    "a file in its parent's place": (put_a_file_above, None),
    "a dangling link in its place": (put_a_dangling_link, None),
    "a disk that is full at once": (None, 0),
    "a disk that is full before Kubo's repo is whole": (None, 600),
    "a disk that is full before Kubo is configured": (None, 2500),
    "a disk that is full before the facts are written": (None, 100),
}


def listing(machine):
    return sorted(str(path) for path in machine.home.rglob("*"))


@pytest.mark.parametrize("words", [("init", "lab"), ("join", INVITATION)], ids=["init", "join"])
@pytest.mark.parametrize("state", STATES)
def test_it_says_where_and_what_to_do_and_leaves_nothing(machine, state, words):
    user = machine("a")
    prepare, limit = STATES[state]
    if prepare:
        prepare(user)
    before = listing(user)
    done = type_fleet(user, *words, limit=limit)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert str(user.store) in done.stderr and "IPFS_ACCELERATE_HOME" in done.stderr, done.stderr
    assert "ipfs-fleet1:" not in done.stdout
    assert listing(user) == before
    for path in (user.store.parent, user.store):
        if path.is_symlink() or path.is_file():
            path.unlink()
    done = type_fleet(user, *words, "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["fleet"] == "lab", done.stderr


def test_a_disk_that_is_full_later_is_said_with_the_file(machine):
    user = machine("a")
    assert type_fleet(user, "init", "lab").returncode == 0
    folder = FleetFolder(user.store)
    before = folder.facts.read_bytes()
    done = type_fleet(user, "init", "lab", "--announce", "elsewhere.example", limit=100)
    assert done.returncode == 1 and f"{folder.facts} cannot be written" in done.stderr, done.stderr
    assert folder.facts.read_bytes() == before and not list(folder.own.glob("*.tmp"))


def test_a_parent_that_is_read_only(machine):
    """For root, who writes everywhere else, it is a folder of the system's own."""
    is_root = os.geteuid() == 0
    user = machine("a", IPFS_ACCELERATE_HOME="/sys/ipfs_accelerate") if is_root else machine("a")
    user.home.chmod(0o500)
    try:
        done = type_fleet(user, "init", "lab")
    finally:
        user.home.chmod(0o700)
    assert done.returncode == 1 and str(user.store) in done.stderr and "IPFS_ACCELERATE_HOME" in done.stderr
    assert not user.store.exists()


def test_it_is_an_error_of_the_store(tmp_path):
    """Whoever calls this from Python catches the same as for a load."""
    from ipfs_accelerate_py.fleet.wholeness import whole_or_not

    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError), whole_or_not(tmp_path / "file" / "store" / "x"):
        os.mkdir(tmp_path / "file" / "store")
