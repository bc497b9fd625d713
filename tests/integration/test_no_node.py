"""Something else where the node's RPC should be: one line names the address and what to do, and the load goes on."""

import time

import pytest

from tests.fuzz.answering import AnsweringServer
from tests.support.node import free_port

REPO, FILES = "acme/model", {"config.json": b'{"a": 1}', "vocab.txt": b"one\ntwo\n"}
HTTP = b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n%s\r\n%s"


def http(status, kind, body, more=b""):
    return HTTP % (status, kind, len(body), more, body)


ANSWERS = {
    "a page": http(b"200 OK", b"text/html", b"<!doctype html><title>Welcome</title>"),
    "another API": http(b"200 OK", b"application/json", b'{"status": "ok"}'),
    "a list": http(b"200 OK", b"application/json", b"[1, 2]"),
    "not found": http(b"404 Not Found", b"text/plain", b"404 page not found\n"),
    "elsewhere": http(b"302 Found", b"text/plain", b"", b"Location: http://127.0.0.1:9/\r\n"),
    "garbage": bytes(range(256)) * 8,
    "nothing at all": b"",
}


@pytest.fixture
def known(serve_repos, here):
    serve_repos({REPO: FILES})
    return here.resolve(REPO)


def load(here, known, caplog, address):
    """Loads from the Hub, twice; what was said of the node."""
    here.change(node=address)
    caplog.clear()
    began = time.monotonic()
    for path in FILES:
        here.make_present(known, path)
    assert here.visible() == FILES and time.monotonic() - began < 60
    return [row.getMessage() for row in caplog.records if row.levelname == "WARNING"]


@pytest.mark.parametrize("behind", [*ANSWERS, "no server", "its gateway", "its swarm port"])
def test_one_line_and_the_load_goes_on(behind, known, here, nodes, caplog):
    server = None
    if behind in ANSWERS:
        server = AnsweringServer()
        server.answer = ANSWERS[behind]
        port = int(server.url.rpartition(":")[2])
    elif behind == "no server":
        port = free_port()
    else:
        [node] = nodes(1)
        port = node.gateway_port if behind == "its gateway" else node.swarm_port
    said = load(here, known, caplog, f"/ip4/127.0.0.1/tcp/{port}")
    if server:
        server.stop()
    assert len(said) == 1, said
    assert f"/ip4/127.0.0.1/tcp/{port}" in said[0] and "IPFS_ACCELERATE_NODE" in said[0]
    if behind in ("its gateway", "not found"):
        assert "ipfs config Addresses.API" in said[0]
