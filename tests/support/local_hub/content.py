"""What a Hub holds: repos with commits, files and the ids that git gives them."""

import collections
import fnmatch
import functools
import hashlib
import os
import time

LFS_GLOBS = [
    "*.safetensors",
    "*.bin",
    "*.onnx",
    "*.h5",
    "*.msgpack",
    "*.ot",
    "*.gguf",
    "*.pt",
    "*.pth",
    "*.parquet",
    "*.tar.gz",
    "*.zip",
    "*.npz",
]
# oid: git blob id; sha256: None unless LFS; src: path or bytes
Blob = collections.namedtuple("Blob", "size oid sha256 src")


def git_oid(kind, data):
    return hashlib.sha1(b"%s %d\0" % (kind.encode(), len(data)) + data).hexdigest()


def blob_of(src, name, threshold):
    size = len(src) if isinstance(src, bytes) else os.path.getsize(src)
    lfs = size >= threshold or (any(fnmatch.fnmatch(os.path.basename(name), g) for g in LFS_GLOBS) and size > 0)
    if isinstance(src, bytes):
        digest = hashlib.sha256(src).hexdigest() if lfs else git_oid("blob", src)
    else:
        digest = _file_digest(os.path.realpath(src), size, os.stat(src).st_mtime_ns, lfs)
    return lfs_blob(size, digest, src) if lfs else Blob(size, digest, None, src)


@functools.lru_cache(maxsize=10_000)
def _file_digest(path, size, mtime_ns, lfs):  # many hubs of one test run serve the same files
    h = hashlib.sha256() if lfs else hashlib.sha1(b"blob %d\0" % size)
    with open(path, "rb") as f:
        for chunk in iter(lambda: f.read(1 << 20), b""):
            h.update(chunk)
    return h.hexdigest()


def lfs_blob(size, sha256, src):
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"
    return Blob(size, git_oid("blob", pointer.encode()), sha256, src)


def tree_oid(files):
    """Real git tree id of {path: Blob}, so commit ids are what `git` would compute."""
    dirs, entries = {}, []
    for path, blob in files.items():
        head, _, rest = path.partition("/")
        if rest:
            dirs.setdefault(head, {})[rest] = blob
        else:
            entries.append((head, "100644", blob.oid, head))
    entries += [(d + "/", "40000", tree_oid(sub), d) for d, sub in dirs.items()]
    return git_oid(
        "tree",
        b"".join(
            b"%s %s\0" % (mode.encode(), name.encode()) + bytes.fromhex(oid) for _, mode, oid, name in sorted(entries)
        ),
    )


class Repo:
    def __init__(self, kind, rid, meta=None):
        self.kind, self.id = kind, rid
        self.meta = {"private": False, "gated": False, "allow": [], "tags": [], **(meta or {})}
        self.commits, self.order, self.refs, self.tags = {}, [], {}, {}

    def commit(self, files, message, branch="main"):
        parent, when = self.refs.get(branch), 1700000000 + len(self.order)  # fixed clock: same content, same commit id
        who = f"hub <hub@localhost> {when} +0000"
        text = f"tree {tree_oid(files)}\n" + (f"parent {parent}\n" if parent else "")
        text += f"author {who}\ncommitter {who}\n\n{message}\n"
        oid = git_oid("commit", text.encode())
        self.commits[oid] = {"files": dict(files), "parent": parent, "date": when, "title": message}
        self.order.append(oid)
        self.refs[branch] = oid
        return oid

    def resolve(self, rev):
        rev = rev or "main"
        rev = {"refs/heads/" + k: v for k, v in self.refs.items()}.get(rev, rev)
        return rev if rev in self.commits else self.refs.get(rev) or self.tags.get(rev)


def stamp(t):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(t))
