"""Who is answered by an agent: members alone; a stranger learns nothing, whatever it asks."""

import logging
import os
import re
import socket
import time

import pytest

from ipfs_accelerate_py.errors import FleetError, SourceDown, SourceError
from ipfs_accelerate_py.fleet.client import AgentClient
from ipfs_accelerate_py.fleet.signing import Signer
from tests.support.agent import KEY, OTHER_KEY, AgentProcess, peer_id
from tests.support.small_server import serve, silence

from .agents import (
    CLOSED,
    CONTENT,
    ENTRY,
    OPEN,
    UNKNOWN,
    Taken,
    body_of,
    connect,
    fill,
    send,
    signed,
    status_of,
    target,
)

HOUR = 3600.0
SIGNER = Signer(KEY, peer_id(2))


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    with AgentProcess(tmp_path_factory.mktemp("agent"), patience=1.0) as running:
        fill(running.store)
        yield running


def counts(agent):
    return agent.client().post(agent.local, "/fleet/1/status", {})


REQUESTS = [
    ("GET", target(), b""),
    ("HEAD", target(), b""),
    ("GET", target(CLOSED), b""),
    ("GET", target(etag="0" * 64), b""),
    ("DELETE", target(), b""),
    ("GET", "/", b""),
    ("GET", "/fleet/2/anything", b""),
    ("POST", "/fleet/1/hello", b"{}"),
    ("POST", "/fleet/1/status", b"{}"),
    ("POST", "/fleet/1/hold", b"x" * 3_000_000),
    ("OPTIONS", "*", b""),
]


@pytest.mark.parametrize("site", ["members", "local"])
def test_a_stranger_gets_the_same_for_everything(agent, site):
    url = agent.url if site == "members" else agent.local
    answers = set()
    for method, path, body in REQUESTS:
        if site == "local" and not path.startswith("/fleet/"):
            continue  # there the page is, which has a check of its own
        whole = signed(method, path, body)
        unsigned = whole.replace(b"Authorization:", b"X-Nothing:")
        cut = whole.replace(b" mac=", b" mac=0")
        for request in (unsigned, cut, signed(method, path, body, key=OTHER_KEY)):
            answers.add(send(url, request).replace(b"Content-Length: 0\r\n", b""))  # HEAD has none
    assert answers - {b""} == {b"HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n"}


