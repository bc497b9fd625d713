"""A cache folder that the caller names: it is a source, is read once, and is put right where it is wrong."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import pytest

from ipfs_accelerate_py import state
from ipfs_accelerate_py.errors import StoreError, VerificationError
from ipfs_accelerate_py.hf_cache.export import fill
from ipfs_accelerate_py.patching import arguments, calls
from ipfs_accelerate_py.session import session
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.store import Store

REPO = "acme/model"
FILES = {"config.json": b'{"a": 128}', "model.safetensors": b"weights" * 300_000}


@pytest.fixture
def hub(serve_repos):
    return serve_repos({REPO: FILES}, lfs_threshold=1 << 20)


@pytest.fixture
def own(hub, here, tmp_path):
    """The caller's folder, filled by plain huggingface_hub; no other cache has anything."""
    here.fill_cache(hub, REPO)
    here.cache.rename(tmp_path / "own")
    return Store(tmp_path / "own")


def load(here, own):
    """What a load with this `cache_dir=` does; what is in that folder then."""
    resolution = here.resolve(REPO)
    present = here.make_present(resolution)
    fill(own, here.store, resolution, present, "main")
    snapshot = own.path(layout.snapshot_path(REPO, resolution.commit))
    return {path.name: path.read_bytes() for path in snapshot.iterdir()}


def damage(own, name="config.json"):
    path = next(own.root.glob(f"models--*/snapshots/*/{name}")).resolve()
    path.write_bytes(path.read_bytes().replace(b"128", b"256").replace(b"weights", b"WEIGHTS"))
    return path


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
def test_a_damaged_file_of_the_right_size_is_replaced(hub, here, own, name, known):
    if known:
        assert load(here, own) == FILES
    damage(own, name)
    session.reset()
    assert load(here, own) == FILES


def test_a_link_to_somewhere_else_is_replaced(hub, here, own):
    """Its blob is right, and what a load would read is not."""
    visible = next(own.root.glob("models--*/snapshots/*/config.json"))
    elsewhere = own.root / "elsewhere" / visible.resolve().name
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(FILES["config.json"].replace(b"128", b"256"))
    visible.unlink()
    visible.symlink_to(elsewhere)
    assert load(here, own) == FILES


def test_a_shared_blob_is_not_written_through(hub, here, own):
    """huggingface_hub 2.x lets repos share a blob by a link; the others' is not ours to change."""
    path = damage(own)
    shared = own.root / "blobs" / "ab" / "shared"
    shared.parent.mkdir(parents=True)
    path.rename(shared)
    path.symlink_to(shared)
    damaged = shared.read_bytes()
    assert load(here, own) == FILES
    assert shared.read_bytes() == damaged and not path.is_symlink()


def test_what_is_there_is_read_once(hub, here, own, reads):
    load(here, own)
    assert sorted(reads) == sorted(os.path.basename(each) for each in own.root.glob("models--*/blobs/*"))
    for _ in range(3):
        session.reset()
        load(here, Store(own.root))
    assert len(reads) == len(FILES)


def test_copies_on_another_file_system_are_read_once_too(hub, here, own, reads, monkeypatch):
    shutil.rmtree(own.root)
    monkeypatch.setattr(os, "link", lambda *names: (_ for _ in ()).throw(OSError("another file system")))
    for _ in range(3):
        session.reset()
        assert load(here, Store(own.root)) == FILES
    assert reads == []  # they were hashed on their way


def test_a_damaged_file_that_cannot_be_replaced_never_loads(hub, here, own, monkeypatch):
    damage(own)

    def refuse(*_, **__):
        raise StoreError("the store ... cannot be written: Read-only file system")

    monkeypatch.setattr(own, "new_writer", refuse)
    with pytest.raises(VerificationError) as caught:
        load(here, own)
    assert "config.json" in str(caught.value) and str(own.root) in str(caught.value)
    assert caught.value.hint == "remove that file and load again"
    shutil.rmtree(own.root)
    with pytest.raises(StoreError):  # there is nothing to be refused: the original may try
        load(here, own)


# -- as a source --------------------------------------------------------------------------------------------------
@pytest.fixture
def opened(here, monkeypatch):
    """What `cache_dir=` makes of the settings of this machine."""

    def open_for(cache_dir):
        monkeypatch.setattr(calls, "get_storage_wrapper", lambda: calls.StorageWrapper(here.settings))
        return calls.open_storage(arguments.LoadRequest(REPO, None, cache_dir, None, False)).settings

    return open_for


def test_it_is_read_after_the_other_caches(here, own, opened):
    assert opened(str(own.root)) == replace(here.settings, lower=(here.cache, own.root))
    for other in (None, str(here.settings.home), str(here.cache), str(own.root / "none")):
        assert opened(other) == here.settings


def test_a_full_one_serves_an_empty_store_without_the_hub(hub, here, own, opened, reads):
    here.settings = opened(str(own.root))
    before = len(hub.log)
    assert load(here, own) == FILES
    assert state.served["lower tier"][0] == len(FILES)
    assert not [row for row in hub.log[before:] if "resolve" in row["path"]]
    assert reads == []  # both names are one file, which was read on its way
    hub.stop()
    shutil.rmtree(here.settings.home)
    here.forget()
    assert load(here, own) == FILES


def test_who_was_not_told_without_it_may_be_told_with_it(hub, here, own, opened):
    hub.stop()
    with pytest.raises(Exception, match="Hub"):
        here.resolve(REPO)
    here.settings = opened(str(own.root))
    assert load(here, own) == FILES
