"""A model, a dataset and a space of one and the same id: what the commands and the sources do with each of them."""

from __future__ import annotations

import json
import time

import pytest

from ipfs_accelerate_py.repo import KINDS, Repo
from ipfs_accelerate_py.store import layout
from tests.support.in_process import write_repo
from tests.support.local_hub import LocalHub
from tests.support.node import NodeError

ID = "acme/same"
KEYS = {kind: Repo(kind, ID).key for kind in KINDS}
WRITTEN = {"model": ID, "dataset": f"hf://datasets/{ID}", "space": f"spaces/{ID}"}
# The same name in each, with other bytes; a name that only one has; one file that two have alike.
FILES = {
    "model": {"README.md": b"a model", "weights.bin": b"w" * 70_000},
    "dataset": {"README.md": b"a dataset", "data/rows.parquet": b"r" * 70_000, "same.bin": b"s" * 9000},
    "space": {"README.md": b"a space", "app.py": b"print('hello')\n", "same.bin": b"s" * 9000},
}
SIZES = {kind: sum(map(len, files.values())) for kind, files in FILES.items()}
PLAIN = """
import sys
from huggingface_hub import snapshot_download
for kind in ("model", "dataset", "space"):
    print(snapshot_download("acme/same", repo_type=kind, cache_dir=sys.argv[1], local_files_only=len(sys.argv) > 2))
"""


@pytest.fixture
def hub(tmp_path):
    for kind, files in FILES.items():
        write_repo(tmp_path / "hub", ID if kind == "model" else f"{kind}s/{ID}", files)
    with LocalHub(tmp_path / "hub") as running:
        yield running


def commit_of(hub, kind):
    return hub.repos[f"{kind}s", ID].refs["main"]


