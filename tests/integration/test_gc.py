"""`gc` beside other processes: what they use stays, a fetch loses nothing, nothing is half gone when it is killed."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback

import huggingface_hub
import pytest

from ipfs_accelerate_py.maintenance.collect import collect_garbage
from ipfs_accelerate_py.session import session
from ipfs_accelerate_py.store import layout, leases
from ipfs_accelerate_py.store.store import Store
from ipfs_accelerate_py.store.tree import Tree
from tests.support.in_process import write_repo
from tests.support.local_hub import LocalHub
from tests.unit.stored import lfs_entry

pytestmark = pytest.mark.timeout(300)
REPO = "acme/model"
FILES = {"config.json": b'{"a": 1}', "model.safetensors": bytes(range(256)) * 4000, "sub/vocab.txt": b"a b c\n"}
HOLD = """
import mmap, sys
with open(sys.argv[1], "rb") as file:
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
print(len(mapped), flush=True)
sys.stdin.read()
"""
LOAD = """
import sys
from transformers import AutoModel
model = AutoModel.from_pretrained("tiny/bert")
print("loaded", flush=True)
sys.stdin.read()
"""


def fill(store, commits=4):
    """Commits that share a file, each with a ref, none used for long."""
    shared = lfs_entry(b"shared" * 1000)
    for number in range(commits):
        commit = f"{number:x}" * 40
        own = lfs_entry(b"%d" % number * 1000)
        contents = {"shared.bin": (shared, b"shared" * 1000), "sub/own.bin": (own, b"%d" % number * 1000)}
        for path, (entry, content) in contents.items():
            with store.receive(REPO, entry) as writer:
                writer.write(content)
                blob = store.path(layout.blob_path(REPO, entry.etag))
                writer.finish(blob)
            store.link(REPO, commit, path, entry)
            os.utime(blob, (1_000_000, 1_000_000))
        store.write_tree(REPO, Tree(commit, {path: entry for path, (entry, _) in contents.items()}))
        store.write_ref(REPO, f"branch{number}", commit)
        store.mark_missing(REPO, commit, "none.json")


def check_health(store):
    """What huggingface_hub sees has no flaw, and each file that can be loaded is whole; how many there are."""
    found = huggingface_hub.scan_cache_dir(store.root)
    assert [str(warning) for warning in found.warnings] == []
    count = 0
    for repo in found.repos:
        for revision in repo.revisions:
            for file in revision.files:
                assert lfs_entry(file.file_path.read_bytes()).etag == file.blob_path.name
                os.utime(file.blob_path, (1_000_000, 1_000_000))
                count += 1
    return count


def in_child(work):
    """Runs `work` in a fork of this process; its number."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(1)
    return child


# -- what is in use -----------------------------------------------------------------------------------------------
def test_what_another_process_has_mapped(here):
    fill(here.store)
    path = here.store.path(layout.snapshot_path(REPO, "1" * 40, "sub/own.bin"))
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "1000\n"
        os.utime(path, (1_000_000, 1_000_000))
        for options in ({"older_than": 3600}, {"max_size": 0}):
            answer = collect_garbage(here.store, here.settings, **options).to_dict()
            assert {row["commit"]: row["reason"] for row in answer["kept"]} == {
                "1" * 40: f"in use by process {child.pid}"
            }
        child.stdin.close()
    assert path.read_bytes() == b"1" * 1000
    assert [row.commit for row in collect_garbage(here.store, here.settings, max_size=0).removed] == ["1" * 40]
    assert not (here.store.root / "models--acme--model").exists()


def test_what_a_program_has_loaded(machine, tiny_hub):
    user = machine("user", hub=tiny_hub)
    with user.start(LOAD, stdin=subprocess.PIPE) as program:
        assert program.stdout.readline() == "loaded\n", program.stderr.read()
        answer = json.loads(user.hook("gc", "--max-size", "0B", "--json").stdout)
        assert answer["removed"] == []
        assert [row["reason"] for row in answer["kept"]] == [f"in use by process {program.pid}"]
        program.stdin.close()
    assert [row["repo"] for row in json.loads(user.hook("gc", "--max-size", "0B", "--json").stdout)["removed"]] == [
        "tiny/bert"
    ]
    assert user.run('from transformers import AutoModel; AutoModel.from_pretrained("tiny/bert")').returncode == 0


