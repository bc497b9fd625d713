"""An agent gives the blobs of its store, and nothing else that is on the disk."""

import contextlib
import os

import pytest

from ipfs_accelerate_py.store.store import Store
from tests.support.agent import AgentProcess

from .agents import (
    CONTENT,
    ENTRY,
    OPEN,
    Taken,
    blob,
    body_of,
    entry_of,
    fill,
    folder_of,
    get,
    header,
    send,
    signed,
    status_of,
    target,
)


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    folder = tmp_path_factory.mktemp("agent")
    with AgentProcess(folder / "store", caches=(folder / "cache",)) as running:
        fill(running.store)
        yield running


# -- what is given ------------------------------------------------------------------------------------------------
def test_head_tells_and_gives_nothing(agent):
    answer = send(agent.url, signed("HEAD", target()))
    assert status_of(answer) == 200 and body_of(answer) == b""
    assert header(answer, "Content-Length") == str(ENTRY.size) and header(answer, "Fleet-State") == "whole"
    assert agent.client().head(agent.url, target())["Fleet-State"] == "whole"


@pytest.mark.parametrize("at", [0, 1, 1_000_000, ENTRY.size - 1, ENTRY.size])
def test_a_writer_goes_on_where_it_is(agent, tmp_path, at):
    store = Store(tmp_path)
    with store.receive(OPEN, ENTRY) as writer:
        writer.write(CONTENT[:at])
        agent.client().copy(agent.url, target(), writer, ENTRY.size, "it")
        writer.finish(blob(store))
    assert blob(store).read_bytes() == CONTENT


RANGES = {
    "bytes=0-": (0, ENTRY.size),
    "bytes=7-": (7, ENTRY.size),
    "bytes=0-0": (0, 1),
    "bytes=100-199": (100, 200),
    f"bytes={ENTRY.size - 1}-": (ENTRY.size - 1, ENTRY.size),
    f"bytes={ENTRY.size - 5}-{ENTRY.size + 5}": (ENTRY.size - 5, ENTRY.size),
    "bytes=0-999999999999999999": (0, ENTRY.size),
}


@pytest.mark.parametrize("text", RANGES)
def test_ranges(agent, text):
    first, end = RANGES[text]
    answer = get(agent, target(), f"Range: {text}\r\n")
    assert status_of(answer) == 206 and body_of(answer) == CONTENT[first:end]
    assert header(answer, "Content-Range") == f"bytes {first}-{end - 1}/{ENTRY.size}"
    assert header(answer, "Content-Length") == str(end - first)


@pytest.mark.parametrize("text", [f"bytes={ENTRY.size}-", f"bytes={ENTRY.size}-{ENTRY.size}", "bytes=99999999999-"])
def test_ranges_beyond_the_file(agent, text):
    answer = get(agent, target(), f"Range: {text}\r\n")
    assert status_of(answer) == 416 and body_of(answer) == b""
    assert header(answer, "Content-Range") == f"bytes */{ENTRY.size}"


@pytest.mark.parametrize(
    "text",
    [
        "bytes=-5",
        "bytes=5-2",
        "bytes=0-1,3-4",
        "lines=1-2",
        "bytes=",
        "bytes=a-b",
        "bytes=1",
        "bytes=٣-",
        "bytes=1-" + "9" * 30,
    ],
)
def test_other_ranges_are_the_whole(agent, text):
    request = signed("GET", target()).replace(b"Connection", f"Range: {text}\r\nConnection".encode())
    answer = send(agent.url, request)
    assert status_of(answer) == 200 and body_of(answer) == CONTENT


def test_an_empty_blob(agent):
    empty = entry_of(b"")
    blob(agent.store, OPEN, empty.etag).write_bytes(b"")
    for method in ("GET", "HEAD"):
        answer = send(agent.url, signed(method, target(OPEN, empty.etag, 0)))
        assert status_of(answer) == 200 and body_of(answer) == b""
    taken = Taken()
    agent.client().copy(agent.url, target(OPEN, empty.etag, 0), taken, 0, "it")
    assert not taken.data


# -- what is not --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", [0, 1, ENTRY.size - 1, ENTRY.size + 1, 10**17])
def test_of_another_size_it_is_not_here(agent, size):
    assert status_of(get(agent, target(size=size))) == 404


@pytest.mark.parametrize(
    "query", ["", "?size=", "?size=-1", "?size=1e6", "?size=%D9%A3", "?size=" + "9" * 40, "?length=5"]
)
def test_without_a_size(agent, query):
    assert status_of(get(agent, target().partition("?")[0] + query)) == 400


