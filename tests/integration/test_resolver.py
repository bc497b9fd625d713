"""Which authority counts for commits and listings, and how often the Hub is asked."""

import gc
from concurrent.futures import ThreadPoolExecutor
from types import FunctionType, ModuleType

import pytest

from ipfs_accelerate_py.errors import StoreError, Unresolved, UnsafeName
from ipfs_accelerate_py.hub import client
from ipfs_accelerate_py.net import timeouts
from ipfs_accelerate_py.session import session
from tests.support.in_process import write_repo

from .resolving import FILES, INFO, REPO, asked, commit_of, new_commit

pytestmark = pytest.mark.lines


# -- the Hub ------------------------------------------------------------------------------------------------------
def test_the_hubs_word_in_one_request(acme_hub, here):
    found = here.resolve(REPO)
    assert found.commit == commit_of(acme_hub)
    assert found.according_to == "hub" and found.public is True and found.tree.complete
    assert {path: entry.size for path, entry in found.tree.files.items()} == {k: len(v) for k, v in FILES.items()}
    assert found.tree.files["model.safetensors"].sha256 and not found.tree.files["config.json"].sha256
    assert len(asked(acme_hub)) == 1
    assert here.store.read_ref(REPO, "main") == found.commit
    assert here.store.read_tree(REPO, found.commit) == found.tree


def test_one_request_serves_all_parts(acme_hub, here, monkeypatch):
    for _ in range(5):
        here.resolve(REPO)
    here.resolve(REPO, "main")
    assert len(asked(acme_hub)) == 1
    here.resolve(REPO, commit_of(acme_hub))
    assert len(asked(acme_hub)) == 1  # what is known of a commit does not change
    assert timeouts.RESOLUTION_TTL == 10
    monkeypatch.setattr(timeouts, "RESOLUTION_TTL", 0.0)
    here.resolve(REPO)
    assert len(asked(acme_hub)) == 2


def test_a_known_commit_is_never_asked_for(acme_hub, here):
    commit = here.resolve(REPO).commit
    here.forget()
    acme_hub.log.clear()
    found = here.resolve(REPO, commit)
    assert found.commit == commit and found.according_to == "store"
    assert asked(acme_hub) == []


def test_a_moved_branch_is_seen_by_the_next_process(acme_hub, here, acme):
    before = here.resolve(REPO).commit
    after = new_commit(acme_hub, acme, b"{}")
    assert here.resolve(REPO).commit == before
    here.forget()
    assert here.resolve(REPO).commit == after != before


def test_eight_threads_one_request(acme_hub, here):
    acme_hub.fault(match=INFO, latency=0.3)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: here.resolve(REPO), range(8)))
    assert {each.commit for each in found} == {commit_of(acme_hub)}
    assert len(asked(acme_hub)) == 1


def test_a_slow_hub_is_waited_for_where_nobody_else_can_say(acme_hub, here):
    here.change(timeout=0.2)
    acme_hub.fault(match=INFO, latency=0.8)
    assert here.resolve(REPO).according_to == "hub"
    assert len(asked(acme_hub)) == 1


# -- order --------------------------------------------------------------------------------------------------------
def test_the_hub_beats_what_is_known_here(acme_hub, here, acme):
    old = here.resolve(REPO).commit
    here.fill_cache(acme_hub, REPO)
    new = new_commit(acme_hub, acme, b"{}")
    here.learn_in_cache(REPO, "main", old, +1000)
    here.learn_in_store(REPO, "main", old, +1000)
    here.forget()
    assert here.resolve(REPO).commit == new


