"""The page's routes: on the local site alone, and for those who bring the token."""

import asyncio
import http.client
import json
import re
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ipfs_accelerate_py.fleet.keys import derive, page_token
from ipfs_accelerate_py.fleet.members import Member
from tests.support.agent import KEY, OTHER_KEY, AgentProcess, peer_id

from .agents import CONTENT, ENTRY, OPEN, Taken, body_of, fill, send, signed, status_of, target

TOKEN = page_token(KEY)
FILES = {"/": "text/html", "/page.css": "text/css", "/page.js": "text/javascript", "/page.svg": "image/svg+xml"}
PATHS = [*FILES, "/page.json", "/metrics"]


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    with AgentProcess(tmp_path_factory.mktemp("agent")) as running:
        fill(running.store)
        yield running


class Answer:
    """What comes for a GET at an agent's site. `host`: the name by which it is asked."""

    def __init__(self, agent, path, host=None, url="", **headers):
        connection = http.client.HTTPConnection((url or agent.local).removeprefix("http://"), timeout=10)
        try:
            connection.putrequest("GET", path, skip_host=True)
            connection.putheader("Host", host or f"127.0.0.1:{agent.fleet.ports.local}")
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            self.status, self.headers, self.body = answer.status, answer.headers, answer.read()
        finally:
            connection.close()


def cookie(agent, token=TOKEN):
    return f"ipfs_accelerate_fleet_{agent.fleet.ports.local}={token}"


