"""A load on a machine that knows a part of a commit: what is not known there is asked for, and never called missing.

In the test's own process, at the storage layer; tests/never_worse has the whole loads.
"""

import json

import pytest

from ipfs_accelerate_py import state
from ipfs_accelerate_py.errors import Unavailable
from ipfs_accelerate_py.storage_wrapper import StorageWrapper
from ipfs_accelerate_py.store import layout, vouchers
from ipfs_accelerate_py.store.resolution import Authority

pytestmark = pytest.mark.lines
REPO = "acme/model"
FILES = {"config.json": b'{"a": 1}', "tokenizer.json": b'{"b": 2}', "model.safetensors": bytes(range(256)) * 40}
API = r"GET /api/models/"


@pytest.fixture
def hub(serve_repos):
    return serve_repos({REPO: FILES})


def look_up(here, resolution, *paths, **options):
    storage = StorageWrapper(here.settings)
    return storage.look_up(resolution, paths, **{"token": None, "local_only": False, **options})


def asked_listings(hub):
    return [row["path"] for row in hub.log if row["method"] == "GET" and row["path"].startswith("/api/models/")]


@pytest.fixture
def half(hub, here):
    """The cache of this machine has the config alone, without a listing, as the older client leaves it."""
    commit = here.fill_cache(hub, REPO, "main", "config.json")
    listing = here.cache / layout.tree_path(REPO, commit)
    listing.unlink(missing_ok=True)
    del hub.log[:]
    return commit


@pytest.mark.parametrize("fault", [{"latency": 1.2}, {"status": 500}, {"status": 429}, {"status": 403}], ids=str)
def test_a_hub_that_is_slow_or_unwell_makes_nothing_missing(fault, half, hub, here):
    hub.fault(match=API, **fault)
    resolution = here.resolve(REPO)
    assert (resolution.commit, resolution.according_to) == (half, Authority.LOCAL_CACHES)
    assert not resolution.tree.complete
    resolution, missing, unknown = look_up(here, resolution, "config.json", "tokenizer.json", "nothing.json")
    if "latency" in fault:  # it has told the whole listing meanwhile
        assert resolution.tree.complete and (missing, unknown) == ({"nothing.json"}, [])
    else:
        assert (missing, unknown) == (set(), ["tokenizer.json", "nothing.json"])


def test_a_slow_hub_is_asked_once_and_its_late_answer_counts_for_the_rest(half, hub, here):
    hub.fault(match=API, latency=1.2)
    first = here.resolve(REPO)
    learnt, _, unknown = look_up(here, first, "tokenizer.json")
    assert not unknown and learnt.according_to in (Authority.HUB, Authority.STORE)
    assert here.resolve(REPO).tree.complete  # remembered for the other parts of the repo
    assert len(asked_listings(hub)) == 1


def test_a_branch_that_moved_meanwhile_is_listed_at_the_commit_of_the_load(half, hub, here, tmp_path):
    (tmp_path / "models" / REPO / "config.json").write_bytes(b'{"a": 2}')
    hub.scan()
    hub.fault(match=API + r".*", latency=1.2, times=1)
    resolution = here.resolve(REPO)
    assert resolution.commit == half
    learnt, _, unknown = look_up(here, resolution, "tokenizer.json")
    assert (learnt.commit, unknown) == (half, [])
    assert f"/revision/{half}" in asked_listings(hub)[-1]


def test_with_local_files_only_nobody_is_asked(half, hub, here):
    resolution = here.resolve(REPO, local_only=True)
    assert look_up(here, resolution, "tokenizer.json", local_only=True)[2] == ["tokenizer.json"]
    assert not hub.log


def test_an_empty_listing_of_0_1_0_is_dropped_and_its_marks_with_it(hub, here):
    resolution = here.resolve(REPO)
    listing = here.store.path(layout.tree_path(REPO, resolution.commit))
    table = json.loads(listing.read_bytes())
    listing.write_text(json.dumps({**table, "files": {}}))
    here.store.mark_missing(REPO, resolution.commit, "tokenizer.json")
    here.forget()
    for revision in (resolution.commit, None):
        found = here.resolve(REPO, revision)
        assert found.tree.files.keys() == FILES.keys()
        assert look_up(here, found, "tokenizer.json")[1:] == (set(), [])
    assert not here.store.path(layout.missing_path(REPO, resolution.commit, "tokenizer.json")).exists()


def test_a_cdn_that_resets_is_asked_no_more_often_than_plain_asks_it(hub, here, tmp_path):
    """The client's own retries run once, and its error is handed on."""
    from huggingface_hub import hf_hub_download

    hub.fault(match=r"GET .*(_blob|config\.json)", reset=True)
    with pytest.raises(Exception) as plain:  # noqa: PT011  (whatever plain raises)
        hf_hub_download(REPO, "config.json", cache_dir=tmp_path / "plain", endpoint=hub.endpoint, token=False)
    often = len([row for row in hub.log if "config.json" in row["path"]])
    resolution = here.resolve(REPO)
    del hub.log[:]
    with pytest.raises(Unavailable) as ours:
        here.make_present(resolution, "config.json")
    assert len([row for row in hub.log if "config.json" in row["path"]]) <= often
    assert type(ours.value.hub_error) is type(plain.value)


# -- who vouched ----------------------------------------------------------------------------------------------------
def load(here):
    StorageWrapper(here.settings).make_present(here.resolve(REPO), ["config.json"])


def test_who_vouched_is_remembered_in_this_process_and_on_disk(hub, here):
    commit = hub.repos["models", REPO].refs["main"]
    load(here)
    assert state.vouched[REPO] == {commit: ["hub"]}
    assert vouchers.read(here.store) == {REPO: {commit: ["hub"]}}
    here.forget()
    here.point_at(None)  # a new process, and the Hub is gone
    load(here)
    assert state.vouched[REPO] == {commit: ["memory"]} == vouchers.read(here.store)[REPO]


def test_a_warm_load_writes_nothing(hub, here):
    load(here)
    path = here.store.own_folder / "vouched" / layout.repo_folder(REPO) / hub.repos["models", REPO].refs["main"]
    before = path.stat()
    here.forget()
    load(here)
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


# -- an API that is of no use, beside files that can be had ---------------------------------------------------------
@pytest.mark.parametrize("fault", [{"status": 403}, {"status": 404}, {"status": 429}], ids=str)
@pytest.mark.parametrize("moved", [False, True])
def test_a_files_header_names_the_commit_of_a_branch(fault, moved, half, hub, here, tmp_path):
    if moved:
        (tmp_path / "models" / REPO / "config.json").write_bytes(b'{"a": 2}')
        hub.scan()
    hub.fault(match=API, **fault)
    resolution = here.resolve(REPO)
    assert resolution.commit == hub.repos["models", REPO].refs["main"]
    assert (resolution.commit != half) is moved
    unknown = ["config.json"] if moved else []
    assert look_up(here, resolution, "config.json")[1:] == (set(), unknown)


def test_where_files_cannot_be_had_either_the_commit_of_this_machine_stands(half, hub, here):
    hub.fault(match="", status=403)
    assert here.resolve(REPO).commit == half
