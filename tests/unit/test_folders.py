"""Who may write to what the store makes."""

import os
import stat
import subprocess
import sys

import pytest

from ipfs_accelerate_py.storage.folders import make_folder


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o077])
def test_by_the_umask_and_no_folder_writable_by_everybody(tmp_path, umask):
    """In a process of its own, since a process has one umask."""
    code = f"""
import hashlib, os, sys
from pathlib import Path
from ipfs_accelerate_py.storage.store import Store
from ipfs_accelerate_py.storage.tree import Entry, Tree
os.umask({umask})
store, entry = Store(Path(sys.argv[1]) / "new" / "store"), Entry(1, hashlib.sha1(b"blob 1\\0x").hexdigest())
with store.receive("a/b", entry) as receiver:
    receiver.write(b"x")
    receiver.finish(store.path("models--a--b/blobs/" + entry.etag))
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
    with pytest.raises(OSError):
        make_folder(tmp_path / "file")
    with pytest.raises(OSError):
        make_folder(tmp_path / "file" / "below")
