"""A large file of which nothing is known, on a machine that only the Hub can give it: no request more than plain's."""

from __future__ import annotations

import hashlib
import json
import os
import time

import pytest

from ipfs_accelerate_py.hub.client import logs_downloads
from tests.support.machine import Machine

from .conftest import FILES, MODEL, WEIGHTS, disk_usage

pytestmark = pytest.mark.lines

OTHER = "weights.gguf"
BYTES = f'say("bytes", lambda: open(hf_hub_download(MODEL, "{WEIGHTS}"), "rb").read().hex())\n'
SIZE = len(FILES[f"{MODEL}/{WEIGHTS}"])
ONE, TWO, SMALL = f"(MODEL, {WEIGHTS!r})", f"(MODEL, {OTHER!r})", '(MODEL, "config.json")'
IN_TURN = {
    "a file": [ONE],
    "two files": [ONE, TWO],
    "a large one and a small one": [ONE, SMALL],
    "a small one and a large one": [SMALL, ONE],
    "twice": [ONE, ONE],
    "in a folder": ['(MODEL, "weights.safetensors", subfolder="unet")'],
    "anew": [ONE[:-1] + ", force_download=True)"],
    "with a cache_dir": [ONE[:-1] + ', cache_dir="mine")', TWO[:-1] + ', cache_dir="mine")'],
    "of a branch": [ONE[:-1] + ', revision="main")', TWO],
    "of a dataset": ['("org/data", "large.parquet", repo_type="dataset")'],
    "that is missing": ['(MODEL, "nope.bin")', ONE],
    "of nobody's repo": ['("org/nope", "model.bin")'],
    "of a closed repo": ['("org/closed", "model.bin")', '("org/closed", "model.bin", token="hf_test")'],
    "after its repo was asked about": ["info", ONE, TWO],
    "after a listing": ["ls", TWO],
    "that git holds": ['(MODEL, "tiny.bin")'],
}


@pytest.fixture(autouse=True)
def more_files(repos, hub):
    for path, data in {f"{MODEL}/{OTHER}": b"GGUF" * 9000, f"{MODEL}/tiny.bin": b"1"}.items():
        (repos / path).write_bytes(data)
    (repos / "datasets/org/data/large.parquet").write_bytes(b"PAR1" * 9000)
    closed = repos / "org" / "closed"
    closed.mkdir()
    (closed / "model.bin").write_bytes(b"12345678" * 9000)
    (closed / "hub.json").write_text(json.dumps({"private": True}))
    hub.scan()


def program(calls: list[str]) -> str:
    special = {"info": "bool(HfApi().model_info(MODEL))", "ls": "len(HfFileSystem().ls(MODEL, recursive=True))"}
    one = "__import__('hashlib').md5(open(hf_hub_download{}, 'rb').read()).hexdigest()"
    return "".join(
        f'say("{number}", lambda: {special.get(call) or one.format(call)})\n' for number, call in enumerate(calls)
    )


def requests(hub) -> int:
    return sum(row["path"].startswith(("/api", "/org", "/datasets")) for row in hub.log)


@pytest.mark.parametrize("name", IN_TURN)
def test_no_request_more_than_plain_makes_and_the_same_outcome(run, machine, hub, tmp_path, name):
    plain, code, seen = Machine(tmp_path / "plain", hub=hub), program(IN_TURN[name]), {}

    for each in (plain, machine):
        hub.log.clear()
        found = run(code, on=each, hooked=each is machine, HF_HUB_DISABLE_PROGRESS_BARS="1")
        outcome = [(value[0], value[2]) if isinstance(value, list) else value for value in found.values()]
        seen[each] = outcome, requests(hub)

    more = 1 if SMALL in IN_TURN[name] and logs_downloads() else 0  # see docs/limits.md
    assert seen[machine][0] == seen[plain][0]
    assert seen[machine][1] <= seen[plain][1] + more, [f"{row['method']} {row['path']}" for row in hub.log]


