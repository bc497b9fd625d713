"""doctor on the folders of this machine: store, disk, hard links, lock file; each well, and each broken for real."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ipfs_accelerate_py.doctor import folders, hf_cache
from ipfs_accelerate_py.doctor.check import Check, run
from ipfs_accelerate_py.errors import StoreError

OTHER_FILE_SYSTEM = Path("/dev/shm")


def everything_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_store_that_can_be_written(tmp_path):
    """Nothing is left behind, neither where there was a store nor where there was none."""
    found = folders.check_store(tmp_path / "deep" / "store")
    assert found.ok and "can be written" in found.detail and str(tmp_path) in found.detail
    assert everything_in(tmp_path) == []
    (tmp_path / "store" / "models--a--b").mkdir(parents=True)
    assert folders.check_store(tmp_path / "store").ok
    assert everything_in(tmp_path) == ["store", "store/models--a--b"]


def test_the_file_system_is_the_one_that_the_kernel_says(tmp_path):
    rows = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    kind = {row[1]: row[2] for row in rows}
    assert folders.file_system(Path("/proc/self")) == f"{kind['/proc']} (/proc)"
    assert folders.file_system(Path("/proc/none/at/all")) == f"{kind['/proc']} (/proc)"
    assert folders.file_system(OTHER_FILE_SYSTEM / "x") == f"{kind['/dev/shm']} (/dev/shm)"


@pytest.mark.parametrize("below", ["", "store"])
def test_a_file_where_the_store_should_be(below, tmp_path):
    (tmp_path / "taken").write_text("mine")
    check = Check("store", lambda: folders.check_store(tmp_path / "taken" / below), "stuck")
    row = run([check])[0].to_dict()
    assert not row["ok"] and "cannot be written" in row["detail"] and "IPFS_ACCELERATE_HOME" in row["hint"]
    assert (tmp_path / "taken").read_text() == "mine"
    # the hint mends it
    assert folders.check_store(tmp_path / "another").ok


def test_a_store_of_a_newer_version(tmp_path):
    own = tmp_path / ".locks" / "ipfs_accelerate"
    own.mkdir(parents=True)
    (own / "layout").write_text("99")
    with pytest.raises(StoreError, match="99") as caught:
        folders.check_store(tmp_path)
    assert "upgrade" in caught.value.hint


def test_the_disk(tmp_path):
    assert folders.check_disk(tmp_path / "not" / "yet", enough=1).ok
    full = folders.check_disk(tmp_path, enough=1 << 62)
    assert not full.ok and "too little room" in full.detail and "GB free" in full.detail and "gc --dry-run" in full.hint


def make_cache(folder):
    blob = folder / "models--a--b" / "blobs" / ("0" * 40)
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"bytes")
    (folder / "version.txt").write_text("1")
    return blob


def test_a_cache_beside_the_store(tmp_path):
    blob = make_cache(tmp_path / "hub")
    before = everything_in(tmp_path)
    found = folders.check_links(tmp_path / "store", tmp_path / "hub")
    assert found.ok and "was linked" in found.detail
    assert blob.stat().st_nlink == 1 and everything_in(tmp_path) == before


def test_a_cache_that_is_not_there_or_empty(tmp_path):
    missing = folders.check_links(tmp_path / "store", tmp_path / "hub")
    assert missing.ok and "not there" in missing.detail
    (tmp_path / "hub").mkdir()
    empty = folders.check_links(tmp_path / "store", tmp_path / "hub")
    assert empty.ok and "no file yet" in empty.detail


@pytest.fixture
def elsewhere(tmp_path_factory):
    """A folder on another file system than pytest's."""
    import tempfile

    there = Path(tempfile.mkdtemp(dir=OTHER_FILE_SYSTEM))
    yield there
    shutil.rmtree(there)


@pytest.mark.skipif(
    not OTHER_FILE_SYSTEM.is_dir() or os.stat(OTHER_FILE_SYSTEM).st_dev == os.stat("/tmp").st_dev,
    reason="needs a second file system at /dev/shm",
)
@pytest.mark.parametrize("filled", [True, False])
def test_a_cache_on_another_file_system(filled, tmp_path, elsewhere):
    if filled:
        make_cache(elsewhere)
    found = folders.check_links(tmp_path / "store", elsewhere)
    assert not found.ok and "copied" in found.detail and str(OTHER_FILE_SYSTEM) in found.detail
    assert "IPFS_ACCELERATE_HOME" in found.hint
    # the hint mends it: the store on the file system of the cache
    assert folders.check_links(elsewhere / "store", elsewhere).ok


