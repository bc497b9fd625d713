"""What a load asks of its own revision again is answered at once, and as the whole door would answer it."""

import itertools

import pytest

from ipfs_accelerate_py.config.settings import read_settings
from ipfs_accelerate_py.libraries.transformers import name_doors
from ipfs_accelerate_py.patching import calls, fallback
from ipfs_accelerate_py.patching.arguments import LoadRequest, PinnedRevision, pin
from ipfs_accelerate_py.storage_wrapper import StorageWrapper
from ipfs_accelerate_py.store.resolution import Authority, Resolution
from ipfs_accelerate_py.store.tree import Entry, Tree

NAME, COMMIT, OTHER = "org/name", "01" * 20, "23" * 20
TREE = Tree(COMMIT, {"config.json": Entry(2, "45" * 20)})
REVISIONS = [
    *(None, "", "main", "v1", "refs/pr/1", COMMIT, OTHER, 3),
    *(pin(None, COMMIT, NAME), pin("main", COMMIT, NAME), pin("v1", COMMIT, NAME), pin("main", OTHER, "org/base")),
    *(PinnedRevision(None, COMMIT, NAME), PinnedRevision("v1", OTHER, "org/base")),
]
NAMES = [NAME, "org/base", "./org/name", None, 3]


def original(path_or_repo_id, revision=None, *, repo_type=None, token=None, local_files_only=False, cache_dir=None):
    return "the original's", path_or_repo_id, revision, repo_type


def answer(door, args, kwargs):
    try:
        found = door(original, None, args, kwargs)
    except Exception as error:
        return type(error), str(error)
    return type(found), found, getattr(found, "resolved", None), getattr(found, "initial", None)


@pytest.mark.parametrize("aside", [False, True])
@pytest.mark.parametrize("loaded", [None, "main", "v1", COMMIT])
def test_at_once_is_the_same(tmp_path, monkeypatch, loaded, aside):
    monkeypatch.setenv("IPFS_ACCELERATE_HOME", str(tmp_path / "store"))
    monkeypatch.setenv("IPFS_ACCELERATE_NODE", "off")
    storage = StorageWrapper(read_settings())
    load = calls.Load(
        LoadRequest(NAME, loaded, None, None, True),
        storage,
        Resolution(NAME, loaded or "main", TREE, Authority.HUB, True),
    )
    at_once = 0
    with calls.under_way(load):
        for name, revision, kind in itertools.product(NAMES, REVISIONS, (None, "model", "dataset")):
            kwargs = {} if kind is None else {"repo_type": kind}
            kwargs["local_files_only"] = True
            for args, more in (((name, revision), {}), ((name,), {"revision": revision}), ((name,), {})):
                said = {**kwargs, **more}
                if aside:
                    with fallback.stand_aside():
                        both = [
                            answer(each, args, said)
                            for each in (name_doors.resolve_revision, name_doors._resolve_revision)
                        ]
                        assert calls.settled_revision(name, revision) is None
                else:
                    both = [
                        answer(each, args, said) for each in (name_doors.resolve_revision, name_doors._resolve_revision)
                    ]
                    at_once += calls.settled_revision(name, revision) is not None
                assert both[0] == both[1], (args, said)
    assert aside or at_once > 10
