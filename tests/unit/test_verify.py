"""Hashes of git and LFS, and every way in which bytes can be wrong."""

import hashlib
import os
import subprocess

import pytest

from ipfs_accelerate_py.store.tree import Entry
from ipfs_accelerate_py.store.verify import CHUNK, Mismatch, Verifier, verify_file

CONTENTS = [b"", b"x", b"blob 1\0x", b"\0" * 1000, os.urandom(3 * CHUNK + 17)]
KINDS = ["git", "lfs"]


def git_blob_id(content, folder):
    command = ["git", "hash-object", "--no-filters", "--stdin"]
    return subprocess.run(command, input=content, capture_output=True, check=True, cwd=folder).stdout.decode().strip()


def entry_of(content, kind, folder):
    blob_id = git_blob_id(content, folder)
    return Entry(len(content), blob_id, hashlib.sha256(content).hexdigest() if kind == "lfs" else None)


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.mark.parametrize("content", CONTENTS, ids=len)
def test_the_promised_bytes_pass(content, kind, tmp_path):
    entry = entry_of(content, kind, tmp_path)
    whole = Verifier(entry)
    whole.update(content)
    whole.finish()
    parts = Verifier(entry)
    for start in range(0, len(content), 100_003):
        parts.update(content[start : start + 100_003])
    parts.finish()
    (tmp_path / "file").write_bytes(content)
    verify_file(tmp_path / "file", entry)


def flipped(content, at):
    changed = bytearray(content)
    changed[at] ^= 1
    return bytes(changed)


CONTENT = os.urandom(2 * CHUNK + 5)
WRONG = {
    "nothing": b"",
    "one byte short": CONTENT[:-1],
    "a chunk short": CONTENT[:CHUNK],
    "one byte long": CONTENT + b"x",
    "a chunk long": CONTENT + os.urandom(CHUNK),
    "first byte": flipped(CONTENT, 0),
    "last byte": flipped(CONTENT, -1),
    "a byte in the middle": flipped(CONTENT, CHUNK),
    "parts exchanged": CONTENT[CHUNK:] + CONTENT[:CHUNK],
    "another file": os.urandom(len(CONTENT)),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_wrong_bytes_do_not(wrong, kind, tmp_path):
    entry = entry_of(CONTENT, kind, tmp_path)
    verifier = Verifier(entry)
    with pytest.raises(Mismatch) as caught:
        verifier.update(wrong)
        verifier.finish()
    assert caught.value.expected != caught.value.actual
    (tmp_path / "file").write_bytes(wrong)
    with pytest.raises(Mismatch):
        verify_file(tmp_path / "file", entry)


def test_more_than_promised_is_refused_at_once(kind, tmp_path):
    verifier = Verifier(entry_of(CONTENT, kind, tmp_path))
    verifier.update(CONTENT)
    with pytest.raises(Mismatch):  # an endless source must not be read to its end
        verifier.update(b"x")


def test_a_hash_that_differs_is_named(tmp_path):
    wrong = flipped(CONTENT, 9)
    entry = entry_of(CONTENT, "lfs", tmp_path)
    verifier = Verifier(entry)
    verifier.update(wrong)
    with pytest.raises(Mismatch) as caught:
        verifier.finish()
    assert (caught.value.expected, caught.value.actual) == (entry.sha256, hashlib.sha256(wrong).hexdigest())


def test_a_git_blob_id_is_checked_with_its_size():
    # the same bytes with another promised size are another blob
    content = b"hello"
    entry = Entry(5, hashlib.sha1(b"blob 6\0" + content).hexdigest())
    verifier = Verifier(entry)
    verifier.update(content)
    with pytest.raises(Mismatch):
        verifier.finish()


def test_an_entry_without_a_hash_matches_nothing():
    verifier = Verifier(Entry(0, None))
    with pytest.raises(Mismatch):
        verifier.finish()


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        verify_file(tmp_path / "none", Entry(0, "0" * 40))