def test_a_cache_that_files_can_be_left_in(tmp_path):
    for cache in (tmp_path / "not" / "yet", tmp_path / "hub"):
        cache.parent.mkdir(exist_ok=True)
        before = everything_in(tmp_path)
        found = hf_cache.check_left(tmp_path / "store", cache, "on")
        assert found.ok and found.hint is None and f"can be linked into {cache}" in found.detail
        assert everything_in(tmp_path) == before


def test_nothing_is_left_where_that_is_not_wanted(tmp_path):
    found = hf_cache.check_left(tmp_path / "store", tmp_path / "hub", "off")
    assert found.ok and "IPFS_ACCELERATE_SHARE is off" in found.detail


@pytest.mark.skipif(
    not OTHER_FILE_SYSTEM.is_dir() or os.stat(OTHER_FILE_SYSTEM).st_dev == os.stat("/tmp").st_dev,
    reason="needs a second file system at /dev/shm",
)
def test_nothing_can_be_left_on_another_file_system(tmp_path, elsewhere):
    found = hf_cache.check_left(tmp_path / "store", elsewhere, "on")
    assert found.ok and "programs without the hook do not find" in found.detail and "HF_HOME" in found.hint
    assert hf_cache.check_left(elsewhere / "store", elsewhere / "hub", "on").hint is None  # the hint mends it
    assert everything_in(elsewhere) == []


def test_no_lock_file_is_no_failure():
    found = folders.check_lock_file(None)
    assert found.ok and found.detail == "not configured" and "IPFS_ACCELERATE_LOCK" in found.hint


def test_a_lock_file(tmp_path):
    files = {"config.json": {"size": 1, "blob_id": "0" * 40}}
    table = {"lock_version": 1, "repos": {f"a/b@{'1' * 40}": {"revisions": ["main"], "files": files}}}
    (tmp_path / "lock").write_text(json.dumps(table))
    found = folders.check_lock_file(tmp_path / "lock")
    assert found.ok and "names 1 commits" in found.detail


def test_a_lock_file_that_is_missing_or_broken(tmp_path):
    for name, text in {"missing": None, "broken": "{", "strange": "[1, 2]"}.items():
        path = tmp_path / name
        if text is not None:
            path.write_text(text)
        row = run([Check("lock file", lambda path=path: folders.check_lock_file(path), "stuck")])[0].to_dict()
        assert not row["ok"] and "IPFS_ACCELERATE_LOCK" in row["hint"] and str(path) in row["detail"], name


# A file system of its own for one process: https://man7.org/linux/man-pages/man1/unshare.1.html
ASK = "import sys, pathlib; from ipfs_accelerate_py.doctor import check, folders\n"
ASK += "home = pathlib.Path(sys.argv[1])\n"
ASK += "checks = [check.Check('store', lambda: folders.check_store(home), ''), "
ASK += "check.Check('disk', lambda: folders.check_disk(home), '')]\n"
ASK += "import json; print(json.dumps([each.to_dict() for each in check.run(checks)]))"
MOUNTS = {
    "read-only": 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"',
    "small": 'mount -t tmpfs -o size=64m tmpfs "$0" && exec "$@"',
    "full": 'mount -t tmpfs -o size=64k tmpfs "$0" && (head -c 1M /dev/zero > "$0/filler") 2>/dev/null; exec "$@"',
}


def ask_on(kind, folder):
    unshare = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    if shutil.which("unshare") is None or subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("no mount namespace here: install util-linux, and allow namespaces")
    command = [*unshare, "sh", "-c", MOUNTS[kind], str(folder), sys.executable, "-c", ASK, str(folder)]
    paths = os.pathsep.join([str(Path(folders.__file__).resolve().parents[3]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_store_on_a_read_only_file_system(tmp_path):
    store, _ = ask_on("read-only", tmp_path)
    assert not store["ok"] and "Read-only file system" in store["detail"] and "IPFS_ACCELERATE_HOME" in store["hint"]


def test_a_store_on_a_small_file_system(tmp_path):
    store, disk = ask_on("small", tmp_path)
    assert store["ok"] and f"tmpfs ({tmp_path})" in store["detail"]
    assert not disk["ok"] and "too little room: 0.1 GB free" in disk["detail"] and "gc --dry-run" in disk["hint"]


def test_a_store_on_a_full_file_system(tmp_path):
    store, disk = ask_on("full", tmp_path)
    assert not store["ok"] and "No space left" in store["detail"] and "free some space" in store["hint"]
    assert not disk["ok"]
