"""`make demo` as a whole: two machines, one Hub that goes away, the same embedding."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo.py"


@pytest.mark.lines
def test_demo(node_class):
    environment = dict(os.environ)
    if node_class.implementation == "javascript":  # the demo takes Kubo where it is
        environment.pop("IPFS_BIN", None)
        folders = environment["PATH"].split(os.pathsep)
        environment["PATH"] = os.pathsep.join(each for each in folders if not os.path.exists(f"{each}/ipfs"))
    done = subprocess.run([sys.executable, DEMO], env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"with a {node_class.implementation} node" in done.stdout
    assert done.stdout.count("equal: yes") == 4
    assert "NO" not in done.stdout.split()