def test_the_store_has_it_too_once_on_disk_and_it_loads_when_the_hub_is_gone(run, machine, hub):
    run(BYTES)
    hub.stop()

    found = run(BYTES + 'say("path", lambda: hf_hub_download(MODEL, WEIGHTS))\n')

    assert bytes.fromhex(found["bytes"]) == FILES[f"{MODEL}/{WEIGHTS}"]
    assert [file.stat().st_size for file in machine.store.rglob("snapshots/*/unet/*")] == [SIZE]
    assert os.path.samefile(next(machine.store.rglob("snapshots/*/unet/*")), found["path"])
    assert disk_usage(machine.cache, machine.store) < 1.01 * SIZE + 20_000


@pytest.mark.parametrize("times", [2, -1], ids=["once", "always"])
def test_a_flipped_byte_does_not_come_out_and_does_not_stay(run, machine, hub, times):
    hub.fault(match=r"^GET .*(weights|cdn|blob)", corrupt=500_000, times=times)  # asked for with a redirect

    found = run(BYTES)

    if times == 2:
        assert bytes.fromhex(found["bytes"]) == FILES[f"{MODEL}/{WEIGHTS}"]
    else:
        assert found["bytes"][0] == "VerificationError"
        assert not [file for file in machine.home.rglob("*") if file.is_file() and file.stat().st_size == SIZE]


def test_a_download_that_was_killed_goes_on_where_it_was(run, repos, machine, hub):
    data = os.urandom(1 << 20) * 24  # the client writes 10 MB at a time
    (repos / MODEL / "whole.bin").write_bytes(data)
    hub.scan()
    fault = hub.fault(match=r"^GET .*(whole|cdn|blob)", stall=22 << 20)
    killed = machine.start('from huggingface_hub import hf_hub_download\nhf_hub_download("org/model", "whole.bin")\n')
    while not [file for file in machine.cache.rglob("*.incomplete") if file.stat().st_size >= 10_000_000]:
        assert killed.poll() is None
        time.sleep(0.05)
    killed.kill()
    killed.communicate()
    hub.faults.remove(fault)
    hub.log.clear()

    digest = "__import__('hashlib').md5(open(hf_hub_download(MODEL, 'whole.bin'), 'rb').read()).hexdigest()"
    assert run(f'say("md5", lambda: {digest})')["md5"] == hashlib.md5(data).hexdigest()
    assert sum(row["bytes"] for row in hub.log) < len(data) - 9_000_000


SOURCES = {
    "a mirror": {"IPFS_ACCELERATE_MIRRORS": "local:///nowhere"},
    "a gateway": {"IPFS_ACCELERATE_GATEWAYS": "http://127.0.0.1:9"},
    "a publisher": {"IPFS_ACCELERATE_PUBLISHERS": "swarm"},
    "a node": {"IPFS_ACCELERATE_NODE": "/ip4/127.0.0.1/tcp/9"},
    "another cache": {"IPFS_ACCELERATE_LOWER": "/nowhere"},
    "no sharing": {"IPFS_ACCELERATE_SHARE": "off"},
}


@pytest.mark.parametrize("source", SOURCES)
def test_where_another_may_give_it_the_listing_is_asked_for_first(run, hub, source):
    """Others are asked by the file's hash."""
    found = run(BYTES, **SOURCES[source])

    assert bytes.fromhex(found["bytes"]) == FILES[f"{MODEL}/{WEIGHTS}"]
    assert hub.log[0]["path"].startswith("/api/models/org/model")


def test_bytes_that_only_the_store_has_are_not_downloaded_again(run, repos, hub):
    """Of a commit that has since been followed by another, which this machine does not know."""
    first = run('say("commit", lambda: HfApi().model_info(MODEL).sha)\n' + BYTES, IPFS_ACCELERATE_SHARE="off")
    (repos / MODEL / "config.json").write_bytes(b"{}")
    hub.scan()
    hub.log.clear()

    second = hub.repos["models", MODEL].refs["main"]
    found = run(f'say("bytes", lambda: os.path.getsize(hf_hub_download(MODEL, WEIGHTS, revision="{second}")))')

    assert (first["commit"] != second, found["bytes"]) == (True, SIZE)
    assert sum(row["bytes"] for row in hub.log) < SIZE