FOLDER = folder_of(OPEN)
NAMES = [
    f"{FOLDER}/{'0' * 64}",
    f"{FOLDER}/{'0' * 40}",
    f"{FOLDER}/{ENTRY.etag.upper()}",
    f"{FOLDER}/{ENTRY.etag[:-1]}",
    f"{FOLDER}/{ENTRY.etag}%00",
    f"{FOLDER}/{ENTRY.etag}%0a",
    f"{FOLDER}/..%2fblobs%2f{ENTRY.etag}",
    f"{FOLDER}%2fblobs/{ENTRY.etag}",
    f"{FOLDER}/../{FOLDER}/{ENTRY.etag}",
    f"{FOLDER}//{ENTRY.etag}",
    f"{FOLDER}/main",
    f"{FOLDER}/..%2f..%2f.fleet%2fswarm.key",
    f"..%2fstore%2f{FOLDER}/{ENTRY.etag}",
    f"./{FOLDER}/{ENTRY.etag}",
    "..%2f..%2f..%2fetc/passwd",
    ".fleet/swarm.key",
    ".locks/ipfs_accelerate",
    f"models--org--../{ENTRY.etag}",
    f"models--/{ENTRY.etag}",
    f"MODELS--org--open/{ENTRY.etag}",
    f"spaces--org--open/{ENTRY.etag}",
    f"models--org--open--/{ENTRY.etag}",
    f"models--org--open%5c/{ENTRY.etag}",
    f"%6dodels--org--{'x' * 5000}/{ENTRY.etag}",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("site", ["members", "local"])
def test_no_other_name_leads_to_a_file(agent, name, site):
    path = f"/fleet/1/blobs/{name}?size={ENTRY.size}"
    answer = send(agent.url if site == "members" else agent.local, signed("GET", path))
    assert status_of(answer) in (403, 404) and body_of(answer) == b""


def test_an_escaped_name_is_the_same_name(agent):
    assert body_of(get(agent, f"/fleet/1/blobs/%6d{FOLDER[1:]}/{ENTRY.etag}?size={ENTRY.size}")) == CONTENT


@pytest.fixture
def lay(agent):
    """`lay(make)`: let `make(path)` put something in the place of a blob; returns what the agent answers for it."""
    path = blob(agent.store, OPEN, "1" * 64)

    def put(make):
        with contextlib.suppress(FileNotFoundError):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        make(path)
        return get(agent, target(OPEN, "1" * 64))

    yield put
    path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def test_links_lead_to_the_store_or_to_a_cache_of_the_settings(agent, lay, tmp_path):
    ours, outside = blob(agent.store), tmp_path / "outside"
    cached = agent.store.root.parent / "cache" / "models--a--b" / "blobs" / ("2" * 64)
    cached.parent.mkdir(parents=True, exist_ok=True)
    for path in (outside, cached):
        path.write_bytes(CONTENT)
    allowed = {
        "a hard link": lambda path: os.link(ours, path),
        "below the store": lambda path: path.symlink_to(ours),
        "relative": lambda path: path.symlink_to(os.path.relpath(ours, path.parent)),
        "a cache": lambda path: path.symlink_to(cached),
        "twice": lambda path: path.symlink_to(link(tmp_path, cached)),
    }
    refused = {
        "outside": lambda path: path.symlink_to(outside),
        "through a cache": lambda path: path.symlink_to(link(cached.parent, outside)),
        "nowhere": lambda path: path.symlink_to(tmp_path / "nowhere"),
        "itself": lambda path: path.symlink_to(path),
        "a folder": lambda path: path.mkdir(),
        "a pipe": os.mkfifo,
        "a device": lambda path: path.symlink_to("/dev/zero"),
    }
    for name, make in allowed.items():
        assert body_of(lay(make)) == CONTENT, name
    for name, make in refused.items():
        assert status_of(lay(make)) == 404, name


def link(folder, to):
    made = folder / f"link-{os.urandom(4).hex()}"
    made.symlink_to(to)
    return made


def test_a_repo_whose_folder_leads_elsewhere(agent, tmp_path):
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / ENTRY.etag).write_bytes(CONTENT)
    (agent.store.root / "models--org--elsewhere").symlink_to(tmp_path)
    assert status_of(send(agent.local, signed("GET", target("org/elsewhere")))) == 404
