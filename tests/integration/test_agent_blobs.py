"""An agent gives the blobs of its store, and nothing else that is on the disk."""

import contextlib
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ipfs_accelerate_py.errors import SourceError
from ipfs_accelerate_py.store.store import Store
from tests.support.agent import AgentProcess

from .agents import (
    CONTENT,
    ENTRY,
    OPEN,
    Taken,
    blob,
    body_of,
    connect,
    entry_of,
    fill,
    folder_of,
    send,
    signed,
    status_of,
    target,
)

LARGE = 96 << 20  # more than sockets hold


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    folder = tmp_path_factory.mktemp("agent")
    with AgentProcess(folder / "store", patience=2.0, caches=(folder / "cache",)) as running:
        fill(running.store)
        yield running


def get(agent, path, headers=""):
    return send(agent.url, signed("GET", path, headers=headers))


def header(answer, name):
    head = answer.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    return next((line.partition(": ")[2] for line in head if line.lower().startswith(f"{name.lower()}:")), None)


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


# -- while it is given --------------------------------------------------------------------------------------------
@pytest.fixture
def large(agent):
    etag = "3" * 64
    path = blob(agent.store, OPEN, etag)
    with path.open("wb") as file:
        file.truncate(LARGE)
    yield path, target(OPEN, etag, LARGE)
    path.unlink(missing_ok=True)


def begin(agent, path):
    """A connection over which a large file comes, of which a little was read."""
    connection = connect(agent.url)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    connection.sendall(signed("GET", path))
    assert status_of(connection.recv(1000)) == 200
    return connection


def drain(connection):
    """The bytes that come, and whether the connection was reset."""
    size = 0
    with connection:
        try:
            while data := connection.recv(1 << 20):
                size += len(data)
        except ConnectionResetError:
            return size, True
    return size, False


@pytest.mark.parametrize("change", ["shorter", "longer", "written to", "gone"])
def test_a_file_that_changes_meanwhile_is_never_ended_well(agent, large, change):
    path, wanted = large
    connection = begin(agent, wanted)
    time.sleep(0.2)
    if change == "shorter":
        os.truncate(path, LARGE // 2)
    elif change == "longer":
        os.truncate(path, LARGE + 1)
    elif change == "written to":
        with path.open("r+b") as file:
            file.write(b"x")
    else:
        path.unlink()  # its bytes are still the right ones
    size, reset = drain(connection)
    if change == "gone":
        assert size > LARGE - 1000
    else:
        assert size < LARGE - 1000 and (reset or size < LARGE)


def test_one_that_is_never_read_is_cut_off(agent, large):
    connection = begin(agent, large[1])
    time.sleep(4)
    assert drain(connection)[0] < LARGE - 1000
    assert agent.client().post(agent.local, "/fleet/1/status", {})["streams"] == 0


def test_64_at_once_and_no_more(agent, large):
    with contextlib.ExitStack() as stack:
        for _ in range(64):
            stack.enter_context(begin(agent, large[1]))
        answer = get(agent, large[1])
        assert status_of(answer) == 503 and header(answer, "Retry-After") == "1"
        with pytest.raises(SourceError, match="busy"):
            agent.client().copy(agent.url, large[1], Taken(), LARGE, "it")
        assert status_of(send(agent.url, signed("HEAD", target()))) == 200
        assert agent.client().post(agent.local, "/fleet/1/status", {})["streams"] == 64
    deadline = time.monotonic() + 5
    while status_of(get(agent, target())) != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_many_clients_at_once_get_the_same(agent):
    client, barrier = agent.client(), threading.Barrier(32)

    def fetch(number):
        barrier.wait()
        taken = Taken(CONTENT[: number * 1000])
        client.copy(agent.url, target(), taken, ENTRY.size, "it")
        return taken.data == CONTENT

    with ThreadPoolExecutor(32) as pool:
        assert all(pool.map(fetch, range(32)))
    given = client.post(agent.local, "/fleet/1/status", {})["given"]
    assert sum(given[client.signer.peer].values()) >= 32 * (ENTRY.size - 32_000)
