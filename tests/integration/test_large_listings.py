"""A repo with very many files, of which a machine has the listing: the Hub is asked for the commit alone.

In the test's own process, at the storage layer.
"""

import hashlib

import pytest

from ipfs_accelerate_py.errors import Unresolved
from ipfs_accelerate_py.repo import KINDS, Repo
from ipfs_accelerate_py.storage_wrapper import StorageWrapper
from ipfs_accelerate_py.store.resolution import Authority
from ipfs_accelerate_py.store.tree import LISTED_WHOLE
from ipfs_accelerate_py.store.visibility import known_access
from tests.support.local_hub import LocalHub, Mirror
from tests.support.local_hub.content import Blob, blob_of
from tests.support.local_hub.content import Repo as HubRepo

ID = "acme/large"
DATASET = f"dataset:{ID}"
EXPAND, LISTING = "?expand=", "?blobs=true"


def files_of(count, readme=b"one"):
    files = {}
    for number in range(count - 1):
        content = b"%d" % number
        oid, sha256 = hashlib.sha1(content).hexdigest(), hashlib.sha256(content).hexdigest()
        files[f"data/part-{number:06}.parquet"] = Blob(len(content), oid, sha256, content)
    return {**files, "README.md": blob_of(readme, "README.md", 1 << 20)}


def add(hub, kind="dataset", count=1500, readme=b"one"):
    """One more commit of a repo; its id."""
    repo = hub.repos.setdefault((f"{kind}s", ID), HubRepo(f"{kind}s", ID))
    return repo.commit(files_of(count, readme), readme.decode())


def asked(hub):
    """The questions to the API since the last call: their last parts, and the bytes of each answer."""
    found = [(row["path"].rpartition("/")[2], row["bytes"]) for row in hub.log if "/api/" in row["path"]]
    hub.log.clear()
    return found


def forms(hub):
    return [EXPAND if EXPAND in path else LISTING if LISTING in path else path for path, _ in asked(hub)]


@pytest.fixture
def hub(here):
    with LocalHub() as running:
        here.point_at(running)
        yield running


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.lines
def test_a_warm_resolution_costs_one_small_answer(hub, here, kind):
    key, commit = Repo(kind, ID).key, add(hub, kind)
    cold = here.resolve(key)
    assert forms(hub) == [LISTING]
    for token in (None, "hf_test"):
        here.forget()
        warm = here.resolve(key, token=token)
        [(path, size)] = asked(hub)
        assert EXPAND in path and size < 1000
        assert (warm.commit, warm.authority, warm.public) == (commit, Authority.HUB, True)
        assert warm.tree == cold.tree and warm.tree.complete
    assert here.make_present(warm, "README.md")["README.md"].read_bytes() == b"one"


def test_a_short_listing_is_asked_for_at_once(hub, here):
    add(hub, count=900)
    for _ in range(2):
        here.forget()
        here.resolve(DATASET)
        assert forms(hub) == [LISTING]


def test_a_new_commit_is_listed(hub, here):
    first = add(hub)
    here.resolve(DATASET)
    second = add(hub, readme=b"two")
    asked(hub)
    here.forget()
    found = here.resolve(DATASET)
    assert found.commit == second and forms(hub) == [EXPAND, LISTING]
    assert here.make_present(found, "README.md")["README.md"].read_bytes() == b"two"
    # Back at a commit whose listing is here: it need not be asked for again.
    hub.repos["datasets", ID].refs["main"] = first
    asked(hub)
    here.forget()
    assert here.resolve(DATASET).commit == first and forms(hub) == [EXPAND]


def test_a_new_commit_whose_listing_does_not_come_is_not_taken_for_the_old_one(hub, here):
    here.change(timeout=0.2)
    add(hub)
    here.resolve(DATASET)
    second = add(hub, readme=b"two")
    hub.fault(match=r"blobs=true", hang=True)
    here.forget()
    found = here.resolve(DATASET)
    assert (found.commit, found.authority) == (second, Authority.HUB)
    assert not found.tree.files and not found.tree.complete


def test_a_listing_that_fails_is_no_reason_to_go_on_with_the_old_one(hub, here):
    add(hub)
    here.resolve(DATASET)
    second = add(hub, readme=b"two")
    hub.fault(match=r"blobs=true", status=503)
    here.forget()
    found = here.resolve(DATASET)
    assert found.commit == second and not found.tree.files


@pytest.mark.parametrize(
    ("mirror", "questions"),
    [
        (Mirror(expand="refused"), [EXPAND, LISTING]),
        (Mirror(expand="ignored"), [EXPAND]),
        (Mirror(query=False), [LISTING]),
    ],
    ids=str,
)
def test_a_mirror_that_does_not_know_the_question(here, mirror, questions):
    with LocalHub(mirror=Mirror()) as hub:
        here.point_at(hub)
        commit = add(hub)
        here.resolve(DATASET)
        hub.mirror = mirror
        asked(hub)
        here.forget()
        found = here.resolve(DATASET)
        assert (found.commit, found.authority, len(found.tree.files)) == (commit, Authority.HUB, 1500)
        assert mirror.query is False or forms(hub) == questions


def test_a_repo_that_is_closed_meanwhile(hub, here):
    commit = add(hub)
    assert here.resolve(DATASET).public is True
    hub.repos["datasets", ID].meta["private"] = True
    here.forget()
    found = here.resolve(DATASET)
    assert (found.commit, found.authority, found.public) == (commit, Authority.STORE, False)
    assert known_access(here.store, DATASET) is False


def test_a_repo_that_is_gated_meanwhile(hub, here):
    add(hub)
    assert here.resolve(DATASET).public is True
    hub.repos["datasets", ID].meta["gated"] = "manual"
    here.forget()
    assert here.resolve(DATASET).public is False
    assert known_access(here.store, DATASET) is False


def test_a_hub_that_is_away(hub, here):
    commit = add(hub)
    here.make_present(here.resolve(DATASET), "README.md")
    hub.fault(status=503)
    asked(hub)
    here.forget()
    assert here.resolve(DATASET).commit == commit
    assert forms(hub) == [EXPAND]  # it is down: not asked twice
    here.forget()
    with pytest.raises(Unresolved):
        here.resolve(DATASET, "other")


@pytest.fixture
def huge(hub, here):
    """The commit of a repo with more files than the Hub lists for certain; its README is here."""
    commit = add(hub, count=LISTED_WHOLE + 1)
    here.change(timeout=20.0)
    found = here.resolve(DATASET)
    assert not found.tree.complete and len(found.tree.files) == LISTED_WHOLE + 1
    here.make_present(found, "README.md")
    here.change(timeout=1.0)
    here.forget()
    asked(hub)
    return commit


def test_of_a_huge_listing_what_it_has_is_used(huge, hub, here):
    found = here.resolve(DATASET)
    [(path, size)] = asked(hub)
    assert EXPAND in path and size < 1000 and found.commit == huge
    assert here.make_present(found, "data/part-000007.parquet")
    assert here.resolve(DATASET, huge).tree == found.tree and not asked(hub)  # a commit does not change
    hub.fault(status=503)
    here.forget()
    assert here.make_present(here.resolve(DATASET), "README.md")


def test_of_a_huge_listing_what_it_lacks_is_not_missing(huge, hub, here):
    storage = StorageWrapper(here.settings)
    found = here.resolve(DATASET)
    for _ in range(2):
        found, missing, unknown = storage.look_up(found, ["README.md", "other.csv"], token=None, local_only=False)
        assert (missing, unknown) == (set(), ["other.csv"])
