"""A file of the store that is a hard link to another cache: read once, and again when it was changed there."""

import os
import shutil
import time

import pytest

from ipfs_accelerate_py.errors import VerificationError
from ipfs_accelerate_py.fetch import hedge, progress
from ipfs_accelerate_py.session import session
from ipfs_accelerate_py.stats import stats
from ipfs_accelerate_py.store import verify, writer

REPO = "acme/model"
FILES = {"config.json": b'{"a": 1}', "model.safetensors": b"weights" * 300_000}


@pytest.fixture
def hub(serve_repos, here):
    running = serve_repos({REPO: FILES}, lfs_threshold=1 << 20)
    here.fill_cache(running, REPO)
    return running


def new_process():
    session.reset()


def linked(here):
    [blob] = [path for path in here.cache.glob("models--*/blobs/*") if len(path.name) == 64]
    return blob


def test_it_is_linked_and_read_once(hub, here, reads):
    here.make_present(here.resolve(REPO))
    assert stats().served["lower tier"][0] == 2
    assert os.stat(linked(here)).st_nlink == 2
    for _ in range(3):
        new_process()
        here.make_present(here.resolve(REPO))
    assert reads == []


class Recorder(progress.NoBar):
    """A bar that remembers what it was told."""

    def __init__(self, shown):
        self.shown = shown

    def source(self, name, held=0):
        self.shown.append([name, 0])

    def advance(self, size):
        self.shown[-1][1] += size


@pytest.mark.parametrize("unsaid", [0.1, 60.0])
def test_a_bar_shows_long_hashing_and_no_other(hub, here, monkeypatch, unsaid):
    """Plain transformers would show none for a file that is here; a large model is read for seconds."""
    shown = []

    def slow(path, entry, note):
        verify.verify_file(path, entry, lambda size: (time.sleep(0.01), note(size)))

    monkeypatch.setattr(writer, "verify_file", slow)
    monkeypatch.setattr(verify, "CHUNK", 1 << 16)
    monkeypatch.setattr(hedge, "UNSHOWN", unsaid)
    monkeypatch.setattr(progress, "begin", lambda name, size: Recorder(shown))
    here.make_present(here.resolve(REPO), "model.safetensors")
    assert stats().served["lower tier"][0] == 1
    if unsaid > 1:
        assert shown == []
    else:
        [(name, size)] = shown
        assert name == "lower tier" and 0 < size <= len(FILES["model.safetensors"])


@pytest.mark.parametrize("keep_time", [False, True], ids=["time", "size"])
def test_a_change_in_place_is_seen_and_mended(hub, here, reads, keep_time):
    here.make_present(here.resolve(REPO))
    blob = linked(here)
    before = blob.stat()
    with open(blob, "r+b") as file:
        file.write(b"X")
        if keep_time:
            file.seek(0, os.SEEK_END)
            file.write(b"Y")
    if keep_time:
        os.utime(blob, ns=(before.st_atime_ns, before.st_mtime_ns))
    new_process()
    stats().served.clear()
    here.make_present(here.resolve(REPO))
    assert here.visible() == FILES
    assert stats().served["hub"][0] == 1
    new_process()
    reads.clear()
    here.make_present(here.resolve(REPO))
    assert reads == []  # the store has a file of its own now


def test_one_that_was_only_touched_is_read_and_kept(hub, here, reads):
    here.make_present(here.resolve(REPO))
    os.utime(linked(here))
    new_process()
    before = len(hub.log)
    here.make_present(here.resolve(REPO))
    here.make_present(here.resolve(REPO))
    assert len(reads) == 1 and here.visible() == FILES
    assert not any(row["method"] == "GET" and "resolve" in row["path"] for row in hub.log[before:])


@pytest.mark.parametrize("changed", [True, False])
def test_it_is_no_file_of_ours_when_the_other_name_is_gone(hub, here, reads, changed):
    """It may have been changed by that name before."""
    present = here.make_present(here.resolve(REPO))
    blob = linked(here)
    if changed:
        with open(blob, "r+b") as file:
            file.write(b"X")
    shutil.rmtree(here.cache)
    assert present["model.safetensors"].stat().st_nlink == 1
    new_process()
    stats().served.clear()
    here.make_present(here.resolve(REPO))
    assert here.visible() == FILES
    assert reads == (["model.safetensors"] if changed else [])  # read once, and told by its marks else
    assert stats().served == ({"hub": [1, len(FILES["model.safetensors"])]} if changed else {})


def test_a_damaged_one_is_read_once_and_told_once(hub, here, reads, caplog):
    here.make_present(here.resolve(REPO))
    with open(linked(here), "r+b") as file:
        file.write(b"X")
    hub.stop()
    here.forget()
    for _ in range(2):
        with pytest.raises(VerificationError):
            here.make_present(here.resolve(REPO))
    assert len(reads) == 1 and caplog.text.count("was changed in place") == 1


def test_a_file_of_the_stores_own_is_never_read_again(hub, here, reads):
    shutil.rmtree(here.cache)
    here.make_present(here.resolve(REPO))
    new_process()
    here.make_present(here.resolve(REPO))
    assert reads == [] and not list(here.store.own_folder.glob("verified/*"))
