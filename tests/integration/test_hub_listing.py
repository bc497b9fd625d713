"""The Hub's listing of a commit: what `model_info` gives, and never more than a listing can be."""

import time

import huggingface_hub
import pytest
from huggingface_hub.errors import RepositoryNotFoundError

from ipfs_accelerate_py.errors import Unresolved
from ipfs_accelerate_py.hub import listing
from ipfs_accelerate_py.hub.breaker import is_hub_breaker_open
from ipfs_accelerate_py.hub.client import ask_commit
from ipfs_accelerate_py.repo import KINDS, Repo
from ipfs_accelerate_py.session import session
from tests.support.fault_server import FaultProxy
from tests.support.in_process import write_repo

REPO = "acme/model"
pytestmark = pytest.mark.lines


@pytest.fixture
def hub(serve_repos):
    files = {"config.json": b"{}", "model.safetensors": b"x" * 3_000_000, "имя.txt": b""}
    return serve_repos({REPO: files, f"datasets/{REPO}": files, f"spaces/{REPO}": files}, lfs_threshold=1 << 20)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("revision", [None, "main", "feature/with slash"])
def test_it_is_what_the_clients_own_function_says(hub, revision, kind):
    repo = hub.repos[f"{kind}s", REPO]
    repo.refs["feature/with slash"] = repo.refs["main"]
    ours = listing.ask_info(Repo(kind, REPO), revision, False, 10)
    theirs = huggingface_hub.HfApi(endpoint=hub.endpoint).repo_info(
        REPO, revision=revision, repo_type=kind, files_metadata=True, token=False
    )
    assert type(ours) is type(theirs)
    said, theirs_said = vars(ours), vars(theirs)
    rows, their_rows = said.pop("siblings"), theirs_said.pop("siblings")
    assert said == theirs_said
    assert [(row.rfilename, row.size, row.blob_id, row.lfs and row.lfs["sha256"]) for row in rows] == [
        (row.rfilename, row.size, row.blob_id, row.lfs and row.lfs.sha256) for row in their_rows
    ]
    assert {bool(row.lfs) for row in rows} == {False, True}
    ours_row, theirs_row = hub.log[-2:]
    assert ours_row["path"].partition("?")[0] == theirs_row["path"].partition("?")[0]


def test_its_errors_are_the_clients(hub):
    with pytest.raises(RepositoryNotFoundError, match="none"):
        listing.ask_info(Repo("model", "acme/none"), None, False, 10)
    hub.fault(status=500, message="the reason why", times=1)
    with pytest.raises(huggingface_hub.errors.HfHubHTTPError, match="the reason why"):
        listing.ask_info(Repo("model", REPO), None, False, 10)


@pytest.mark.parametrize(
    "fault", ["never ends", "gzip bomb", "garbage in place of JSON", "HTML error page with status 200"]
)
def test_an_answer_that_is_none_is_not_read_on(hub, here, monkeypatch, fault):
    monkeypatch.setattr(listing, "MAX_BYTES", 4 << 20)
    with FaultProxy(hub.endpoint) as proxy:
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", proxy.url)
        proxy.set_fault(fault)
        started = time.monotonic()
        with pytest.raises(Unresolved) as caught:
            ask_commit(REPO, "main", False, 10)
        assert not caught.value.answered
        assert time.monotonic() - started < 8
        assert proxy.sent < 40 << 20


def test_what_a_slow_hub_says_later_counts_at_the_next_load(hub, here, tmp_path):
    """It is slower than the 0.4 s that it has while all is here, and is not left alone for that."""
    old = here.resolve(REPO).commit
    write_repo(tmp_path / "models", REPO, {"config.json": b'{"new": 1}'})
    hub.scan()
    here.forget()
    hub.fault(latency=0.7)
    assert here.resolve(REPO).commit == old
    deadline = time.monotonic() + 10
    while here.store.read_ref(REPO, "main") == old or is_hub_breaker_open():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    hub.faults.clear()
    session.reset()
    found = here.resolve(REPO)
    assert (found.according_to, found.commit == old) == ("hub", False)
