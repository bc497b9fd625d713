"""Who may write to what the store makes."""

import os
import stat
import subprocess
import sys

import pytest

from ipfs_accelerate_py.files import make_folder, replace_file


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o077])
def test_by_the_umask_and_no_folder_writable_by_everybody(tmp_path, umask):
    """In a process of its own, since a process has one umask."""
    code = f"""
import hashlib, os, sys
from pathlib import Path
from ipfs_accelerate_py.store.store import Store
from ipfs_accelerate_py.store.tree import Entry, Tree
os.umask({umask})
store, entry = Store(Path(sys.argv[1]) / "new" / "store"), Entry(1, hashlib.sha1(b"blob 1\\0x").hexdigest())
with store.receive("a/b", entry) as writer:
    writer.write(b"x")
    writer.finish(store.path("models--a--b/blobs/" + entry.etag))
store.link("a/b", "0" * 40, "sub/file", entry)
store.write_tree("a/b", Tree("0" * 40, {{"sub/file": entry}}))
store.write_ref("a/b", "main", "0" * 40)
store.mark_missing("a/b", "0" * 40, "none")
"""
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True, env={**os.environ, "IPFS_ACCELERATE": "0"})
    made = [tmp_path / "new", *(tmp_path / "new").rglob("*")]
    assert len(made) > 10
    for path in made:
        mode = stat.S_IMODE(path.lstat().st_mode)
        if path.is_dir() and not path.is_symlink():
            assert mode == 0o775 & ~umask, path
        elif not path.is_symlink():
            assert mode == 0o666 & ~umask, path


def test_a_file_in_the_place_of_a_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        make_folder(tmp_path / "file")
    with pytest.raises(FileExistsError):
        make_folder(tmp_path / "file" / "below")


def test_a_replaced_file_keeps_its_mode_and_a_new_one_has_the_umasks(tmp_path):
    replace_file(tmp_path / "new", b"1")
    (tmp_path / "touched").touch()
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "touched").stat().st_mode
    replace_file(tmp_path / "secret", b"1", mode=0o600)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    (tmp_path / "secret").chmod(0o640)
    replace_file(tmp_path / "secret", b"22", mode=0o600)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o640
    assert (tmp_path / "secret").read_bytes() == b"22"
    assert sorted(os.listdir(tmp_path)) == ["new", "secret", "touched"]


def test_a_file_that_cannot_be_replaced_is_as_it_was(tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        replace_file(tmp_path / "folder", b"1")
    (tmp_path / "file").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", lambda descriptor: os.close(-1))  # the disk is full, say
    with pytest.raises(OSError, match="Bad file descriptor"):
        replace_file(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]
