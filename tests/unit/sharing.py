"""A repo of two files that a load leaves in a Hugging Face cache, and where they lie there."""

from ipfs_accelerate_py.hf_cache import share
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.resolution import Authority, Resolution
from ipfs_accelerate_py.store.tree import Tree

from .stored import COMMIT, CONTENT, REPO, git_entry, lfs_entry, put

CONFIG = b'{"a": 1}'
FILES = {"config.json": (CONFIG, git_entry(CONFIG)), "sub/model.bin": (CONTENT, lfs_entry(CONTENT))}
WEIGHTS = lfs_entry(CONTENT)
SECOND = "f" * 40


def leave(
    store,
    cache,
    *,
    commit=COMMIT,
    revision="main",
    authority=Authority.HUB,
    missing=(),
    names=tuple(FILES),
    publisher="",
    **options,
):
    """Let files be present in the store, and leave them in the cache as a load of one call does."""
    tree = Tree(commit, {path: FILES[path][1] for path in names})
    for path in names:
        if store.find_blob(REPO, tree.files[path]) is None:
            put(store, *FILES[path], path, commit)
        store.link(REPO, commit, path, tree.files[path])
    store.write_tree(REPO, tree)
    resolution = Resolution(REPO, revision, tree, authority, True, publisher=publisher)
    share.share(store, str(cache), resolution, names, missing, revision, **options)


def there(cache, path, repo_id=REPO):
    return cache / layout.repo_folder(repo_id) / path


def pointer(cache, path="sub/model.bin", commit=COMMIT):
    return there(cache, f"snapshots/{commit}/{path}")


def blob_of(root):
    return there(root, f"blobs/{WEIGHTS.etag}")


def names(cache):
    return sorted(path.relative_to(cache).as_posix() for path in cache.rglob("*") if not path.is_dir())
