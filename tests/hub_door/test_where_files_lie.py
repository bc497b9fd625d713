"""A call without `cache_dir` means the user's own cache: one copy on disk, and never a reason to fail."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from tests.support.machine import Machine

from .conftest import FILES, MODEL, WEIGHTS, disk_usage

pytestmark = pytest.mark.lines

LOAD = 'say("bytes", lambda: os.path.getsize(hf_hub_download(MODEL, WEIGHTS)))\n'
PLACE = 'say("path", lambda: hf_hub_download(MODEL, WEIGHTS))\n'
SIZE = len(FILES[f"{MODEL}/{WEIGHTS}"])


def trace_of(cache: Path) -> dict[str, str]:
    """The names below a cache, and what each is; without the client's own locks."""
    found = {}
    for file in sorted(cache.rglob("*")):
        name = file.relative_to(cache).as_posix()
        if ".locks" not in name:
            found[name] = "link" if file.is_symlink() else "folder" if file.is_dir() else file.read_bytes().hex()
    return found


CALLS = {
    "a file": LOAD,
    "a file in a folder": 'say("x", lambda: hf_hub_download(MODEL, "weights.safetensors", subfolder="unet"))',
    "a commit": 'say("x", lambda: hf_hub_download(MODEL, "config.json", revision=HfApi().model_info(MODEL).sha))',
    "a missing file": 'say("x", lambda: hf_hub_download(MODEL, "nope"))',
    "a snapshot": 'say("x", lambda: snapshot_download(MODEL))',
    "some of it": 'say("x", lambda: snapshot_download(MODEL, allow_patterns=["*.json"], ignore_patterns="x*"))',
    "none of it": 'say("x", lambda: snapshot_download(MODEL, allow_patterns="nope"))',
    "a dataset": 'say("x", lambda: hf_hub_download("org/data", "train.csv", repo_type="dataset"))',
    "a space": 'say("x", lambda: snapshot_download("org/app", repo_type="space"))',
    "local_dir": 'say("x", lambda: hf_hub_download(MODEL, WEIGHTS, local_dir=os.environ["HF_HOME"] + "/mine"))',
    "a snapshot there": 'say("x", lambda: snapshot_download(MODEL, local_dir=os.environ["HF_HOME"] + "/mine"))',
    "cache_dir": 'say("x", lambda: hf_hub_download(MODEL, WEIGHTS, cache_dir=os.environ["HF_HOME"] + "/mine"))',
    "nobody's repo": 'say("x", lambda: hf_hub_download("org/nope", "x"))',
}


@pytest.mark.parametrize("call", CALLS)
def test_what_is_left_on_disk_is_what_plain_leaves(run, machine, hub, tmp_path, call):
    plain = Machine(tmp_path / "plain", hub=hub, HF_HUB_DISABLE_PROGRESS_BARS="1")

    said = [
        str(run(CALLS[call], on=each, hooked=each is machine)).replace(str(each.home), "") for each in (machine, plain)
    ]

    ours, theirs = trace_of(machine.cache), trace_of(plain.cache)
    times = {name for name in theirs if name.endswith(".metadata")}  # the commit, the etag, and the time
    assert {name: what for name, what in ours.items() if name not in times} == {
        name: what for name, what in theirs.items() if name not in times
    }
    assert [ours[name][:160] for name in times] == [theirs[name][:160] for name in times]
    if "404" not in said[0] and "401" not in said[0]:
        assert said[0] == said[1]


def test_one_copy_on_disk(run, machine):
    run('say("x", lambda: snapshot_download(MODEL))')

    whole = sum(len(data) for name, data in FILES.items() if name.startswith(MODEL))
    assert disk_usage(machine.cache, machine.store) < 1.01 * whole + 20_000  # our own notes are small files
    assert not machine.copies()


def test_a_local_dir_has_copies_which_may_be_edited(run, machine):
    again = 'say("x", lambda: open(hf_hub_download(MODEL, "config.json", local_dir="mine")).read())'
    run('say("x", lambda: snapshot_download(MODEL, local_dir="mine"))')
    file = machine.home / "mine" / "config.json"
    assert (file.is_symlink(), file.stat().st_nlink) == (False, 1)
    file.write_text("edited, and longer than it was")
    os.utime(file, (time.time() + 10,) * 2)  # a change within a second is not seen by plain either

    assert run(again, hooked=False)["x"] == run(again)["x"] == '{"a": 1}\n'
    assert run('say("x", lambda: open(hf_hub_download(MODEL, "config.json")).read())')["x"] == '{"a": 1}\n'


@pytest.fixture
def elsewhere():
    """A folder on another file system."""
    folder = Path("/dev/shm") / f"hub_door_{os.getpid()}"
    if not folder.parent.is_dir() or os.stat(folder.parent).st_dev == os.stat("/tmp").st_dev:
        pytest.fail("needs a second file system: /dev/shm")
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def test_a_cache_on_another_file_system_gets_no_copy(run, machine, elsewhere):
    found = run(LOAD + PLACE, HF_HUB_CACHE=str(elsewhere))

    assert found["bytes"] == SIZE
    assert Path(found["path"]).is_relative_to(machine.store)
    assert not list(elsewhere.rglob("blobs/*"))


def test_a_cache_that_is_a_file_is_no_reason_to_fail(run, machine):
    machine.cache.mkdir(parents=True)
    (machine.cache / "hub").write_text("not a folder")

    found = run(LOAD + PLACE)

    assert found["bytes"] == SIZE
    assert Path(found["path"]).is_relative_to(machine.store)


def test_a_foreign_file_in_the_place_of_a_link_is_not_believed(run, machine):
    first = Path(run(PLACE)["path"])
    first.unlink()
    first.write_text("something else")

    found = run('say("bytes", lambda: open(hf_hub_download(MODEL, WEIGHTS), "rb").read().hex())')

    assert bytes.fromhex(found["bytes"]) == FILES[f"{MODEL}/{WEIGHTS}"]


def test_where_sharing_is_switched_off_the_store_has_the_files(run, machine):
    found = run(LOAD + PLACE, IPFS_ACCELERATE_SHARE="off")

    assert found["bytes"] == SIZE
    assert Path(found["path"]).is_relative_to(machine.store)
    assert not list(machine.cache.rglob("blobs/*"))


def test_the_cache_may_be_named_while_the_program_runs(run, machine):
    found = run("""
from huggingface_hub import constants
constants.HF_HUB_CACHE = os.path.join(os.environ["HF_HOME"], "another")
say("path", lambda: hf_hub_download(MODEL, WEIGHTS))
""")

    assert Path(found["path"]).is_relative_to(machine.cache / "another")


@pytest.mark.parametrize("asked", ["cache_dir", "local_dir"])
@pytest.mark.parametrize("function", ["hf_hub_download(MODEL, 'config.json', ", "snapshot_download(MODEL, "])
def test_what_a_path_passes_through_is_made_where_plain_makes_it(run, machine, function, asked):
    code = f"""
os.mkdir("here"), os.chdir("here")
say("path", lambda: {function}{asked}="./a/../b"))
say("made", lambda: sorted(os.listdir(".")))
os.chdir(".."), os.rename("here", f"there-{{time.monotonic_ns()}}")
"""
    found, plain = (run(code, hooked=hooked) for hooked in (True, False))

    assert found == plain
