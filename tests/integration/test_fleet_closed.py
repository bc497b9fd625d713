"""A repo that is not for everybody, on two machines of a fleet: each gets it from the Hub, by its own permission."""

from __future__ import annotations

import pytest

from tests.support.local_hub import LocalHub
from tests.support.together import TogetherMachine, start_together, start_workers

pytestmark = pytest.mark.timeout(200)
REPO = "org/name"


@pytest.fixture
def hub(tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    (model / "weights.bin").write_bytes(bytes(range(256)) * 4000)
    with LocalHub() as serving:
        serving.add(REPO, str(model))
        yield serving


@pytest.fixture
def machines(hub, tmp_path):
    pytest.importorskip("aiohttp")
    allowed = {"HF_TOKEN": "hf_test", "IPFS_ACCELERATE_NODE": "off"}
    made = [
        TogetherMachine(tmp_path / "first", hub, **allowed),
        TogetherMachine(tmp_path / "second", hub, **allowed),
        TogetherMachine(tmp_path / "stranger", hub, IPFS_ACCELERATE_NODE="off"),
    ]
    start_together(made)
    yield made
    for machine in made:
        machine.stop()


@pytest.mark.parametrize("together", [False, True], ids=["one after the other", "at the same moment"])
@pytest.mark.parametrize("how", [{"private": True}, {"gated": "auto"}, {"gated": "manual"}], ids=str)
def test_it_is_never_given_by_a_member(hub, machines, how, together):
    first, second, stranger = machines
    hub.repos["models", REPO].meta.update(how, allow=["tester"])
    if together:
        results = [worker.go() for worker in start_workers([first, second], REPO)]
        found = [worker.result() for worker in results]
    else:
        found = [machine.worker(REPO).go().result() for machine in (first, second)]
    for result in found:
        assert sorted(result["files"]) == ["config.json", "weights.bin"]
        assert set(result["served"]) == {"hub"}
    denied = stranger.worker(REPO).go().process
    assert denied.communicate(timeout=100)[0] == "" and denied.returncode != 0
    assert not list(stranger.store.glob("models--*/blobs/*"))
    for machine in machines:
        assert machine.ask_agent("status", {})["given"] == {}