# -- two terminals ------------------------------------------------------------------------------------------------
def test_gc_and_fetch_at_once(here, tmp_path):
    """Short programs fetch and read while another collects all it may: nobody misses a file or sees a wrong one."""
    write_repo(tmp_path / "models", REPO, FILES)
    with LocalHub(tmp_path / "models") as hub:
        here.point_at(hub)

        def fetch():
            here.forget()
            session.reset()
            present = here.make_present(here.resolve(REPO))
            time.sleep(random.random() * 0.01)
            assert {path: where.read_bytes() for path, where in present.items()} == FILES
            assert here.store.read_tree(REPO, here.resolve(REPO).commit)

        def collect():
            removed = 0
            while not (tmp_path / "stop").exists():
                removed += len(collect_garbage(here.store, here.settings, max_size=0).removed)
                (tmp_path / "removed").write_text(str(removed))

        (tmp_path / "removed").write_text("0")
        collector = in_child(collect)
        endings = []
        while len(endings) < 50 or (int((tmp_path / "removed").read_text() or "0") < 5 and len(endings) < 1000):
            fetcher = in_child(fetch)
            endings.append(os.waitpid(fetcher, 0)[1])
            time.sleep(random.random() * 0.02)
        (tmp_path / "stop").touch()
        assert os.waitpid(collector, 0)[1] == 0
        assert set(endings) == {0}
        assert int((tmp_path / "removed").read_text()) >= 5, "they never met"
        found = huggingface_hub.scan_cache_dir(here.store.root)
        assert [str(warning) for warning in found.warnings] == []


def test_a_commit_is_marked_before_it_is_written_or_read(here, tmp_path, monkeypatch):
    """Else a collection beside it could take the listing of a commit whose files are just being fetched."""
    write_repo(tmp_path / "models", REPO, FILES)
    marked = {}

    def watch(name):
        method = getattr(Store, name)

        def look(store, repo_id, *arguments, **options):
            marked.setdefault(name, []).append(leases.holder_of(store, repo_id))
            return method(store, repo_id, *arguments, **options)

        monkeypatch.setattr(Store, name, look)

    for name in ("read_tree", "write_tree", "write_ref"):
        watch(name)
    with LocalHub(tmp_path / "models") as hub:
        here.point_at(hub)
        here.resolve(REPO)
        assert {name for name in marked if all(marked[name])} >= {"write_tree", "write_ref"}
        shutil.rmtree(here.store.own_folder / "used")
        marked.clear()
        here.forget()
        session.reset()
        here.resolve(REPO)
        assert marked["read_tree"][0] == f"process {os.getpid()}"


def test_two_collections_at_once(here):
    fill(here.store, 12)
    children = [in_child(lambda: collect_garbage(here.store, here.settings, older_than=3600)) for _ in range(3)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    assert not (here.store.root / "models--acme--model").exists()


# -- killed -------------------------------------------------------------------------------------------------------
def finish(store, settings):
    """What the next collection does after one that was killed."""
    check_health(store)
    collect_garbage(store, settings, older_than=3600)
    assert not (store.root / "models--acme--model").exists()
    own = [path.relative_to(store.own_folder).as_posix() for path in store.own_folder.rglob("*") if path.is_file()]
    assert [path for path in own if not path.endswith(".lock")] == []


def test_killed_at_random_moments(here):
    """20 kills and more, until some came in the middle: how long a collection takes is learnt on the way."""
    span, kills, in_the_middle = 0.1, 0, 0
    while kills < 20 or in_the_middle < 3:
        fill(here.store)
        begun, begin = os.pipe()

        def work(begin=begin):
            os.write(begin, b"!")
            collect_garbage(here.store, here.settings, older_than=3600)

        child = in_child(work)
        os.read(begun, 1)
        time.sleep(random.random() * span)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(begun)
        os.close(begin)
        left = check_health(here.store)
        kills += 1
        in_the_middle += 0 < left < 8
        span *= 0.7 if left == 0 else 1.4 if left == 8 else 1
        finish(here.store, here.settings)
        assert kills < 300, f"only {in_the_middle} came in the middle of a collection"


def test_killed_right_before_each_of_its_steps(here):
    steps = 0
    while True:
        fill(here.store, 2)
        steps += 1

        def work(last=steps):
            seen = []

            def die(event, _):
                if event in ("os.remove", "os.rename", "os.rmdir", "shutil.rmtree"):
                    seen.append(event)
                    if len(seen) == last:
                        os.kill(os.getpid(), signal.SIGKILL)

            sys.addaudithook(die)
            collect_garbage(here.store, here.settings, older_than=3600)

        _, status = os.waitpid(in_child(work), 0)
        finish(here.store, here.settings)
        if status == 0:
            break
        assert status == signal.SIGKILL
    assert steps > 20
