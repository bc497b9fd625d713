"""What tests of the store share: contents, what they must be, and how they get in."""

import hashlib
from pathlib import Path

from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.tree import Entry

REPO = "org/name"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
CONTENT = bytes(range(256)) * 5000


def git_entry(content):
    return Entry(len(content), hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest())


def lfs_entry(content):
    return Entry(len(content), "e" * 40, hashlib.sha256(content).hexdigest())


ENTRY = lfs_entry(CONTENT)


def blob(store, entry=ENTRY):
    return store.path(layout.blob_path(REPO, entry.etag))


def put(store, content=CONTENT, entry=None, path="model.bin", commit=COMMIT):
    entry = entry or lfs_entry(content)
    with store.receive(REPO, entry) as writer:
        writer.write(content)
        writer.finish(blob(store, entry))
    return store.link(REPO, commit, path, entry)


def files(folder):
    """Every file and link below a folder, but for our own scratch."""
    found = [path for path in Path(folder).rglob("*") if path.is_symlink() or path.is_file()]
    return sorted(str(path.relative_to(folder)) for path in found)
