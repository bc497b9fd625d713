"""What the Hub's client downloads for us: two loads at once, a bad answer, a Hub that is silent or slow."""

import os
import threading
import time

import pytest
from huggingface_hub import constants

from ipfs_accelerate_py.fetch import health
from ipfs_accelerate_py.fetch.sources.hub import Hub
from ipfs_accelerate_py.stats import stats
from ipfs_accelerate_py.store import layout, partial
from tests.support.fault_server import FaultProxy, FolderServer
from tests.support.in_process import write_repo

pytestmark = pytest.mark.lines
REPO, OTHER = "acme/model", "acme/copy"
WEIGHTS = os.urandom(4_000_000)
FILES = {"config.json": b'{"a": 1}', "vocab.txt": b"one\ntwo\n", "model.safetensors": WEIGHTS}


@pytest.fixture
def hub(serve_repos):
    return serve_repos(dict.fromkeys((REPO, OTHER), FILES), lfs_threshold=1 << 20)


@pytest.fixture
def mirror(tmp_path, hub, here):
    """A mirror that holds REPO, and that this machine knows."""
    commit = hub.repos["models", REPO].refs["main"]
    write_repo(tmp_path / "mirror", layout.snapshot_path(REPO, commit), FILES)
    with FolderServer(tmp_path / "mirror") as server:
        here.change(mirrors=(server.url,))
        yield server


def test_two_repos_with_one_file_in_xet_at_once(hub, here, monkeypatch):
    """huggingface_hub 2.x lets all repos of a cache share such a file; neither may take it from the other."""
    hub.xet = True
    both = threading.Barrier(2)
    download = Hub._download

    def download_both(source, *wanted):
        found = download(source, *wanted)
        both.wait(60)  # so each has it before either takes it over
        return found

    monkeypatch.setattr(Hub, "_download", download_both)
    errors = []

    def load(repo):
        try:
            here.make_present(resolved[repo], "model.safetensors")
        except Exception as error:
            errors.append(error)

    resolved = {repo: here.resolve(repo) for repo in (REPO, OTHER)}
    threads = [threading.Thread(target=load, args=(repo,)) for repo in resolved]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert errors == []
    assert stats().served["hub"] == [2, 2 * len(WEIGHTS)] and len(here.blobs()) == 2


def test_what_the_client_downloaded_and_somebody_removed_is_asked_for_again(hub, here, monkeypatch):
    download, calls = Hub._download, []

    def download_and_lose(source, *wanted):
        calls.append(download(source, *wanted))
        if len(calls) == 1:
            calls[0].unlink()
        return calls[-1]

    monkeypatch.setattr(Hub, "_download", download_and_lose)
    here.make_present(here.resolve(REPO), "model.safetensors")
    assert len(calls) == 2 and here.visible() == {"model.safetensors": WEIGHTS}


def leave_part(here, entry, content):
    """A part of a blob, whose writer is dead."""
    blobs = here.store.path(layout.blob_path(REPO, entry.etag)).parent
    blobs.mkdir(parents=True, exist_ok=True)
    (blobs / f"{partial.prefix(entry.etag).replace(str(os.getpid()), '4194305')}abcd.incomplete").write_bytes(content)


def weights_from(hub):
    return sum(row["bytes"] for row in hub.log if row["method"] == "GET" and row["origin"] == "cdn")


def test_one_bad_answer_is_no_reason_to_ask_for_the_whole(hub, here):
    resolution = here.resolve(REPO)
    leave_part(here, resolution.tree.files["model.safetensors"], WEIGHTS[:3_000_000])
    hub.fault(match="GET .*resolve.*model.safetensors", status=500, times=1)
    here.make_present(resolution, "model.safetensors")
    assert here.visible()["model.safetensors"] == WEIGHTS
    assert weights_from(hub) == 1_000_000


def test_who_rests_is_asked_beside_a_hub_that_hangs(hub, mirror, here):
    with FaultProxy(hub.endpoint) as proxy:
        here.point_at(type("Proxied", (), {"endpoint": proxy.url}))
        resolution = here.resolve(REPO)
        proxy.set_fault("hangs", "/resolve/")
        health.note_silence(f"mirror {mirror.url}")
        here.make_present(resolution, "config.json")
        asked = [row for row in proxy.log if "/resolve/" in row["path"]]
        proxy.set_fault()  # the Hub's client, which was not stopped, need not wait any longer
    assert len(asked) == 1, "the Hub was asked, and its client had not given up the first time"
    assert stats().served == {"mirror": [1, len(FILES["config.json"])]}


def test_a_hub_that_gives_bytes_is_not_raced(hub, mirror, here, monkeypatch):
    """It takes several times as long as a silent one is given."""
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1 << 16)  # so that its part is seen to grow
    hub.bandwidth = 700_000
    health.note_down(f"mirror {mirror.url}")
    began = time.monotonic()
    here.make_present(here.resolve(REPO), "model.safetensors")
    assert time.monotonic() - began > 4 * here.settings.timeout
    assert mirror.log == [] and stats().served == {"hub": [1, len(WEIGHTS)]}


def test_a_hub_is_given_the_time_that_its_client_needs_for_one_piece(hub, mirror, here):
    """Of a piece nothing is seen on the disk before it is whole: 10 MB, or the file."""
    hub.bandwidth = 1_000_000
    here.change(timeout=0.5)
    health.note_down(f"mirror {mirror.url}")
    here.make_present(here.resolve(REPO), "model.safetensors")
    assert mirror.log == []