@pytest.mark.parametrize(
    ("store_learnt", "cache_learnt", "winner"),
    # a date to come was written by a wrong clock
    [(-10, -100, "store"), (-100, -10, "cache"), (-100, 10_000, "store"), (10_000, -100, "cache")],
)
def test_without_the_hub_the_later_word_of_store_and_cache(acme_hub, here, acme, store_learnt, cache_learnt, winner):
    commits = {"store": here.resolve(REPO).commit, "cache": new_commit(acme_hub, acme, b"{}")}
    here.fill_cache(acme_hub, REPO)
    here.learn_in_store(REPO, "main", commits["store"], store_learnt)
    here.learn_in_cache(REPO, "main", commits["cache"], cache_learnt)
    here.forget()
    acme_hub.fault(status=503)
    assert here.resolve(REPO).commit == commits[winner]


def test_an_older_cache_without_a_listing_says_what_its_blobs_are(acme_hub, here, acme):
    commit = here.fill_cache(acme_hub, REPO, "main", "config.json", "model.safetensors")
    for listing in here.cache.rglob("trees/*.json"):
        listing.unlink()
    acme_hub.log.clear()
    acme_hub.fault(status=503)
    found = here.resolve(REPO)
    assert (found.commit, found.according_to, found.tree.complete) == (commit, "lower tier", False)
    assert set(found.tree.files) == {"config.json", "model.safetensors"}
    assert found.tree.files["model.safetensors"].sha256
    present = here.make_present(found)
    assert {path: where.read_bytes() for path, where in present.items()} == {k: FILES[k] for k in present}
    assert here.store.read_tree(REPO, commit) is None  # half a listing is not kept
    # where plain asks the files, too, a file's header may name the branch's commit
    assert len(asked(acme_hub)) == 1 + client.asks_files_by_branch()


def test_a_listing_that_is_not_complete_is_asked_for_anew(acme_hub, here):
    commit = here.fill_cache(acme_hub, REPO, "main", "config.json")
    for listing in here.cache.rglob("trees/*.json"):
        listing.unlink()
    found = here.resolve(REPO, commit)
    assert found.according_to == "hub" and found.tree.complete


# -- this machine alone -------------------------------------------------------------------------------------------
def test_local_only_asks_nobody(acme_hub, here):
    with pytest.raises(Unresolved):
        here.resolve(REPO, local_only=True)
    assert asked(acme_hub) == []
    commit = here.resolve(REPO).commit
    acme_hub.log.clear()
    assert here.resolve(REPO, local_only=True).commit == commit
    assert asked(acme_hub) == []


def test_a_store_that_cannot_be_written_is_no_reason_to_fail(acme_hub, here):
    here.store.root.parent.mkdir(parents=True)
    here.store.root.write_bytes(b"in the way")
    found = here.resolve(REPO)
    assert found.commit == commit_of(acme_hub)
    with pytest.raises(StoreError):
        here.make_present(found)


@pytest.mark.parametrize(("repo_id", "revision"), [("../x", None), ("a/b/c", None), (REPO, "../../x"), (REPO, "a\0")])
def test_hostile_words_are_refused_before_anybody_is_asked(acme_hub, here, repo_id, revision):
    with pytest.raises(UnsafeName):
        here.resolve(repo_id, revision)
    assert asked(acme_hub) == []


@pytest.mark.parametrize("files", [("config.json",), ()], ids=["a part", "all"])
def test_alone_a_part_of_a_newer_commit_does_not_hide_what_plain_would_load(acme_hub, here, acme, files):
    old = here.fill_cache(acme_hub, REPO)
    write_repo(acme, REPO, {path: content[::-1] for path, content in FILES.items()})
    acme_hub.scan()
    resolution = here.resolve(REPO)
    here.make_present(resolution, *files)
    here.forget()
    assert here.resolve(REPO, local_only=True).commit == (old if files else resolution.commit)


def test_no_token_is_kept_as_text(acme_hub, here):
    here.resolve("acme/private", token="hf_alice")
    seen, left = set(), [session]
    while left:
        each = left.pop()
        if id(each) in seen or isinstance(each, ModuleType | type | FunctionType):
            continue
        seen.add(id(each))
        assert not (isinstance(each, str | bytes) and "hf_alice" in str(each)), each
        left += gc.get_referents(each)
    assert len(seen) > 50
