"""The examples that are linted, not run: systemd units and a Dockerfile."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
UNITS = sorted((EXAMPLES / "systemd").glob("*.service"))
KUBO = re.findall(r"github.com/ipfs/kubo (v\S+)", (EXAMPLES.parent / "tests/support/kubo/go.mod").read_text())[0]
# https://www.freedesktop.org/software/systemd/man/latest/systemd.directives.html: of these, what the units need
KNOWN = {
    "Unit": {"Description", "Wants", "After"},
    "Service": {
        *("Type", "NotifyAccess", "User", "WorkingDirectory", "StateDirectory", "Environment", "EnvironmentFile"),
        *("ExecStart", "ExecStartPost", "ExecReload", "KillMode", "LimitNOFILE", "Restart"),
        *("NoNewPrivileges", "PrivateTmp", "ProtectSystem"),
    },
    "Install": {"WantedBy"},
}


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_unit(unit, tmp_path):
    # a key may come twice in a unit
    parser = configparser.RawConfigParser(strict=False, delimiters=["="], comment_prefixes=["#"])
    parser.optionxform = str
    parser.read(unit)
    assert set(parser.sections()) == set(KNOWN)
    for section in parser.sections():
        assert set(parser[section]) <= KNOWN[section]
    assert parser["Service"]["ExecStart"].startswith("/")

    if shutil.which("systemd-analyze"):  # says the rest, where systemd is; the programs must exist for it
        copy = tmp_path / unit.name
        program = parser["Service"]["ExecStart"].split()[0]
        copy.write_text(unit.read_text().replace(program, shutil.which("true")))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True)
        assert unit.name not in done.stderr, done.stderr


def test_the_worker_and_the_node_agree():
    """One user, one repo of the node, and the store beside it, as one copy on disk needs."""
    worker, node = (EXAMPLES / "systemd" / name for name in ("worker.service", "ipfs.service"))
    for line in ("User=worker", "StateDirectory=worker", "IPFS_PATH=/var/lib/worker/.ipfs"):
        assert line in worker.read_text() and line in node.read_text()
    assert "IPFS_ACCELERATE_HOME=/var/lib/worker/" in worker.read_text()


def test_dockerfile():
    """hadolint has nothing to say."""
    hadolint = shutil.which("hadolint", path=sysconfig.get_path("scripts"))
    assert hadolint, "hadolint is missing: run `make venv`"
    done = subprocess.run(
        [hadolint, "--no-color", EXAMPLES / "docker" / "Dockerfile"], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_what_the_dockerfile_copies_is_there():
    lines = (EXAMPLES / "docker" / "Dockerfile").read_text().splitlines()
    sources = [word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]]
    assert sources.pop(0) == f"--from=ipfs/kubo:{KUBO}" and sources.pop(0) == "/usr/local/bin/ipfs"
    assert sources
    for source in sources:
        assert (EXAMPLES.parent / source).exists(), source
