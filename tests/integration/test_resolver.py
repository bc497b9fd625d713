"""Whose word counts on commits and listings, how often the Hub is asked, and what its silence costs."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from huggingface_hub import constants

from ipfs_accelerate_py.errors import StoreError, Unresolved, UnsafeName
from ipfs_accelerate_py.storage import layout, resolver
from tests.support.in_process import here, write_repo  # noqa: F401
from tests.support.local_hub import LocalHub

pytestmark = pytest.mark.lines
REPO = "acme/model"
FILES = {"config.json": b'{"a": 1}', "sub/vocab.txt": b"a b c\n", "model.safetensors": bytes(range(256)) * 40}
INFO = "GET /api/models/"
OTHER = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def root(tmp_path):
    write_repo(tmp_path / "models", REPO, FILES)
    for name, meta in (
        ("private", {"private": True, "allow": ["alice"]}),
        ("gated", {"gated": "manual", "allow": ["alice"]}),
    ):
        write_repo(tmp_path / "models", f"acme/{name}", {**FILES, "hub.json": json.dumps(meta).encode()})
    return tmp_path / "models"


@pytest.fixture
def hub(root, here):  # noqa: F811
    with LocalHub(root, tokens={"hf_alice": "alice"}) as running:
        here.point_at(running)
        yield running


def commit_of(hub, repo_id=REPO):
    return hub.repos["models", repo_id].refs["main"]


def asked(hub):
    """The requests about models; huggingface_hub has some of its own besides."""
    return [row for row in hub.log if "/api/agent-harnesses" not in row["path"]]


def new_commit(hub, root, content):
    (root / REPO / "config.json").write_bytes(content)
    hub.scan()
    return commit_of(hub)


# -- the Hub ------------------------------------------------------------------------------------------------------
def test_the_hubs_word_in_one_request(hub, here):  # noqa: F811
    found = here.resolve(REPO)
    assert found.commit == commit_of(hub)
    assert found.word == "hub" and found.public is True and found.tree.complete
    assert {path: entry.size for path, entry in found.tree.files.items()} == {k: len(v) for k, v in FILES.items()}
    assert found.tree.files["model.safetensors"].sha256 and not found.tree.files["config.json"].sha256
    assert len(asked(hub)) == 1
    assert here.store.read_ref(REPO, "main") == found.commit
    assert here.store.read_tree(REPO, found.commit) == found.tree


def test_one_request_serves_a_minute(hub, here, monkeypatch):  # noqa: F811
    for _ in range(5):
        here.resolve(REPO)
    here.resolve(REPO, "main")
    assert len(asked(hub)) == 1
    here.resolve(REPO, commit_of(hub))
    assert len(asked(hub)) == 1  # what is known of a commit does not change
    assert resolver.REMEMBER == 60
    monkeypatch.setattr(resolver, "REMEMBER", 0.0)
    here.resolve(REPO)
    assert len(asked(hub)) == 2


def test_a_known_commit_is_never_asked_for(hub, here):  # noqa: F811
    commit = here.resolve(REPO).commit
    here.forget()
    hub.log.clear()
    found = here.resolve(REPO, commit)
    assert found.commit == commit and found.word == "store"
    assert asked(hub) == []


def test_a_moved_branch_is_seen_by_the_next_process(hub, here, root):  # noqa: F811
    before = here.resolve(REPO).commit
    after = new_commit(hub, root, b"{}")
    assert here.resolve(REPO).commit == before
    here.forget()
    assert here.resolve(REPO).commit == after != before


def test_eight_threads_one_request(hub, here):  # noqa: F811
    hub.fault(match=INFO, latency=0.3)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: here.resolve(REPO), range(8)))
    assert {each.commit for each in found} == {commit_of(hub)}
    assert len(asked(hub)) == 1


def test_a_slow_hub_is_waited_for_where_nobody_else_can_say(hub, here):  # noqa: F811
    here.change(timeout=0.2)
    hub.fault(match=INFO, latency=0.8)
    assert here.resolve(REPO).word == "hub"
    assert len(asked(hub)) == 1


# -- order --------------------------------------------------------------------------------------------------------
def test_the_hub_beats_what_is_known_here(hub, here, root):  # noqa: F811
    old = here.resolve(REPO).commit
    here.fill_cache(hub, REPO)
    new = new_commit(hub, root, b"{}")
    here.learn_in_cache(REPO, "main", old, +1000)
    here.learn_in_store(REPO, "main", old, +1000)
    here.forget()
    assert here.resolve(REPO).commit == new


@pytest.mark.parametrize(("store_learnt", "cache_learnt", "winner"), [(-10, -100, "store"), (-100, -10, "cache")])
def test_without_the_hub_the_later_word_of_store_and_cache(hub, here, root, store_learnt, cache_learnt, winner):  # noqa: F811
    commits = {"store": here.resolve(REPO).commit, "cache": new_commit(hub, root, b"{}")}
    here.fill_cache(hub, REPO)
    here.learn_in_store(REPO, "main", commits["store"], store_learnt)
    here.learn_in_cache(REPO, "main", commits["cache"], cache_learnt)
    here.forget()
    hub.fault(status=503)
    assert here.resolve(REPO).commit == commits[winner]


def test_an_older_cache_without_a_listing_says_what_its_blobs_are(hub, here, root):  # noqa: F811
    commit = here.fill_cache(hub, REPO, "main", "config.json", "model.safetensors")
    for listing in here.cache.rglob("trees/*.json"):
        listing.unlink()
    hub.log.clear()
    hub.fault(status=503)
    found = here.resolve(REPO)
    assert (found.commit, found.word, found.tree.complete) == (commit, "lower tier", False)
    assert set(found.tree.files) == {"config.json", "model.safetensors"}
    assert found.tree.files["model.safetensors"].sha256
    present = here.make_present(found)
    assert {path: where.read_bytes() for path, where in present.items()} == {k: FILES[k] for k in present}
    assert here.store.read_tree(REPO, commit) is None  # half a listing is not kept
    assert len(asked(hub)) == 1


def test_a_listing_that_is_not_complete_is_asked_for_anew(hub, here):  # noqa: F811
    commit = here.fill_cache(hub, REPO, "main", "config.json")
    for listing in here.cache.rglob("trees/*.json"):
        listing.unlink()
    found = here.resolve(REPO, commit)
    assert found.word == "hub" and found.tree.complete


# -- an unwell Hub ------------------------------------------------------------------------------------------------
FAULTS = {
    "401": {"status": 401},
    "401 unknown repo": {"status": 401, "code": "RepoNotFound"},
    "401 gated": {"status": 401, "code": "GatedRepo"},
    "403": {"status": 403},
    "404": {"status": 404},
    "404 unknown repo": {"status": 404, "code": "RepoNotFound"},
    "404 unknown revision": {"status": 404, "code": "RevisionNotFound"},
    "429": {"status": 429, "retry_after": 60},
    "429 with limits": {"status": 429, "ratelimit": 60},
    "500": {"status": 500},
    "503": {"status": 503},
    "reset": {"reset": True},
    "hang": {"hang": True},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_is_known_here_serves_whatever_the_hub_says(hub, here, fault):  # noqa: F811
    here.change(timeout=0.5)
    commit = here.resolve(REPO).commit
    here.forget()
    hub.log.clear()
    hub.fault(**fault)
    started = time.monotonic()
    found = here.resolve(REPO)
    assert time.monotonic() - started < 5  # huggingface_hub's own patience is ten seconds and more
    assert (found.commit, found.word) == (commit, "store")
    assert len(asked(hub)) == 1


def test_a_hub_that_is_not_there(hub, here):  # noqa: F811
    commit = here.resolve(REPO).commit
    here.forget()
    here.point_at(None)
    started = time.monotonic()
    assert here.resolve(REPO).commit == commit
    assert time.monotonic() - started < 5  # huggingface_hub's own patience is ten seconds and more


def test_a_hub_whose_answer_is_no_listing(hub, here):  # noqa: F811
    commit = here.resolve(REPO).commit
    here.forget()
    hub.repos["models", REPO].refs["main"] = "../../x"
    hub.repos["models", REPO].commits["../../x"] = hub.repos["models", REPO].commits[commit]
    assert here.resolve(REPO).commit == commit
    assert list((here.store.root / "models--acme--model" / "snapshots").iterdir()) == [
        here.store.path(layout.snapshot_path(REPO, commit))
    ]


@pytest.mark.parametrize(
    ("repo_id", "revision", "fault", "answered"),
    [
        ("acme/nobody", None, {}, True),
        ("acme/private", None, {}, True),
        (REPO, "no-such-branch", {}, True),
        (REPO, OTHER, {}, True),
        (REPO, None, {"status": 503}, False),
        (REPO, None, {"status": 429}, False),
        (REPO, None, {"reset": True}, False),
    ],
)
def test_where_nothing_is_known_here(hub, here, repo_id, revision, fault, answered):  # noqa: F811
    if fault:
        hub.fault(**fault)
    with pytest.raises(Unresolved) as caught:
        here.resolve(repo_id, revision)
    assert caught.value.answered is answered
    assert repo_id in str(caught.value) or str(fault.get("status", "")) in str(caught.value)


def test_three_resolutions_with_a_hub_that_hangs_cost_one_timeout(hub, here, root):  # noqa: F811
    names = [f"acme/model{number}" for number in range(3)]
    for name in names:
        write_repo(root, name, FILES)
    hub.scan()
    for name in names:
        here.resolve(name)
    here.forget()
    hub.fault(hang=True)
    here.change(timeout=0.6)
    hub.log.clear()
    started = time.monotonic()
    for name in names:
        assert here.resolve(name).word == "store"
    assert 0.2 < time.monotonic() - started < 5  # where all is known, the Hub has 0.4 of the time
    assert len(asked(hub)) == 1


def test_after_a_rest_the_hub_is_asked_again(hub, here, root, monkeypatch):  # noqa: F811
    old = here.resolve(REPO).commit
    new = new_commit(hub, root, b"{}")
    here.forget()
    hub.fault(status=503, times=1)
    assert here.resolve(REPO).commit == old
    monkeypatch.setattr(resolver, "REMEMBER", 0.0)
    assert here.resolve(REPO).commit == old  # it rests
    resolver.hub_rest.forget()
    assert here.resolve(REPO).commit == new


def test_eight_threads_with_a_hub_that_hangs_and_nothing_known_wait_once(hub, here, monkeypatch):  # noqa: F811
    monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 1)
    here.change(timeout=0.2)
    hub.fault(hang=True)

    def ask(_):
        with pytest.raises(Unresolved):
            here.resolve(REPO)

    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    assert time.monotonic() - started < 6  # eight in turn would take eight
    assert len(asked(hub)) == 1


# -- this machine alone -------------------------------------------------------------------------------------------
def test_local_only_asks_nobody(hub, here):  # noqa: F811
    with pytest.raises(Unresolved):
        here.resolve(REPO, local_only=True)
    assert asked(hub) == []
    commit = here.resolve(REPO).commit
    hub.log.clear()
    assert here.resolve(REPO, local_only=True).commit == commit
    assert asked(hub) == []


def test_a_store_that_cannot_be_written_is_no_reason_to_fail(hub, here):  # noqa: F811
    here.store.root.parent.mkdir(parents=True)
    here.store.root.write_bytes(b"in the way")
    found = here.resolve(REPO)
    assert found.commit == commit_of(hub)
    with pytest.raises(StoreError):
        here.make_present(found)


@pytest.mark.parametrize(("repo_id", "revision"), [("../x", None), ("a/b/c", None), (REPO, "../../x"), (REPO, "a\0")])
def test_hostile_words_are_refused_before_anybody_is_asked(hub, here, repo_id, revision):  # noqa: F811
    with pytest.raises(UnsafeName):
        here.resolve(repo_id, revision)
    assert asked(hub) == []
