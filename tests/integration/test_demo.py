"""`make demo` as a whole: two machines, one Hub that goes away, the same embedding."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.missing import need
from tests.support.node import KuboNode

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo.py"


@pytest.mark.lines
def test_demo():
    need(KuboNode)
    done = subprocess.run([sys.executable, DEMO], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("equal: yes") == 4
    assert "NO" not in done.stdout.split()
