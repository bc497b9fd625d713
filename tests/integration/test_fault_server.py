"""The servers of the fault tests do to a client what they say that they do."""

import http.client
import os
import socket
import ssl
import time
import urllib.request

import pytest

from tests.support.fault_server import FAULTS, OTHER_BYTES, FaultProxy, FolderServer

CONTENT = os.urandom(200_000)


@pytest.fixture(params=["folder", "proxy"])
def server(request, tmp_path):
    folder = tmp_path / "models--acme--model" / "snapshots"
    folder.mkdir(parents=True)
    (folder / "weights.bin").write_bytes(CONTENT)
    cids = {"bafy": "models--acme--model/snapshots"}
    with FolderServer(tmp_path, cids) as folder_server:
        if request.param == "folder":
            yield folder_server
        else:
            with FaultProxy(folder_server.url) as proxy:
                yield proxy


def get(server, path="/models--acme--model/snapshots/weights.bin", timeout=1.0, **headers):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(server.url + path, headers={"Connection": "keep-alive", **headers})
    with opener.open(request, timeout=timeout) as answer:
        return answer.status, dict(answer.headers), answer.read()


PREFIXES = ["/models--acme--model/snapshots", "/ipns/k51/models--acme--model/snapshots", "/ipfs/bafy"]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_without_a_fault(server, prefix):
    assert get(server, f"{prefix}/weights.bin")[::2] == (200, CONTENT)
    status, headers, body = get(server, f"{prefix}/weights.bin", Range="bytes=5-99")
    assert (status, headers["Content-Range"], body) == (206, f"bytes 5-99/{len(CONTENT)}", CONTENT[5:100])
    assert get(server, f"{prefix}/weights.bin", Range="bytes=199999-")[2] == CONTENT[-1:]
    with pytest.raises(urllib.error.HTTPError):
        get(server, f"{prefix}/none.bin")
    with pytest.raises(urllib.error.HTTPError):
        get(server, "/../../../../../../../../etc/passwd")
    assert [row["bytes"] for row in server.log][:3] == [len(CONTENT), 95, 1]


ERRORS = {
    "refuses": ConnectionRefusedError,
    "hangs": TimeoutError,
    "stalls midway": TimeoutError,
    "cuts": http.client.IncompleteRead,
    "resets": ConnectionResetError,
    "TLS failure": ssl.SSLCertVerificationError,
}
STATUSES = {"500": 500, "503 with Retry-After": 503, "429": 429, "401": 401, "403": 403, "404": 404}
BODIES = {
    "one byte flipped": lambda body: len(body) == len(CONTENT) and sum(a != b for a, b in zip(body, CONTENT)) == 1,  # noqa: B905
    "another file's bytes": lambda body: body == OTHER_BYTES,
    "too short": lambda body: body == CONTENT[:-1],
    "too long": lambda body: body[: len(CONTENT)] == CONTENT and len(body) > len(CONTENT),
    "redirect to elsewhere": lambda body: body == OTHER_BYTES,
    "gzip it never asked for": lambda body: body[:2] == b"\x1f\x8b",
    "gzip bomb": lambda body: body[:2] == b"\x1f\x8b" and len(body) < 16 << 20,
    "HTML error page with status 200": lambda body: b"<html>" in body,
    "garbage in place of JSON": lambda body: body == OTHER_BYTES[:999],
    "range ignored": lambda body: body == CONTENT,
}


def test_each_fault_is_looked_at():
    assert {*ERRORS, *STATUSES, *BODIES, "slow drip", "never ends", "says too long"} == set(FAULTS)


def read_for(server, seconds, at_most):
    """What comes within a time, at most so many bytes. urllib's own budget is one of silence: a drip is not silent."""
    found, end = b"", time.monotonic() + seconds
    with socket.create_connection(("127.0.0.1", server.port), 1.0) as line:
        line.sendall(b"GET /models--acme--model/snapshots/weights.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        while time.monotonic() < end and len(found) < at_most:
            found += line.recv(1000)
    return found.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("name", ERRORS)
def test_a_client_meets_an_error(server, name):
    server.set_fault(name)
    with pytest.raises(OSError if name != "cuts" else http.client.HTTPException) as caught:
        get(server, timeout=0.5)
    assert isinstance(getattr(caught.value, "reason", caught.value), ERRORS[name]), caught.value
    server.set_fault()
    assert get(server)[2] == CONTENT


def test_a_slow_drip_and_one_that_never_ends_and_one_that_says_so(server):
    server.set_fault("slow drip")
    found = read_for(server, 0.5, 5000)
    assert CONTENT.startswith(found) and 3 < len(found) < 50
    server.set_fault("never ends")
    assert len(read_for(server, 5.0, 3_000_000)) > 2_000_000
    server.set_fault("says too long")
    with pytest.raises(TimeoutError):
        read_for(server, 2.0, 3_000_000)


@pytest.mark.parametrize("name", STATUSES)
def test_a_client_meets_a_status(server, name):
    server.set_fault(name)
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(server)
    assert caught.value.code == STATUSES[name]
    assert ("Retry-After" in caught.value.headers) == (name in ("503 with Retry-After", "429"))


@pytest.mark.parametrize("name", BODIES)
def test_a_client_meets_another_body(server, name):
    server.set_fault(name)
    range_ = {"Range": "bytes=5-99"} if name == "range ignored" else {}
    status, _, body = get(server, timeout=5.0, **range_)
    assert status == 200 and BODIES[name](body)
    assert [row["path"] for row in server.went_elsewhere] == (
        ["/models--acme--model/snapshots/weights.bin"] if name == "redirect to elsewhere" else []
    )


def test_a_fault_for_some_requests_and_for_a_while(server):
    server.set_fault("404", match="weights", times=2)
    for _ in range(2):
        with pytest.raises(urllib.error.HTTPError):
            get(server)
    assert get(server)[2] == CONTENT
    server.set_fault("404", match="GET /other")
    assert get(server)[2] == CONTENT
