"""`make node` without a node and without a Go that could build one: one line says what to install."""

import os
import re
import shutil
import subprocess

import pytest

from tests.support.documents import ROOT

MODULE = "tests/support/kubo"


@pytest.fixture
def make(tmp_path):
    """`make node` in a clone where nothing was built, with the programs named on PATH, and make and sed."""
    clone, programs = tmp_path / "clone", tmp_path / "bin"
    shutil.copytree(ROOT / MODULE, clone / MODULE)
    shutil.copy(ROOT / "Makefile", clone)
    programs.mkdir()

    def make(*names, **environment):
        for name in ("make", "sed", *names):
            (programs / name).symlink_to(shutil.which(name) or pytest.fail(f"{name} is not on PATH"))
        kept = {name: value for name, value in os.environ.items() if name not in ("IPFS_BIN", "MAKEFLAGS", "MAKELEVEL")}
        environment = {**kept, "PATH": str(programs), "GOTOOLCHAIN": "local", **environment}
        return subprocess.run(["make", "node"], cwd=clone, env=environment, capture_output=True, text=True, timeout=120)

    make.go_mod, make.programs = clone / MODULE / "go.mod", programs
    return make


def test_without_go(make):
    done = make()
    assert done.returncode != 0
    [line, _] = done.stderr.splitlines()  # the second is make's own
    wanted = re.search(r"^go (.*)$", make.go_mod.read_text(), re.MULTILINE)[1]
    assert f"install Go {wanted} or newer" in line and "IPFS_BIN" in line


def test_with_a_go_that_is_too_old(make):
    """Every Go is older than that one."""
    text = make.go_mod.read_text()
    make.go_mod.write_text(re.sub(r"^go .*$", "go 1.999.1", text, flags=re.MULTILINE))
    done = make("go")
    assert done.returncode != 0
    [line, _] = done.stderr.splitlines()
    assert "Go 1.999.1 or newer" in line and "running go 1." in line


@pytest.mark.parametrize("where", ["on PATH", "in IPFS_BIN"])
def test_a_kubo_that_is_there_is_taken(make, tmp_path, where):
    own = make.programs / "ipfs" if where == "on PATH" else tmp_path / "my-ipfs"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    done = make(**({} if where == "on PATH" else {"IPFS_BIN": str(own)}))
    assert done.returncode == 0, done.stderr
    assert "go build" not in done.stdout
