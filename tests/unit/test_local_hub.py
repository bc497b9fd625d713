"""The loopback Hub, driven by the real huggingface_hub client."""

import contextlib
import hashlib
import http.client
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import errors

from tests.support.local_hub import LocalHub

BIG = hashlib.sha512(b"seed").digest() * 40_000  # 2.5 MB
REPO = "acme/big"
OPEN = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


@pytest.fixture
def hub(tmp_path):
    for name, meta in {
        "big": "{}",
        "gated": '{"gated": "manual", "allow": ["alice"]}',
        "private": '{"private": true, "allow": ["alice"]}',
    }.items():
        folder = tmp_path / "models" / "acme" / name
        (folder / "sub").mkdir(parents=True)
        (folder / "config.json").write_text('{"a": 1}')
        (folder / "sub" / "x.txt").write_text("x\n")
        (folder / "hub.json").write_text(meta)
    (tmp_path / "models" / REPO / "model.safetensors").write_bytes(BIG)
    with LocalHub(tmp_path / "models", tokens={"hf_alice": "alice", "hf_bob": "bob"}) as running:
        yield running


@pytest.fixture
def download(hub, tmp_path):
    def download(repo, name, **options):
        options = {"endpoint": hub.endpoint, "cache_dir": tmp_path / "cache", "token": False, **options}
        return Path(huggingface_hub.hf_hub_download(repo, name, **options))

    return download


def test_names_of_blobs_are_what_git_and_lfs_say(hub, download, tmp_path):
    small, big = download(REPO, "config.json"), download(REPO, "model.safetensors")
    git_id = subprocess.run(["git", "hash-object", small], capture_output=True, text=True, cwd=tmp_path).stdout.strip()
    assert small.resolve().name == git_id
    assert big.read_bytes() == BIG
    assert big.resolve().name == hashlib.sha256(BIG).hexdigest()
    api = huggingface_hub.HfApi(endpoint=hub.endpoint, token=False)
    assert sorted(api.list_repo_files(REPO)) == ["config.json", "model.safetensors", "sub/x.txt"]
    hub.page = 1
    assert len(list(api.list_repo_tree(REPO, recursive=True))) == 4


def test_commit_id_is_what_git_computes(hub, tmp_path):
    work = tmp_path / "work"
    (work / "sub").mkdir(parents=True)
    (work / "config.json").write_text('{"a": 1}')
    (work / "sub" / "x.txt").write_text("x\n")
    when = {"GIT_AUTHOR_DATE": "1700000000 +0000", "GIT_COMMITTER_DATE": "1700000000 +0000"}
    who = {
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (("NAME", "hub"), ("EMAIL", "hub@localhost"))
    }
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "initial commit"]):
        subprocess.run(["git", "-C", work, *command], env={**os.environ, **when, **who}, check=True)
    head = subprocess.run(["git", "-C", work, "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
    assert hub.repos["models", "acme/gated"].refs["main"] == head


def test_a_changed_folder_is_a_new_commit(hub, tmp_path, download):
    before = hub.repos["models", REPO].refs["main"]
    (tmp_path / "models" / REPO / "config.json").write_text('{"a": 2}')
    hub.scan()
    after = hub.repos["models", REPO].refs["main"]
    assert after != before
    assert download(REPO, "config.json", revision=before).read_text() == '{"a": 1}'
    assert download(REPO, "config.json").read_text() == '{"a": 2}'


def test_who_may_read_what(hub, download):
    with pytest.raises(errors.RepositoryNotFoundError):
        download("acme/nope", "config.json")
    with pytest.raises(errors.RepositoryNotFoundError):
        download("acme/private", "config.json")
    with pytest.raises(errors.RepositoryNotFoundError):
        download("acme/private", "config.json", token="hf_bob")
    with pytest.raises(errors.GatedRepoError):
        download("acme/gated", "config.json")
    with pytest.raises(errors.RevisionNotFoundError):
        download(REPO, "config.json", revision="nope")
    with pytest.raises(errors.EntryNotFoundError):
        download(REPO, "nope.txt")
    assert download("acme/private", "config.json", token="hf_alice")
    assert download("acme/gated", "config.json", token="hf_alice")
    assert not [row for row in hub.log if row["origin"] == "cdn" and row["auth"]]


def test_every_request_is_logged(hub, download):
    download(REPO, "config.json")
    assert [(row["method"], row["status"]) for row in hub.log] == [("HEAD", 200), ("GET", 200)]


UPLOAD = """
import huggingface_hub
api = huggingface_hub.HfApi()
api.create_repo("bob/mine")
for content in (b"1", b"2"):
    print(api.upload_file(path_or_fileobj=content, path_in_repo="x.txt", repo_id="bob/mine").oid)
"""


def test_upload_and_read_back(hub, download, tmp_path):
    # a process of its own: older clients take the endpoint of an upload only from the environment
    env = {**os.environ, **hub.env(token="hf_bob"), "HF_HOME": str(tmp_path / "home")}
    done = subprocess.run([sys.executable, "-c", UPLOAD], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.split()
    assert download("bob/mine", "x.txt", revision=first).read_text() == "1"
    assert download("bob/mine", "x.txt").read_text() == "2"
    assert hub.repos["models", "bob/mine"].refs["main"] == second


def test_a_corrupt_byte_is_believed_by_the_client(hub, download):
    hub.fault(match="GET .*_blob", corrupt=777, times=1)
    path = download(REPO, "model.safetensors")
    assert path.read_bytes() != BIG
    assert path.resolve().name == hashlib.sha256(BIG).hexdigest()


def test_status_fault_is_used_up(hub):
    hub.fault(match="config.json", status=503, times=1)
    url = f"{hub.endpoint}/{REPO}/resolve/main/config.json"
    with pytest.raises(urllib.error.HTTPError, match="503"):
        OPEN(url, timeout=5)
    assert OPEN(url, timeout=5).status == 200


def test_latency_and_bandwidth(hub, download):
    hub.fault(match="_blob", latency=0.2, bandwidth=10_000_000)
    start = time.monotonic()
    download(REPO, "model.safetensors")
    assert 0.4 < time.monotonic() - start < 15


def test_hang_answers_nothing(hub):
    hub.fault(match="config.json", hang=True)
    with pytest.raises(TimeoutError):
        OPEN(f"{hub.endpoint}/{REPO}/resolve/main/config.json", timeout=0.3)
    assert len(hub.log) == 1


def test_stall_sends_a_part_and_then_nothing(hub):
    hub.fault(match="_blob", stall=1000)
    answer = OPEN(f"{hub.endpoint}/{REPO}/resolve/main/model.safetensors", timeout=0.3)
    assert answer.read(1000) == BIG[:1000]
    with pytest.raises(TimeoutError):
        answer.read(1)


def test_stop_ends_what_hangs_and_what_is_kept_open(hub):
    hub.fault(match="config.json", hang=True)
    outcome = []

    def ask():
        try:
            OPEN(f"{hub.endpoint}/{REPO}/resolve/main/config.json", timeout=30)
        except OSError as error:
            outcome.append(error)

    asking = threading.Thread(target=ask)
    port = hub.servers[0].server_address[1]
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as kept_open:
        kept_open.request("HEAD", f"/{REPO}/resolve/main/model.safetensors")
        kept_open.getresponse().read()
        asking.start()
        while len(hub.log) < 2:
            time.sleep(0.01)
        hub.stop()
        asking.join(5)
        assert len(outcome) == 1
        assert kept_open.sock.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
