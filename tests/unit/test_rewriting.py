"""The rewriting of kwargs on both lines of the client."""

import copy
import os
import pickle
from pathlib import Path

import pytest

from ipfs_accelerate_py.patching.arguments import (
    LoadRequest,
    PinnedRevision,
    pin,
    pinned_commit,
    plain_revision,
    read_call,
    rewrite,
)

COMMIT = "0123456789abcdef0123456789abcdef01234567"
STORE = Path("/store")


@pytest.mark.parametrize(
    ("args", "kwargs", "repo_id"),
    [
        (("org/name",), {}, "org/name"),
        (("gpt2",), {}, "gpt2"),
        ((), {"pretrained_model_name_or_path": "org/name"}, "org/name"),
        ((), {"pretrained_model_name": "org/name"}, "org/name"),
        ((), {"path_or_repo_id": "org/name"}, "org/name"),
        (("org/name",), {"repo_type": "model"}, "org/name"),
        (("org/name",), {"repo_type": None}, "org/name"),
        (("org/name", "more"), {"config": object()}, "org/name"),
    ],
)
def test_what_concerns_us(args, kwargs, repo_id):
    asked = read_call(args, kwargs)
    assert asked == LoadRequest(repo_id, None, None, None, False)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((), {}),
        ((None,), {}),
        ((3,), {}),
        ((Path("org/name"),), {}),
        (("./org/name",), {}),
        (("/org/name",), {}),
        (("a/b/c",), {}),
        (("../name",), {}),
        (("",), {}),
        (("org/name",), {"repo_type": "dataset"}),
        (("org/name",), {"repo_type": "space"}),
        (("org/name",), {"revision": 3}),
        (("C:\\models\\name",), {}),
        (("https://huggingface.co/org/name",), {}),
    ],
)
def test_what_does_not(args, kwargs):
    assert read_call(args, kwargs) is None


@pytest.mark.parametrize("make", [lambda path: path.mkdir(parents=True), lambda path: path.write_bytes(b"")])
def test_a_local_path_is_the_users_own(tmp_path, monkeypatch, make):
    monkeypatch.chdir(tmp_path)
    assert read_call(("name",), {}) is not None
    make(tmp_path / "name")
    assert read_call(("name",), {}) is None


def test_all_the_callers_words_are_read():
    kwargs = {"revision": "v1", "cache_dir": Path("/mine"), "token": "hf_x", "local_files_only": True}
    assert read_call(("org/name",), kwargs) == LoadRequest("org/name", "v1", "/mine", "hf_x", True)
    assert read_call(("org/name",), {"use_auth_token": True}).token is True
    assert read_call(("org/name",), {"token": False, "use_auth_token": "hf_x"}).token is False


def test_rewrite_gives_store_and_commit_and_keeps_the_rest():
    kwargs = {"revision": "v1", "device_map": "auto"}
    asked = read_call(("org/name",), kwargs)
    rewritten = rewrite(kwargs, asked, STORE, COMMIT)
    assert kwargs == {"revision": "v1", "device_map": "auto"}
    assert rewritten == {"revision": "v1", "device_map": "auto", "cache_dir": "/store"}
    assert pinned_commit(rewritten["revision"], "org/name") == COMMIT


@pytest.mark.parametrize("cache_dir", ["/mine", Path("/mine"), "relative"])
def test_an_explicit_cache_dir_stays(cache_dir):
    kwargs = {"cache_dir": cache_dir, "revision": "v1"}
    rewritten = rewrite(kwargs, read_call(("org/name",), kwargs), STORE, COMMIT)
    assert rewritten["cache_dir"] is cache_dir
    assert pinned_commit(rewritten["revision"], "org/name") == COMMIT


def test_no_cache_dir_is_the_store():
    kwargs = {"cache_dir": None}
    assert rewrite(kwargs, read_call(("org/name",), kwargs), STORE, COMMIT)["cache_dir"] == os.fspath(STORE)


@pytest.mark.parametrize("kwargs", [{}, {"revision": None}])
def test_no_revision_stays_none(kwargs):
    assert rewrite(kwargs, read_call(("org/name",), kwargs), STORE, COMMIT) == {**kwargs, "cache_dir": "/store"}


def test_rewriting_what_was_rewritten_keeps_the_users_words():
    asked = LoadRequest("org/name", "v1", None, None, False)
    once = rewrite({"revision": "v1"}, asked, STORE, COMMIT)
    again = rewrite(once, read_call(("org/name",), once), STORE, COMMIT)
    assert again["revision"] == "v1"
    assert plain_revision(again["revision"]) == "v1"
    assert pinned_commit(again["revision"], "org/name") == COMMIT


# both are tried on both lines: the installed client's own type where it has one, and ours
def pin_here(revision, commit, repo_id):
    return pin(revision, commit, repo_id)


def pin_ours(revision, commit, repo_id):
    return PinnedRevision(revision, commit, repo_id)


@pytest.fixture(params=[pin_here, pin_ours])
def make_pin(request):
    return request.param


@pytest.mark.parametrize("revision", ["main", "v1.0", "refs/pr/1", COMMIT[:7], COMMIT])
def test_a_pin_equals_the_users_words(make_pin, revision):
    pinned = make_pin(revision, COMMIT, "org/name")
    assert isinstance(pinned, str)
    assert pinned == revision and hash(pinned) == hash(revision)
    assert f"{pinned}" == str(pinned) == revision
    assert plain_revision(pinned) == revision and type(plain_revision(pinned)) is str
    assert pinned_commit(pinned, "org/name") == COMMIT


def test_no_revision_is_the_default_branch(make_pin):
    pinned = make_pin(None, COMMIT, "org/name")
    assert pinned == "main"
    assert plain_revision(pinned) is None
    assert pinned_commit(pinned, "org/name") == COMMIT


@pytest.mark.parametrize("dup", [lambda pinned: pickle.loads(pickle.dumps(pinned)), copy.copy, copy.deepcopy])
def test_a_pin_survives_pickling_and_copying(make_pin, dup):
    pinned = make_pin("v1", COMMIT, "org/name")
    other = dup(pinned)
    assert other == "v1"
    assert plain_revision(other) == "v1"
    assert pinned_commit(other, "org/name") == COMMIT
    assert pinned_commit(other, "org/other") is None


def test_the_pin_of_another_repo_is_not_used(make_pin):
    pinned = make_pin("v1", COMMIT, "org/adapter")
    assert pinned_commit(pinned, "org/base") is None
    assert plain_revision(pinned) == "v1"


@pytest.mark.parametrize("revision", [None, "main", COMMIT, 3])
def test_what_is_not_pinned(revision):
    assert pinned_commit(revision, "org/name") is None


def test_a_pin_with_a_commit_that_is_none():
    assert pinned_commit(PinnedRevision("v1", "../../x", "org/name"), "org/name") is None


def test_the_clients_own_type_is_used_where_there_is_one():
    import huggingface_hub

    expected = getattr(huggingface_hub, "ResolvedRevision", PinnedRevision)
    assert type(pin("v1", COMMIT, "org/name")) is expected


def test_plain_revision_of_nothing():
    assert plain_revision(None) is None
    assert plain_revision(3) is None
