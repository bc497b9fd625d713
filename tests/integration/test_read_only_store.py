"""A warm store on a read-only file system still serves; a cold one lets plain transformers do its work, in one line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

LOAD = """
from transformers import AutoConfig, AutoTokenizer
print(AutoConfig.from_pretrained("tiny/bert").model_type, len(AutoTokenizer.from_pretrained("tiny/bert")) > 5)
"""
# root writes everywhere, so the folder is mounted read-only, in a mount namespace of the one process
MOUNTED = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'


def run_with_read_only_store(machine):
    command = [sys.executable, "-m", "ipfs_accelerate_py.hook", "run", "-c", LOAD]
    if os.geteuid() == 0:
        if shutil.which("unshare") is None:
            pytest.skip("no unshare: install util-linux, or run the tests as an ordinary user")
        command = ["unshare", "--mount", "sh", "-c", MOUNTED, str(machine.store), *command]
    else:
        for folder, _, _ in os.walk(machine.store):
            os.chmod(folder, 0o555)
    environment = {**machine.environment, "IPFS_ACCELERATE": "1"}
    done = subprocess.run(command, env=environment, cwd=machine.home, capture_output=True, text=True, timeout=120)
    for folder, _, _ in os.walk(machine.store):
        os.chmod(folder, 0o755)
    return done


def test_a_warm_store_serves(machine, tiny_hub):
    user = machine("user", hub=tiny_hub, IPFS_ACCELERATE_SHARE="off")
    assert user.run(LOAD).returncode == 0
    tiny_hub.log.clear()
    done = run_with_read_only_store(user)
    assert (done.returncode, done.stdout) == (0, "bert True\n"), done.stderr
    assert "cannot be written" not in done.stderr
    assert [row["path"] for row in tiny_hub.log if "resolve" in row["path"]] == []
    assert not (user.cache / "hub").exists()


def test_a_cold_store_lets_plain_transformers_load(machine, tiny_hub):
    user = machine("user", hub=tiny_hub)
    user.store.mkdir(parents=True)
    done = run_with_read_only_store(user)
    assert (done.returncode, done.stdout) == (0, "bert True\n"), done.stderr
    assert done.stderr.count("cannot be written") == 1
    assert "IPFS_ACCELERATE_HOME" in done.stderr
    assert (user.cache / "hub" / "models--tiny--bert").is_dir()
    assert list(user.store.iterdir()) == []