def metrics(agent):
    """What they are now: an agent tells what is up to a second old."""
    time.sleep(1.1)
    text = Answer(agent, "/metrics", Authorization=f"Bearer {TOKEN}").body.decode()
    return {
        (sample.name.removeprefix("ipfs_accelerate_fleet_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_token_tells_nothing_of_the_key():
    assert derive(KEY, "page").hex()[:32] == TOKEN and len(TOKEN) == 32
    assert page_token(OTHER_KEY) != TOKEN


def test_the_url_of_the_page(agent):
    """It is opened once; afterwards the cookie counts, which no script can read and no other site can send."""
    first = Answer(agent, f"/?token={TOKEN}")
    assert (first.status, first.headers["Location"], first.body) == (303, "/", b"")
    assert set(re.split("; *", first.headers["Set-Cookie"])) == {
        *(cookie(agent), "HttpOnly", "Path=/", "SameSite=Strict"),
    }
    for path, kind in FILES.items():
        answer = Answer(agent, path, Cookie=f"other=1; {cookie(agent)}")
        assert (answer.status, answer.headers.get_content_type()) == (200, kind)
        assert answer.body


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "words",
    [{}, {"Cookie": "{name}=0"}, {"Cookie": "{name}="}, {"Authorization": "Bearer 0"}, {"Authorization": "Bearer é"}],
    ids=["nothing", "wrong", "empty", "bearer", "no text"],
)
def test_without_the_token(agent, path, words):
    name = cookie(agent, "").rstrip("=")
    answer = Answer(agent, path, **{key: value.format(name=name) for key, value in words.items()})
    assert answer.status == 403
    assert b"ipfs-accelerate fleet status" in answer.body
    assert TOKEN.encode() not in answer.body and "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("query", ["", "0", TOKEN[:-1], TOKEN + "0", TOKEN.upper(), "%ff", "%00"])
def test_a_wrong_token(agent, query):
    for path in ("/", "/metrics"):
        assert Answer(agent, f"{path}?token={query}", Cookie=cookie(agent)).status == 403
    assert Answer(agent, f"/page.json?token={TOKEN}").status == 403  # it is in the URL of the page alone


def test_refusals_are_counted(agent):
    before = metrics(agent).get(("refused_total", "token"), 0)
    Answer(agent, "/page.json")
    assert metrics(agent)["refused_total", "token"] == before + 1


@pytest.mark.parametrize("path", [*PATHS, f"/?token={TOKEN}", f"/metrics?token={TOKEN}"])
@pytest.mark.parametrize("host", ["example.org", "127.0.0.1.example.org", "localhost.", "[::1]", "0.0.0.0", " ", "a]b"])
def test_another_name_is_refused(agent, path, host):
    """A page of another site, whose name its owner points to this machine: the browser sends what it has, and is told
    nothing.
    """
    answer = Answer(agent, path, host=host, Cookie=cookie(agent))
    assert answer.status in (400, 401) and b"fleet" not in answer.body


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_its_own_names(agent, name):
    assert Answer(agent, "/page.json", host=f"{name}:{agent.fleet.ports.local}", Cookie=cookie(agent)).status == 200


@pytest.mark.parametrize("path", [*PATHS, f"/?token={TOKEN}", f"/metrics?token={TOKEN}"])
def test_the_members_site_has_no_page(agent, path):
    """A stranger is told nothing there, and a member that there is no such thing."""
    answer = Answer(agent, path, url=agent.url, Cookie=cookie(agent), Authorization=f"Bearer {TOKEN}")
    assert (answer.status, answer.body) == (401, b"")
    answer = send(agent.url, signed("GET", path, headers=f"Cookie: {cookie(agent)}\r\n"))
    assert status_of(answer) == 404 and TOKEN.encode() not in body_of(answer)


@pytest.mark.parametrize("path", PATHS)
def test_what_a_browser_may_do_with_it(agent, path):
    headers = Answer(agent, path, Cookie=cookie(agent)).headers
    policy = dict(each.strip().split(" ", 1) for each in headers["Content-Security-Policy"].split(";"))
    assert policy.pop("default-src") == "'none'"
    assert set(policy.values()) == {"'self'", "'none'"}
    assert policy["script-src"] == policy["connect-src"] == "'self'" and policy["frame-ancestors"] == "'none'"
    assert headers["Cache-Control"] == "no-store" and headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_only_reading(agent):
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        request = (
            f"{method} /page.json HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie(agent)}\r\nConnection: close\r\n\r\n"
        )
        assert status_of(send(agent.local, request.encode())) == 405


def test_figures(agent):
    """As Prometheus' own parser reads them, before and after a member was given a file."""
    before = metrics(agent)
    client = agent.client()
    client.copy(agent.url, target(), sink := Taken(), ENTRY.size, "it")
    assert bytes(sink.data) == CONTENT
    after = metrics(agent)
    given = ("bytes_given_total", peer_id(2))
    assert after[given] == before.get(given, 0) + ENTRY.size
    assert after["requests_total", "200"] > before.get(("requests_total", "200"), 0)
    assert after["models",] == 1 and after["arriving",] == 0
    assert not any(name.startswith("kubo") for name, *_ in after)  # it runs without one
    assert {name for name, *_ in before} - {given[0]} <= {name for name, *_ in after}


def test_the_kind_of_metrics(agent):
    answer = Answer(agent, f"/metrics?token={TOKEN}", Accept="application/openmetrics-text")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert {family.type for family in text_string_to_metric_families(answer.body.decode())} == {"counter", "gauge"}


def test_the_document(agent):
    client = agent.client()
    client.post(agent.url, "/fleet/1/hello", {"member": Member(peer_id(2), "two", "http://127.0.0.9:9").to_dict()})
    document = json.loads(Answer(agent, "/page.json", Cookie=cookie(agent)).body)
    assert document["fleet"]["name"] == "tests"
    assert document["models"]["rows"][0]["name"] == OPEN  # and of those that are not public, no word
    assert document["models"]["all"] == 1


def test_what_other_machines_fetch(agent):
    """A member that fetches a file tells this agent, which answers for the repo; and how far it is."""
    client, file = agent.client(), {"folder": "models--org--coming", "etag": "d" * 64, "size": 1000}
    client.post(agent.url, "/fleet/1/hello", {"member": Member(peer_id(2), "two", "http://127.0.0.9:9").to_dict()})
    for arrived in (0, 400):
        assert client.post(agent.url, "/fleet/1/find", {**file, "claim": True, "arrived": arrived})["claim"]["mine"]
    try:
        time.sleep(1.1)
        (row,) = json.loads(Answer(agent, "/page.json", Cookie=cookie(agent)).body)["arriving"]["rows"]
        assert (row["repo"], row["machine"], row["peer"], row["arrived"]) == ("org/coming", "two", peer_id(2), 400)
    finally:
        client.post(agent.url, "/fleet/1/release", {**file, "done": False})
    time.sleep(1.1)
    assert json.loads(Answer(agent, "/page.json", Cookie=cookie(agent)).body)["arriving"]["all"] == 0


@pytest.mark.parametrize("age", [float("inf"), float("nan"), 1e308, 10**400, -1e308])
def test_a_member_of_any_age_leaves_it_readable(agent, age):
    """JSON has no infinity, and a browser reads none."""
    row = {**Member(peer_id(3), "three", "http://127.0.0.9:9").to_dict(), "age": age}
    body = json.dumps({"member": row}).encode()
    assert status_of(send(agent.url, signed("POST", "/fleet/1/hello", body))) in (200, 400)

    def refuse(word):
        raise AssertionError(word)

    json.loads(Answer(agent, "/page.json", Cookie=cookie(agent)).body, parse_constant=refuse)


def test_many_askers_are_one_reader(agent):
    """A hundred pages cost the agent no more than one."""
    from ipfs_accelerate_py.web.cached import Cached

    reads = 0

    async def read():
        nonlocal reads
        reads += 1
        await asyncio.sleep(0.05)
        if reads == 2:
            raise OSError("the disk is gone")
        return reads

    async def ask():
        cached = Cached(read, 0.2)
        assert await cached.get(0) is None
        assert set(await asyncio.gather(*(cached.get(1) for _ in range(100)))) == {1}
        await asyncio.sleep(0.3)
        assert await cached.get(0) == 1  # the last one, while a newer one is read
        assert await cached.get(1) == 1  # and when that fails
        await asyncio.sleep(0.3)
        assert await cached.get(1) == 3
        await cached.get(0)
        await cached.close()

    asyncio.run(ask())
    assert reads == 3
