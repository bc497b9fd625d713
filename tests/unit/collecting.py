"""What the tests of `gc` share: a store whose files are as old as one likes, a collection that is tried dry first."""

import json
import os
import time
from pathlib import Path

import huggingface_hub

from ipfs_accelerate_py.maintenance.collect import collect_garbage
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.tree import Tree

from .stored import COMMIT, REPO, lfs_entry

SECOND, THIRD = "f" * 40, "d" * 40
DAY = 24 * 3600
OTHER = "org/other"


def read(path):
    """A file's bytes, looked at without using it."""
    seen = os.stat(path)
    content = path.read_bytes()
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    return content


def picture(root):
    """Everything that can be seen of a folder, but for times of access."""
    found = {}
    for path in sorted(Path(root).rglob("*")):
        status = path.lstat()
        content = os.readlink(path) if path.is_symlink() else read(path) if path.is_file() else b""
        found[str(path)] = (content, status.st_mode, status.st_ino, status.st_nlink, status.st_mtime_ns)
    return found


def collect_dry_first(store, settings, **options):
    """Collects, after a dry run that must say the same and change nothing; the document of --json."""
    before = picture(store.root)
    said = collect_garbage(store, settings, dry_run=True, **options).to_dict()
    assert picture(store.root) == before
    done = collect_garbage(store, settings, **options).to_dict()
    assert (said["dry_run"], done["dry_run"]) == (True, False)
    assert {**said, "dry_run": False} == done
    if store.root.exists():
        found = huggingface_hub.scan_cache_dir(store.root)
        assert [str(warning) for warning in found.warnings] == []
    again = collect_garbage(store, settings, **options).to_dict()
    assert (again["removed"], again["freed"]) == ([], 0)
    json.dumps(done)
    return done


def commit_of(store, content, commit=COMMIT, age=0.0, ref=None, path="model.bin", repo_id=REPO):
    """A commit of one file, last used so many seconds ago."""
    entry = lfs_entry(content)
    with store.receive(repo_id, entry) as writer:
        writer.write(content)
        writer.finish(store.path(layout.blob_path(repo_id, entry.etag)))
    store.link(repo_id, commit, path, entry)
    store.write_tree(repo_id, Tree(commit, {path: entry}))
    if ref:
        store.write_ref(repo_id, ref, commit)
    make_old(store.path(layout.blob_path(repo_id, entry.etag)), age)


def make_old(path, age):
    moment = time.time() - age
    os.utime(path, (moment, moment), follow_symlinks=False)


def gone(answer):
    return {(row["repo"], row["commit"]) for row in answer["removed"]}


def visible(store):
    return {path.parent.name: read(path) for path in store.root.glob("models--*/snapshots/*/*")}
