"""Files that git holds: asked for without the client's question before them; what goes wrong is the client's to say.

Only with the newer client: the log of the older one tells of each download, which is then left to it.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace

import pytest
from huggingface_hub import constants

from ipfs_accelerate_py.errors import Unavailable, VerificationError
from ipfs_accelerate_py.hub.client import logs_downloads
from ipfs_accelerate_py.stats import stats
from tests.support.local_hub import Mirror

with_both_lines = pytest.mark.lines
REPO = "acme/model"
VOCAB = bytes(range(256)) * 1200
FILES = {"config.json": b'{"a": 1}', "empty.txt": b"", "deep/vocab.txt": VOCAB, "model.safetensors": b"weights" * 99}
OF_GIT = [path for path in FILES if not path.endswith((".safetensors", "empty.txt"))]


@pytest.fixture
def hub(serve_repos):
    return serve_repos({REPO: FILES})


def asked(hub):
    """The requests for files, without those of the API."""
    return [f"{row['method']} {row['status']}" for row in hub.log if "/resolve/" in row["path"]]


@pytest.mark.parametrize("path", OF_GIT)
def test_one_request(hub, here, path):
    here.make_present(here.resolve(REPO), path)
    assert asked(hub) == ["GET 200"] and here.visible() == {path: FILES[path]}
    assert stats().served["hub"] == [1, len(FILES[path])]


def test_a_file_without_a_byte_is_made_of_its_listing(hub, here):
    here.make_present(here.resolve(REPO), "empty.txt")
    assert asked(hub) == [] and here.visible() == {"empty.txt": b""}


def test_an_empty_file_of_a_closed_repo_is_asked_for(hub, here):
    here.make_present(replace(here.resolve(REPO), public=None), "empty.txt")
    assert asked(hub) == ["GET 200"] and here.visible() == {"empty.txt": b""}


@with_both_lines
def test_what_is_said_to_be_empty_and_has_a_hash_of_something_is_not_made(hub, here):
    resolution = here.resolve(REPO)
    lying = replace(resolution.tree.files["config.json"], size=0)
    tree = replace(resolution.tree, files={**resolution.tree.files, "config.json": lying})
    with pytest.raises((Unavailable, VerificationError)):
        here.make_present(replace(resolution, tree=tree), "config.json")
    assert here.visible() == {} and asked(hub)


@with_both_lines
def test_what_lfs_holds_is_asked_for_by_the_client(hub, here):
    here.make_present(here.resolve(REPO), "model.safetensors")
    assert asked(hub)[0].startswith("HEAD")


@with_both_lines
def test_a_client_that_logs_its_downloads_asks_itself(hub, here):
    here.make_present(here.resolve(REPO), "config.json")
    assert asked(hub) == (["HEAD 200", "GET 200"] if logs_downloads() else ["GET 200"])


def test_the_redirect_of_the_hub_is_followed(serve_repos, here):
    hub = serve_repos({REPO: FILES}, resolve_cache=True)
    here.make_present(here.resolve(REPO), "config.json")
    assert here.visible() == {"config.json": FILES["config.json"]}
    assert not [row for row in hub.log if row["method"] == "HEAD"]


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 429, "retry_after": 0},
        {"reset": True},
        {"truncate": 200_000},
        {"corrupt": 9},
        {"html": "<html>sign in</html>"},
    ],
    ids=str,
)
def test_one_bad_answer_is_got_over(hub, here, fault):
    hub.fault(match="GET .*vocab.txt", times=1, **fault)
    here.make_present(here.resolve(REPO), "deep/vocab.txt")
    assert here.visible() == {"deep/vocab.txt": VOCAB}


def test_what_came_before_a_connection_broke_is_kept(hub, here):
    hub.fault(match="GET .*vocab.txt", times=1, truncate=200_000)
    here.make_present(here.resolve(REPO), "deep/vocab.txt")
    got = [row["bytes"] for row in hub.log if row["method"] == "GET" and "vocab.txt" in row["path"]]
    assert here.visible() == {"deep/vocab.txt": VOCAB} and sum(got) < len(VOCAB) + 100_000


@with_both_lines
def test_wrong_bytes_are_asked_for_again_and_refused(hub, here):
    hub.fault(match="GET .*config.json", corrupt=3)
    with pytest.raises(VerificationError, match=r"config\.json"):
        here.make_present(here.resolve(REPO), "config.json")
    assert here.visible() == {} and asked(hub).count("GET 200") == 2


@with_both_lines
@pytest.mark.parametrize("lack", [{"commit": False}, {"etag": "none"}], ids=str)
def test_what_the_client_would_not_take_is_not_taken(serve_repos, here, lack):
    """A server without ETags is no Hub, and the client says so."""
    serve_repos({REPO: FILES}, cdn="none", mirror=Mirror(**lack))
    with pytest.raises(Unavailable) as caught:
        here.make_present(here.resolve(REPO), "config.json")
    assert caught.value.no_hub


@with_both_lines
def test_a_closed_repo_is_given_to_its_token_alone(acme_hub, here):
    resolution = here.resolve("acme/private", token="hf_alice")
    (path, *_) = [path for path, entry in resolution.tree.files.items() if not entry.sha256]
    with pytest.raises(Unavailable, match=r"40[1-4]"):
        here.make_present(resolution, path, token="hf_other")
    here.make_present(resolution, path, token="hf_alice")
    assert list(here.visible()) == [path]


@with_both_lines
def test_offline_the_client_decides(hub, here, monkeypatch):
    resolution = here.resolve(REPO)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with suppress(Unavailable):  # the older line looks at this setting once in a process
        here.make_present(resolution, "config.json")
    assert asked(hub)[:1] != ["GET 200"]


def test_a_hub_that_hangs_now_is_waited_for_once(hub, here, monkeypatch):
    """The client's own question after that gets a second; with a time of its own that is no longer than by default."""
    for name in ("DEFAULT_ETAG_TIMEOUT", "HF_HUB_ETAG_TIMEOUT"):
        monkeypatch.setattr(constants, name, 3)
    resolution = here.resolve(REPO)
    hub.fault(match="resolve", hang=True, times=2)
    began = time.monotonic()
    here.make_present(resolution, "config.json")
    assert 4.0 <= time.monotonic() - began < 5.9
    assert len(asked(hub)) >= 2
