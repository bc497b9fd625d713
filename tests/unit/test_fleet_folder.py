"""What is read of a fleet's files on disk: facts whose types are wrong are no facts."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import pytest

from ipfs_accelerate_py.errors import FleetError
from ipfs_accelerate_py.fleet import kubo
from ipfs_accelerate_py.fleet.folder import AgentPlace, Fleet, FleetFolder, Ports, read_agent
from ipfs_accelerate_py.fleet.keys import format_key
from ipfs_accelerate_py.fleet.setup import make_fleet
from tests.support.node import KuboNode

FLEET = Fleet("ours", "12D3KooWA", "127.0.0.1", Ports(1, 2, 3, 4, 5), contacts=("http://a:1",), key=bytes(range(32)))
PLACE = AgentPlace(4000, 4612, 1.5e9, 4001)
NO_TEXT = [None, 5, 1.5, True, ["x"], {"a": 1}, "\ud800"]
NO_PORT = [None, "4612", 1.0, True, [], 0, -1, 65536]
NO_PID = [None, "4000", 1.5, True, [], 0, -1, -4000, 10**30]
NO_TIME = [None, "x", [], -1.0, float("nan"), float("inf"), 10**400]


@pytest.fixture
def folder(tmp_path):
    made = FleetFolder(tmp_path)
    made.own.mkdir(parents=True)
    made.swarm_key.write_bytes(format_key(FLEET.key))
    made.write(FLEET)
    return made


def test_the_facts_are_read_as_they_were_written(folder):
    assert folder.read() == FLEET


TEXTS = [(name, value) for name in ("name", "peer", "listen", "announce", "trust", "program") for value in NO_TEXT]
LISTS = [(name, [value]) for name in ("trusted", "contacts") for value in NO_TEXT]


@pytest.mark.parametrize(("name", "value"), TEXTS + LISTS)
def test_a_fact_of_a_wrong_type_is_damage(folder, name, value):
    folder.facts.write_text(json.dumps({**json.loads(folder.facts.read_text()), name: value}))
    with pytest.raises(FleetError, match="cannot be read"):
        folder.read()


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Ports)])
@pytest.mark.parametrize("value", NO_PORT)
def test_a_port_that_is_none_is_damage(folder, name, value):
    row = json.loads(folder.facts.read_text())
    row["ports"][name] = value
    folder.facts.write_text(json.dumps(row))
    with pytest.raises(FleetError, match="cannot be read"):
        folder.read()


def test_the_place_of_the_agent_is_read_as_it_was_written(folder):
    folder.write_secret(folder.agent, dataclasses.asdict(PLACE))
    assert read_agent(folder) == PLACE


WRONG = [("pid", value) for value in NO_PID] + [("port", value) for value in NO_PORT]
WRONG += [("kubo", value) for value in NO_PID if value != 0] + [("started", value) for value in NO_TIME]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_no_signal_goes_to_a_place_that_is_none(folder, name, value):
    """A signal to process -1 would end all programs of the user."""
    folder.agent.write_text(json.dumps({**dataclasses.asdict(PLACE), name: value}))
    assert read_agent(folder) is None


def test_an_agent_that_starts_leaves_no_place_of_an_earlier_one(folder):
    """`fleet stop` would end another program that has its process id by now."""
    pytest.importorskip("aiohttp")
    from ipfs_accelerate_py.agent.main import run

    folder.write_secret(folder.agent, dataclasses.asdict(PLACE))
    with pytest.raises(FleetError, match="no IP address"):
        run(folder.store, listen="nowhere", with_kubo=False)
    assert read_agent(folder) is None


@pytest.mark.skipif(KuboNode.binary() is None, reason="needs Kubo")
def test_of_two_that_make_a_fleet_at_once_one_is_told_that_it_was_late(tmp_path, monkeypatch):
    """The other one ends while this one has all but the last step behind it."""
    program, configure = str(KuboNode.binary()), kubo.configure
    made = []

    def configure_late(*words):
        configure(*words)
        if not made:
            made.append(None)
            made[0] = make_in_a_process(tmp_path, program)

    monkeypatch.setattr(kubo, "configure", configure_late)
    with pytest.raises(FleetError, match="in the fleet 'quick' already"):
        make_fleet(tmp_path, "late", listen="127.0.0.1", program=program)
    assert FleetFolder(tmp_path).read().name == "quick"
    assert [path.name for path in tmp_path.iterdir()] == [".fleet"]


def make_in_a_process(store, program):
    code = "import sys, pathlib; from ipfs_accelerate_py.fleet.setup import make_fleet\n"
    code += "make_fleet(pathlib.Path(sys.argv[1]), 'quick', listen='127.0.0.1', program=sys.argv[2])"
    subprocess.run([sys.executable, "-c", code, str(store), program], check=True, timeout=60)
