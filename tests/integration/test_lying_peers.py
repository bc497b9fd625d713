"""Three real nodes: one asks, one holds the model, one holds other bytes of the same sizes under the same names."""

from __future__ import annotations

import pytest

from ipfs_accelerate_py.errors import VerificationError
from ipfs_accelerate_py.ipfs import swarm
from ipfs_accelerate_py.ipfs.node import Node
from ipfs_accelerate_py.publish.publisher import MFS_ROOT
from ipfs_accelerate_py.stats import stats
from ipfs_accelerate_py.store import layout
from tests.support.in_process import write_repo
from tests.support.local_hub import LocalHub

pytestmark = pytest.mark.lines
FILES = {"config.json": b'{"a": 1}', "vocab.txt": b"one two three\n", "model.bin": bytes(range(256)) * 2000}


def publish(node, repo_id, resolution, files):
    """What the publisher does, with bytes that nobody checks."""
    rpc = Node(node.api, 20.0)
    snapshot = f"{MFS_ROOT}/{layout.snapshot_path(repo_id, resolution.commit)}"
    rpc.make_folder(snapshot)
    for path, content in files.items():
        rpc.write(f"{snapshot}/{path}", content)
    rpc.publish(str(rpc.stat(MFS_ROOT)["Hash"]))
    swarm.announce(rpc, layout.repo_folder(repo_id))
    return rpc.peer_id()


@pytest.fixture
def fleet(nodes, tmp_path, here, request):
    asking, honest, liar = nodes(3)
    repo_id = f"acme/{request.node.name[:60].replace('[', '-').strip(']').rstrip('-')}"
    write_repo(tmp_path / "models", repo_id, FILES)
    with LocalHub(tmp_path / "models") as hub:
        here.point_at(hub)
        resolution = here.resolve(repo_id)
        for other in (honest, liar):
            asking.connect_to(other)
        wrong = {path: bytes(byte ^ 1 for byte in content) for path, content in FILES.items()}
        names = publish(honest, repo_id, resolution, FILES), publish(liar, repo_id, resolution, wrong)
        here.change(node=asking.api, timeout=10.0)
        yield hub, resolution, names


def test_one_liar_does_not_cost_the_honest_peer(fleet, here):
    hub, resolution, (honest, liar) = fleet
    hub.log.clear()
    here.change(publishers=(liar, honest))  # the liar is asked first
    present = here.make_present(resolution)
    assert {path: where.read_bytes() for path, where in present.items()} == FILES
    assert set(stats().liars) == {f"peer {liar}"}
    assert set(stats().served) == {"node"}
    assert [row for row in hub.log if "resolve" in row["path"]] == []


def test_with_the_liar_alone_the_hub_gives_the_bytes(fleet, here, monkeypatch):
    _, resolution, (_, liar) = fleet
    here.change(publishers=(liar,))
    monkeypatch.setattr(swarm, "holders", lambda *_: [liar])  # as if the honest one had not announced it
    present = here.make_present(resolution)
    assert {path: where.read_bytes() for path, where in present.items()} == FILES
    assert set(stats().served) == {"hub"}


def test_with_the_liar_alone_and_no_hub_nothing_is_visible(fleet, here, monkeypatch):
    hub, resolution, (_, liar) = fleet
    here.change(publishers=(liar,), timeout=2.0)
    monkeypatch.setattr(swarm, "holders", lambda *_: [liar])
    hub.stop()
    with pytest.raises(VerificationError) as caught:
        here.make_present(resolution, "model.bin")
    assert resolution.tree.files["model.bin"].etag in str(caught.value)
    assert "model.bin" not in here.visible()


def test_a_node_whose_one_peer_lied_is_asked_for_the_next_file(fleet, here, monkeypatch):
    _, resolution, (honest, liar) = fleet
    here.change(publishers=(liar,))
    monkeypatch.setattr(swarm, "holders", lambda *_: [liar])
    here.make_present(resolution, "config.json")
    assert set(stats().served) == {"hub"} and f"peer {liar}" in stats().liars
    monkeypatch.setattr(swarm, "holders", lambda *_: [liar, honest])
    here.make_present(resolution, "vocab.txt")
    assert set(stats().served) == {"hub", "node"}