def read(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def files_in(store, kind, commit):
    snapshot = store / layout.snapshot_path(KEYS[kind], commit)
    return {path.relative_to(snapshot).as_posix(): path.read_bytes() for path in snapshot.rglob("*") if path.is_file()}


def check_files(machine, hub, kinds=KINDS):
    for kind in kinds:
        assert files_in(machine.store, kind, commit_of(hub, kind)) == FILES[kind]


@pytest.fixture
def a(machine, hub):
    """A machine that has fetched all three."""
    made = machine("a", hub=hub)
    rows = read(made.hook("fetch", *WRITTEN.values(), "--json"))
    assert [(row["repo"], row["bytes"]) for row in rows] == [(KEYS[kind], SIZES[kind]) for kind in KINDS]
    assert all(row["sources"] == {"hub": {"files": row["files"], "bytes": row["bytes"]}} for row in rows)
    return made


# -- commands -------------------------------------------------------------------------------------------------------
def test_fetch_and_ls(a, hub):
    check_files(a, hub)
    folders = {path.name for path in a.store.iterdir() if not path.name.startswith(".")}
    assert folders >= {"models--acme--same", "datasets--acme--same", "spaces--acme--same"}
    rows = read(a.hook("ls", "--json"))
    assert {(row["repo"], row["commit"], row["size"]) for row in rows} == {
        (KEYS[kind], commit_of(hub, kind), SIZES[kind]) for kind in KINDS
    }
    assert [row["sources"] for row in read(a.hook("fetch", *KEYS.values(), "--json"))] == [{}, {}, {}]


def test_the_clients_own_functions_find_them(a, hub):
    hub.fault(status=503)
    done = a.run(PLAIN, str(a.store), "local", hooked=False)
    assert done.returncode == 0, done.stderr
    assert [line.rsplit("/", 3)[-3] for line in done.stdout.split()] == [Repo(kind, ID).folder for kind in KINDS]


@pytest.mark.parametrize("kind", KINDS)
def test_each_refuses_what_is_not_its_own(a, hub, kind):
    done = a.hook("fetch", f"{KEYS[kind]}-not")
    assert done.returncode == 1 and f"does not show {KEYS[kind]}-not to us" in done.stderr
    done = a.hook("fetch", f"{KEYS[kind]}@v9")
    assert done.returncode == 1 and f"{KEYS[kind]} has no revision 'v9'" in done.stderr
    hub.repos[f"{kind}s", ID].tags["v1.0"] = commit_of(hub, kind)
    assert read(a.hook("fetch", f"{WRITTEN[kind]}@v1.0", "--json"))["commit"] == commit_of(hub, kind)


@pytest.mark.parametrize("name", ["kernel:acme/same", "hf://buckets/acme/same", "datasets/acme/same/data", "dataset:"])
def test_a_bad_name(a, name):
    done = a.hook("fetch", name)
    assert done.returncode == 1 and "is not a repo id" in done.stderr
    assert all(form in done.stderr for form in ("org/name", "dataset:org/name", "space:org/name"))


def test_verify(a, hub):
    assert read(a.hook("verify", "--json"))["files"] == sum(map(len, FILES.values()))
    path = a.store / layout.snapshot_path(KEYS["dataset"], commit_of(hub, "dataset"), "same.bin")
    blob = path.resolve()
    blob.chmod(0o644)
    blob.write_bytes(b"S" * 9000)
    done = a.hook("verify", WRITTEN["dataset"], "--json")
    [bad] = json.loads(done.stdout)["bad"]
    assert done.returncode == 3 and (bad["repo"], bad["path"]) == (KEYS["dataset"], "same.bin")
    assert a.hook("verify", WRITTEN["model"], KEYS["space"]).returncode == 0
    done = a.hook("verify", KEYS["dataset"], "--repair")
    assert done.returncode == 0 and f"repaired {KEYS['dataset']} same.bin" in done.stdout
    check_files(a, hub)


def test_gc(a, hub):
    stray = a.store / "datasets--acme--same" / "blobs" / ("0" * 64)
    stray.write_bytes(b"of no commit")
    [row] = read(a.hook("gc", "--json"))["removed"]
    assert (row["repo"], row["reason"]) == (KEYS["dataset"], "no commit shows it")
    read(a.hook("lock", KEYS["dataset"], "--output", "models.lock", "--json"))
    lock = {"IPFS_ACCELERATE_LOCK": str(a.home / "models.lock")}
    done = read(a.hook("gc", "--max-size", "0", "--json", env=lock))
    assert {row["repo"] for row in done["removed"]} == {KEYS["model"], KEYS["space"]}
    assert [(row["repo"], row["reason"]) for row in done["kept"]] == [(KEYS["dataset"], "pinned by the lock file")]
    check_files(a, hub, ["dataset"])
    assert not (a.store / "spaces--acme--same").exists()


def test_lock(a, hub, machine):
    done = read(a.hook("lock", "--output", "models.lock", "--json"))
    assert {(row["repo"], row["commit"]) for row in done["repos"]} == {
        (KEYS[kind], commit_of(hub, kind)) for kind in KINDS
    }
    table = json.loads((a.home / "models.lock").read_text())
    for kind, name in {"model": "repos", "dataset": "datasets", "space": "spaces"}.items():
        [(key, row)] = table[name].items()
        assert (key, row["files"].keys()) == (f"{ID}@{commit_of(hub, kind)}", FILES[kind].keys())
    # Another machine gets what the lock file says, whatever the branches have become.
    locked = {kind: commit_of(hub, kind) for kind in KINDS}
    for kind in KINDS:
        write_repo(a.home.parent / "hub", ID if kind == "model" else f"{kind}s/{ID}", {"README.md": b"another"})
    hub.scan()
    b = machine("b", hub=hub, IPFS_ACCELERATE_LOCK=str(a.home / "models.lock"))
    rows = read(b.hook("fetch", *KEYS.values(), "--json"))
    assert {row["repo"]: row["commit"] for row in rows} == {KEYS[kind]: locked[kind] for kind in KINDS}
    assert all(files_in(b.store, kind, locked[kind]) == FILES[kind] for kind in KINDS)


def test_a_lock_file_with_models_alone_is_as_it_was(a):
    read(a.hook("lock", KEYS["model"], "--output", "models.lock", "--json"))
    assert json.loads((a.home / "models.lock").read_text()).keys() == {"lock_version", "repos"}


# -- sources --------------------------------------------------------------------------------------------------------
def without_bytes(hub):
    """From now on the Hub says what there is, and gives no bytes."""
    hub.fault(match=r"/(resolve|_blob|resolve-cache)/", status=503)


def given_by(rows):
    return {row["repo"]: {source: said["files"] for source, said in row["sources"].items()} for row in rows}


def all_from(source):
    return {KEYS[kind]: {source: len(FILES[kind])} for kind in KINDS}


def test_from_a_mirror(a, hub, machine):
    without_bytes(hub)
    b = machine("b", hub=hub, IPFS_ACCELERATE_MIRRORS=a.store.as_uri())
    rows = read(b.hook("fetch", *WRITTEN.values(), "--json"))
    assert given_by(rows) == all_from("mirror")
    check_files(b, hub)


def test_from_the_cache_of_the_client(hub, machine):
    b = machine("b", hub=hub)
    done = b.run(PLAIN, str(b.cache / "hub"), hooked=False)
    assert done.returncode == 0, done.stderr
    without_bytes(hub)
    assert given_by(read(b.hook("fetch", *KEYS.values(), "--json"))) == all_from("lower tier")
    check_files(b, hub)


def test_wrong_bytes_are_refused(hub, machine):
    hub.fault(match=r"GET .*(_blob|resolve).*rows", corrupt=100)
    done = machine("b", hub=hub).hook("fetch", KEYS["dataset"])
    assert done.returncode != 0 and "data/rows.parquet was not loaded" in done.stderr


# -- the fleet ------------------------------------------------------------------------------------------------------
def published(machine):
    """The repos in the fleet tree of the machine's node."""
    try:
        rows = machine.node.rpc("files/ls", "/ipfs_accelerate")["Entries"] or []
    except NodeError:
        return set()
    return {repo.key for row in rows if (repo := Repo.of_folder(row["Name"]))}


def wait_until_published(machine, key):
    deadline = time.monotonic() + 30
    while not any(row["repo"] == key and row["published"] for row in read(machine.hook("ls", "--json"))):
        assert time.monotonic() < deadline, f"{key} is not published"
        time.sleep(0.2)


@pytest.mark.timeout(300)
def test_from_the_fleet(hub, machine, node_class):
    a = machine("a", hub=hub, node=node_class)
    read(a.hook("fetch", KEYS["dataset"], KEYS["space"], "--json"))
    read(a.hook("fetch", KEYS["model"], "--json"))
    wait_until_published(a, KEYS["model"])
    assert published(a) == {KEYS["model"]}  # the others were here before it
    # Told to publish what people name, or one more kind.
    said = read(a.hook("publish", WRITTEN["space"], "--json"))
    assert (said["repo"], said["files"]) == (KEYS["space"], len(FILES["space"]))
    assert published(a) == {KEYS["model"], KEYS["space"]}
    a.more["IPFS_ACCELERATE_PUBLISH_KINDS"] = "model,dataset"
    read(a.hook("fetch", KEYS["dataset"], "--json"))
    wait_until_published(a, KEYS["dataset"])
    assert published(a) == set(KEYS.values())

    without_bytes(hub)
    b = machine("b", hub=hub, node=node_class, bootstrap=[a.node])
    assert given_by(read(b.hook("fetch", *KEYS.values(), "--json"))) == all_from("node")
    check_files(b, hub)
    # With the Hub gone a publisher's word counts, for each kind.
    c = machine("c", node=node_class, bootstrap=[a.node], IPFS_ACCELERATE_PUBLISHERS=said["publisher"])
    read(c.hook("fetch", *KEYS.values(), "--json"))
    check_files(c, hub)
    # A dataset that is closed is taken back.
    hub.faults.clear()
    hub.repos["datasets", ID].meta["private"] = True
    a.hook("fetch", KEYS["dataset"])
    deadline = time.monotonic() + 30
    while KEYS["dataset"] in published(a):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert published(a) == {KEYS["model"], KEYS["space"]}
