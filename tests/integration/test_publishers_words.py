"""What the publishers of a fleet say, by the node: at once, past a silent one, and every answer where none knows."""

import time

import pytest

from ipfs_accelerate_py.errors import Unresolved
from ipfs_accelerate_py.ipfs import swarm
from ipfs_accelerate_py.ipfs.node import Node
from ipfs_accelerate_py.publish import publisher
from ipfs_accelerate_py.session import session
from tests.support.node import KuboNode
from tests.support.node_settings import kubo_with

REPO, FIRST = "acme/model", "acme/only-at-the-first"


@pytest.fixture
def fleet(nodes, serve_repos, here):
    """Three nodes of a swarm, of which two have published; the third is ours. The Hub is gone, and so is our store."""
    processes = nodes(3)
    new = f'{{"a": {time.time()}}}'.encode()  # no node holds anything of it
    serve_repos({REPO: {"config.json": new}, FIRST: {"config.json": new}})
    for repo, holders in ((REPO, processes[:2]), (FIRST, processes[:1])):
        known = here.resolve(repo)
        here.make_present(known)
        for process in holders:
            publisher.publish(here.store, Node(process.api, 10.0), repo, known.tree, ["main"])
    here.change(home=here.settings.home.with_name("another"), node=processes[2].api)
    here.point_at(None)
    here.forget()
    session.reset()
    yield processes
    for process in processes:
        process.resume()


def trust(here, *processes):
    here.change(publishers=tuple(process.peer_id for process in processes))


def test_a_reachable_one_says_it_at_once(fleet, here):
    trust(here, *fleet[:2])
    began = time.monotonic()
    found = here.resolve(REPO)
    print(f"words in {time.monotonic() - began:.3f} s")
    assert found.according_to == f"publisher {fleet[0].peer_id}" and list(found.tree.files) == ["config.json"]


def test_a_silent_one_is_connected_anew_and_left_for_the_next(fleet, here, monkeypatch):
    """It is connected and says nothing, as a stopped process: one budget, and one attempt to reconnect."""
    trust(here, *fleet[:2])
    reconnected = []
    real = swarm.reconnect

    def reconnect(node, peer_id, *silence):
        reconnected.append(peer_id)
        return real(node, peer_id, *silence)

    monkeypatch.setattr(swarm, "reconnect", reconnect)
    fleet[0].pause()
    began = time.monotonic()
    found = here.resolve(REPO)
    seconds = time.monotonic() - began
    assert found.according_to == f"publisher {fleet[1].peer_id}"
    assert reconnected == [fleet[0].peer_id]
    assert seconds < 15, "it waited for the silent one with all its patience"


def test_when_nobody_can_say_each_is_named(fleet, here):
    stranger = "12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf"
    here.change(publishers=(fleet[0].peer_id, stranger))
    with pytest.raises(Unresolved) as caught:
        here.resolve("acme/unheard-of")
    said = str(caught.value)
    assert "http://127.0.0.1:9" in said and "could not be asked" in said
    assert f"{fleet[0].peer_id}: " in said and "no link named" in said
    assert f"{stranger}: " in said and "could not resolve name" in said


@pytest.mark.parametrize(
    ("kind", "setting", "value"),
    [
        (kubo_with(daemon=("--offline",)), "runs offline", "without --offline"),
        (kubo_with(Routing_Type="none"), "Routing.Type", "ipfs config Routing.Type dht"),
        (kubo_with(), "connected to no peer", "same swarm.key"),
    ],
    ids=["offline", "Routing.Type", "alone"],
)
def test_what_the_node_cannot_do_is_said_once(kind, setting, value, fleet, here, tmp_path, caplog):
    with kind(tmp_path / "other" / ".ipfs", bootstrap=[fleet[0]] if setting == "Routing.Type" else []) as process:
        here.change(node=process.api)
        trust(here, *fleet[:2])
        for repo in (REPO, "acme/other"):
            with pytest.raises(Unresolved) as caught:
                here.resolve(repo)
            assert setting in str(caught.value)
    said = [row.getMessage() for row in caplog.records if row.levelname == "WARNING" and setting in row.getMessage()]
    assert len(said) == 1 and value in said[0]


def test_another_swarm_key(fleet, here, tmp_path, caplog):
    """Its node meets nobody: one line says what to look at."""

    class Other(KuboNode):
        def command(self):
            command = super().command()
            key = self.repo_path / "swarm.key"
            key.write_text(key.read_text().replace("5a", "6b"))
            return command

    with Other(tmp_path / "other" / ".ipfs") as process:
        with pytest.raises(Exception, match="swarm/connect"):
            process.rpc("swarm/connect", f"/ip4/127.0.0.1/tcp/{fleet[0].swarm_port}/p2p/{fleet[0].peer_id}")
        here.change(node=process.api)
        trust(here, fleet[0])
        with pytest.raises(Unresolved, match="connected to no peer"):
            here.resolve(REPO)
    assert sum("same swarm.key" in row.getMessage() for row in caplog.records) == 1
