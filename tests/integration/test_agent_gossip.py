"""An agent goes on whatever the members that it asks are, and answer."""

import asyncio
import json

import pytest

from ipfs_accelerate_py.agent.agent import Agent
from ipfs_accelerate_py.agent.gossip import Gossip
from ipfs_accelerate_py.fleet.members import Member
from tests.support.agent import AgentProcess, peer_id
from tests.support.small_server import serve

ANSWERS = [
    *({}, {"member": None}, {"member": []}, {"member": {}}, {"member": {"peer": 7}}, {"member": {"peer": "x"}}),
    *({"member": {"peer": peer_id(2), "age": 10**400}}, {"member": {"peer": peer_id(2), "swarm": 7}}),
    *({"member": {"peer": peer_id(2)}, "members": 7}, {"member": {"peer": peer_id(2)}, "members": [{}] * 5000}),
]
URLS = [
    *(f"http://{'w' * 200}", "http://a..b", "http://[", "http://127.0.0.1:99999", "http://127.0.0.1:x"),
    *("http://\ud800", "http://[::1%x]", "http://1.1.1.1.1:5"),
]


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    place = AgentProcess(tmp_path_factory.mktemp("agent"))
    return Agent(place.store, place.folder, place.fleet)


def tell(agent, url):
    """Why a member at this URL could not be asked."""

    async def ask():
        member = Member.from_dict({"peer": peer_id(2), "name": "two", "agent": url})
        agent.members.merge([member])
        try:
            return await Gossip(agent).tell(member)
        finally:
            await agent.calls.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("document", ANSWERS, ids=lambda document: json.dumps(document)[:40])
def test_an_answer_that_cannot_be_read(agent, document):
    with serve(lambda path, headers: (200, {}, json.dumps(document).encode())) as url:
        assert tell(agent, url) == agent.trouble[url] == f"the answer of {url} cannot be read"
    assert peer_id(2) not in [member.peer for member in agent.members.alive()]


@pytest.mark.parametrize("url", URLS, ids=ascii)
def test_an_address_at_which_nobody_can_be(agent, url):
    assert "does not answer" in tell(agent, url)