def test_the_page_is_asked_for_by_its_name_only(agent):
    """A name of another site may lead to 127.0.0.1."""
    # 403: asked without its token
    for name, status in {"127.0.0.1": 403, "localhost": 403, "evil.example": 401, "": 401, "[": 401}.items():
        answer = send(agent.local, f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        assert status_of(answer) == status, name


def test_a_signature_counts_once_and_for_its_request_only(agent):
    request = signed("GET", target())
    assert body_of(send(agent.url, request)) == CONTENT
    before = counts(agent)["refused"].get("replayed", 0)
    assert status_of(send(agent.url, request)) == status_of(send(agent.local, request)) == 401
    assert counts(agent)["refused"]["replayed"] == before + 2
    fresh = signed("GET", target())
    for changed in (
        fresh.replace(b"GET", b"HEAD"),
        fresh.replace(b"models--org--open", b"models--org--closed"),
        fresh.replace(b"size=", b"size=0"),
    ):
        assert status_of(send(agent.url, changed)) == 401
    post = signed("POST", "/fleet/1/status", b'{"a": 1}')
    assert status_of(send(agent.local, post.replace(b'{"a": 1}', b'{"a": 2}'))) == 401
    assert status_of(send(agent.local, post)) == 200


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_a_clock_that_is_an_hour_off(tmp_path, caplog, ahead):
    with AgentProcess(tmp_path / "store", ahead=ahead) as agent:
        fill(agent.store)
        client = agent.client()
        with caplog.at_level(logging.INFO, "ipfs_accelerate_py"):
            for _ in range(3):
                taken = Taken()
                client.copy(agent.url, target(), taken, ENTRY.size, "it")
                assert taken.data == CONTENT
        said = [record for record in caplog.records if "clock" in record.getMessage()]
        assert len(said) == 1 and f"{ahead:+.0f} s" in said[0].getMessage() and said[0].levelname == "INFO"
        assert client.post(agent.local, "/fleet/1/status", {})["refused"] == {"clock": 2}  # once for each site
        assert b"Fleet-Time" not in send(agent.url, signed("GET", target(), key=OTHER_KEY))
        assert b"Fleet-Time" in send(agent.url, signed("GET", target()))


@pytest.mark.parametrize(("repo_id", "status"), [(OPEN, 200), (CLOSED, 403), (UNKNOWN, 403), ("org/not-here", 403)])
def test_what_is_not_proven_public_does_not_leave_the_machine(agent, repo_id, status):
    answer = send(agent.url, signed("GET", target(repo_id)))
    assert status_of(answer) == status and (body_of(answer) == CONTENT) is (status == 200)
    assert status == 200 or body_of(answer) == b""
    here = send(agent.local, signed("GET", target(repo_id)))
    assert (status_of(here), body_of(here)) == ((404, b"") if "not-here" in repo_id else (200, CONTENT))


def test_a_proof_that_is_old_does_not_count(tmp_path):
    with AgentProcess(tmp_path / "store") as agent:
        fill(agent.store)
        proof = agent.store.own_folder / "access" / "models--org--open"
        for days, status in ((2, 200), (31, 403)):  # while the Hub is down its last word stands for a month
            os.utime(proof, (time.time() - days * 24 * HOUR,) * 2)
            assert status_of(send(agent.url, signed("GET", target()))) == status


def test_bodies_are_bounded(agent):
    for path, size, status in (
        ("/fleet/1/status", 60_000, 200),
        ("/fleet/1/status", 70_000, 401),
        ("/fleet/1/hold", 2_000_000, 401),
    ):
        body = b'{"a": "' + b"x" * size + b'"}'
        assert status_of(send(agent.local, signed("POST", path, body))) == status, (path, size)
        chunked = signed("POST", path, body).replace(
            b"Content-Length: %d\r\n" % len(body), b"Transfer-Encoding: chunked\r\n"
        )
        chunked = chunked[: -len(body)] + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        assert status_of(send(agent.local, chunked)) in (status, 0), (path, size)


def test_who_says_nothing_or_no_http_is_cut_off(agent):
    for first in (b"", b"GET /fleet/1/ HTTP/1.1\r\nX-A: ", signed("POST", "/fleet/1/hold", b"x" * 100)[:-50]):
        began = time.monotonic()
        answer = send(agent.url, first)
        assert status_of(answer) in (0, 401) and time.monotonic() - began < 5, first
    for malformed in (b"\x16\x03\x01\x02\x00\x01", b"nonsense\r\n\r\n", b"GET " + b"/" * 20_000 + b" HTTP/1.1\r\n\r\n"):
        assert send(agent.url, malformed) == b""
    assert status_of(send(agent.url, signed("HEAD", target()))) == 200


def test_a_connection_is_kept_for_the_next_request(agent):
    with connect(agent.url) as connection:
        for _ in range(3):
            connection.sendall(signed("HEAD", target()).replace(b"Connection: close\r\n", b""))
            assert status_of(connection.recv(4096)) == 200
        time.sleep(1.5)  # longer than a stranger has
        connection.sendall(signed("HEAD", target()))
        assert status_of(connection.recv(4096)) == 200


# -- the client -----------------------------------------------------------------------------------------------------
def test_the_client_follows_nobody():
    asked = []

    def redirect(path, headers):
        asked.append(path)
        return 302, {"Location": "/elsewhere"}, b""

    client = AgentClient(SIGNER, 2.0)
    with serve(redirect) as url:
        with pytest.raises(SourceError):
            client.copy(url, "/first", Taken(), 10, "it")
        with pytest.raises(SourceError):
            client.post(url, "/first", {})
    assert asked == ["/first", "/first"]


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {}, b"[]"),
        (200, {}, b"{"),
        (200, {}, b"[" * 100_000),
        (200, {}, b'"' + b"x" * (5 << 20) + b'"'),
        (200, {"Content-Encoding": "gzip"}, b"{}"),
        (401, {"Fleet-Time": "soon"}, b""),
        (401, {"Fleet-Time": "nan"}, b""),
        (401, {"Fleet-Time": "1e300"}, b""),
        (401, {"Fleet-Time": "-5"}, b""),
        (401, {"Fleet-Time": "5"}, b"x" * 100_000),
        (500, {}, b"{}"),
    ],
    ids=str,
)
def test_bad_answers_are_errors_of_the_source(status, headers, body):
    client = AgentClient(SIGNER, 2.0)
    with serve(lambda path, asked: (status, headers, body)) as url, pytest.raises(SourceError):
        client.post(url, "/fleet/1/find", {})


@pytest.mark.parametrize("told", ["nan", "inf", "1e300", "5", "-5", "soon", "", "9" * 5000, "99999999999"])
def test_no_signature_is_made_for_a_far_day(told):
    """Whoever has the address of a member could keep it until then."""
    seen = []

    def refuse(path, headers):
        seen.append(headers["Authorization"])
        return 401, {"Fleet-Time": told}, b""

    client = AgentClient(SIGNER, 2.0)
    with serve(refuse) as url:
        for _ in range(2):
            with pytest.raises(SourceDown):
                client.head(url, target())
    times = [float(re.search(r"time=(\S+)", each)[1]) for each in seen]
    assert all(abs(moment - time.time()) < 60 for moment in times)


def test_who_does_not_answer_is_down():
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        free_port = taken.getsockname()[1]
    client = AgentClient(SIGNER, 0.5)
    began = time.monotonic()
    with pytest.raises(SourceDown):
        client.post(f"http://127.0.0.1:{free_port}", "/fleet/1/find", {})
    assert time.monotonic() - began < 0.3
    with silence() as url:
        for ask in (
            lambda: client.post(url, "/fleet/1/find", {}),
            lambda: client.head(url, target()),
            lambda: client.copy(url, target(), Taken(), ENTRY.size, "it"),
        ):
            with pytest.raises(SourceDown):
                ask()
    assert time.monotonic() - began < 4


def test_a_port_that_is_in_use_is_named(tmp_path):
    import asyncio

    from ipfs_accelerate_py.agent.agent import Agent
    from ipfs_accelerate_py.agent.server import serve as serve_agent

    running = AgentProcess(tmp_path / "a")
    with running:
        agent = Agent(running.store, running.folder, running.folder.read())

        async def again():
            async with serve_agent(agent):
                pass

        with pytest.raises(FleetError, match=f"port {running.fleet.ports.agent} at 127.0.0.2 is in use"):
            asyncio.run(again())
