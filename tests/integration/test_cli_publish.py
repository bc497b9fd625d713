"""`publish` with a real node, as a user calls it."""

from __future__ import annotations

import json
import re
import sys

import pytest

from tests.support.in_process import write_repo
from tests.support.local_hub import LocalHub
from tests.support.terminal import OnTerminal

SIZE = 3_000_000


@pytest.fixture
def a(machine, nodes, tmp_path):
    """A machine with a node, and org/name in its store."""
    write_repo(tmp_path / "hub", "org/name", {"config.json": b"{}", "weights.bin": b"x" * SIZE})
    with LocalHub(tmp_path / "hub") as hub:
        made = machine("a", hub=hub, IPFS_ACCELERATE_NODE=nodes(1)[0].api, IPFS_ACCELERATE_PUBLISH="off")
        assert made.hook("fetch", "org/name").returncode == 0
        yield made


def test_one_document(a):
    done = a.hook("publish", "org/name", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    assert result.keys() == {"repo", "commit", "files", "bytes", "publisher", "cid"}
    assert (result["repo"], result["files"], result["bytes"]) == ("org/name", 2, SIZE + 2)
    assert [row["published"] for row in json.loads(a.hook("ls", "--json").stdout)] == [True]


def test_a_revision_as_people_write_it(a):
    commit = a.hub.repos["models", "org/name"].refs["main"]
    done = a.hook("publish", f"org/name@{commit}", "--json")
    assert done.returncode == 0, done.stderr
    assert (json.loads(done.stdout)["repo"], json.loads(done.stdout)["commit"]) == ("org/name", commit)


def test_words_and_bars(a):
    words = [sys.executable, "-m", "ipfs_accelerate_py.hook", "publish", "org/name"]
    done = OnTerminal(words, env=a.environment, cwd=a.home)
    assert done.code == 0 and re.match(r"org/name: commit \w{40}, 2 files, 3\.0 MB, \w+ under /ipns/\w+\n", done.stdout)
    assert re.search(r"publish: 3\.00MB \[.*B/s, weights\.bin\]", done.screen)
    quiet = OnTerminal([*words, "-q"], env=a.environment, cwd=a.home)
    assert (quiet.code, quiet.stdout, quiet.screen) == (0, "", "")


def test_a_closed_repo_is_refused(a):
    a.hub.repos[("models", "org/name")].meta["private"] = True
    done = a.hook("publish", "org/name")
    assert done.returncode == 1 and done.stdout == ""
    error, hint = done.stderr.splitlines()[-2:]  # before them the log says that the Hub no longer shows it
    assert error.startswith("Error: org/name is private") and hint.startswith("Hint: add --closed")
