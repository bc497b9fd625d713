"""A machine of a fleet whose disk has become read-only: what is said of its agent, and that loads go on as plain."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.support.local_hub import LocalHub
from tests.support.together import TogetherMachine

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def disk(tmp_path):
    """A small disk; `disk(words)` mounts it anew."""
    pytest.importorskip("aiohttp")
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(*words):
        return subprocess.run(["mount", *words, str(folder)], capture_output=True, text=True).returncode == 0

    if not mount("-t", "tmpfs", "-o", "size=8m", "tmpfs"):
        pytest.skip("needs the right to mount a file system")
    mount.folder = folder
    yield mount
    subprocess.run(["umount", "-l", str(folder)], check=False)


def test_its_commands_say_so_and_its_loads_go_on(disk, tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    with LocalHub() as hub:
        hub.add("org/name", str(model))
        machine = TogetherMachine(
            tmp_path / "a", hub, IPFS_ACCELERATE_NODE="off", IPFS_ACCELERATE_HOME=str(disk.folder / "store")
        )
        machine.start_agent()
        machine.wait_for_agent()
        machine.stop()
        assert disk("-o", "remount,ro")
        for action in ("stop", "start", "leave"):
            done = machine.hook("fleet", action)
            assert "Traceback" not in done.stderr and "[Errno" not in done.stderr, done.stderr
        for action in ("start", "leave"):
            assert "IPFS_ACCELERATE_HOME" in machine.hook("fleet", action).stderr
        found = json.loads(machine.hook("fleet", "status", "--json").stdout)
        assert found["agent"] is None and "does not run" in found["reason"]
        assert machine.worker("org/name").go().result()["files"]
