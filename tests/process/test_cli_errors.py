"""What a user reads when something outside is wrong; every message says what to do, and none is a traceback."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from tests.support.in_process import write_repo
from tests.support.local_hub import LocalHub

from .conftest import SRC

pytestmark = pytest.mark.lines
STORE_VERBS = {
    "ls": ["ls"],
    "fetch": ["fetch", "org/name"],
    "publish": ["publish", "org/name"],
    "verify": ["verify"],
    "lock": ["lock", "org/name"],
    "gc": ["gc"],
}


@pytest.fixture
def small_hub(tmp_path):
    """A Hub with one small repo."""
    write_repo(tmp_path / "hub", "org/name", {"config.json": b"{}", "weights.bin": b"weights" * 1000})
    with LocalHub(tmp_path / "hub") as running:
        yield running


def assert_error(done, *words, code=1):
    """One `Error:` and one `Hint:` on stderr with these words, and nothing on stdout."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["Error", "Hint"], done.stderr
    for word in words:
        assert word in done.stderr


def test_unknown_repo_says_what_the_hub_said(machine, small_hub):
    done = machine("a", hub=small_hub).hook("fetch", "org/nobody")
    assert_error(done, "org/nobody", "the Hub answered: 401", "hf auth login")


def test_unknown_revision_says_what_the_hub_said(machine, small_hub):
    done = machine("a", hub=small_hub).hook("fetch", "org/name", "--revision", "v9", "--json")
    assert_error(done, "'v9'", "the Hub answered: 404", "a branch, a tag or a commit")


def test_a_gated_repo_says_how_to_log_in(machine, small_hub, tmp_path):
    meta = json.dumps({"gated": "manual", "allow": ["alice"]}).encode()
    write_repo(tmp_path / "hub", "org/gated", {"config.json": b"{}", "hub.json": meta})
    small_hub.scan()
    a = machine("a", hub=small_hub)
    assert_error(a.hook("fetch", "org/gated"), "the Hub does not give it to us: 401", "hf auth login")
    offline = {"HF_HUB_OFFLINE": "1"}
    assert_error(a.hook("fetch", "org/gated", env=offline), "no source has config.json", "because HF_HUB_OFFLINE")
    assert_error(a.hook("fetch", "org/name", env=offline), "could not be asked", "unset HF_HUB_OFFLINE")


def test_no_network(machine):
    done = machine("a").hook("fetch", "org/name")
    assert_error(done, "the Hub could not be asked at http://127.0.0.1:9: ", "try again")
    assert done.stderr.count("127.0.0.1:9") == 1, "the address is said once"


def test_no_network_with_a_password_in_the_address(machine):
    done = machine("a").hook("fetch", "org/name", env={"HF_ENDPOINT": "http://me:s3cret@127.0.0.1:9"})
    assert_error(done, "the Hub could not be asked at http://me:***@127.0.0.1:9: ")
    assert "s3cret" not in done.stderr


def test_no_repo_id(machine):
    done = machine("a").hook("fetch", "../../etc")
    assert done.returncode == 1 and done.stderr.startswith("Error: '../../etc' is not a repo id")


def test_no_node(machine, small_hub):
    done = machine("a", hub=small_hub).hook("publish", "org/name")
    assert_error(done, "no IPFS node", "ipfs daemon", "IPFS_ACCELERATE_NODE")


def test_a_node_that_is_not_there(machine, small_hub):
    done = machine("a", hub=small_hub, IPFS_ACCELERATE_NODE="/ip4/127.0.0.1/tcp/9").hook("publish", "org/name")
    assert_error(done, "/ip4/127.0.0.1/tcp/9")


def test_one_of_two_repos_fails(machine, small_hub):
    done = machine("a", hub=small_hub).hook("fetch", "org/nobody", "org/name", "--json")
    assert done.returncode == 1
    assert [row["repo"] for row in json.loads(done.stdout)] == ["org/name"]
    assert done.stderr.startswith("Error: org/nobody: ") and "\nHint: " in done.stderr


def test_no_permission(machine, small_hub):
    """As nobody, for root may write everywhere."""
    a = machine("a", hub=small_hub)
    a.store.mkdir(parents=True)
    a.store.chmod(0o555)
    code = (
        "import os, sys\n"
        "from ipfs_accelerate_py.cli import main as cli\n"
        "cli.main(['fetch', 'org/name', '-q', '--revision', 'v9'])\n"  # all imports are done before root becomes nobody
        "sys.stderr.flush(); print('---', file=sys.stderr, flush=True)\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "sys.exit(cli.main(['fetch', 'org/name']))\n"
    )
    done = a.run(code, hooked=False)
    error = done.stderr.partition("---\n")[2]
    assert done.returncode == 1 and done.stdout == ""
    # which of the two depends on who may enter the folders above
    assert re.match(rf"Error: the store {a.store} cannot be (read|written): Permission denied\n", error), error
    assert [line.partition(":")[0] for line in error.splitlines()] == ["Error", "Hint"]
    assert "IPFS_ACCELERATE_HOME" in error


def test_a_store_that_is_a_file(machine, small_hub):
    a = machine("a", hub=small_hub)
    a.store.parent.mkdir(parents=True)
    a.store.write_text("not a folder")
    assert_error(a.hook("fetch", "org/name"), str(a.store), "IPFS_ACCELERATE_HOME")


@pytest.mark.parametrize("verb", STORE_VERBS)
def test_a_store_of_a_newer_layout_is_left_alone(machine, small_hub, verb):
    a = machine("a", hub=small_hub)
    mark = a.store / ".locks" / "ipfs_accelerate" / "layout"
    mark.parent.mkdir(parents=True)
    mark.write_text("2\n")
    assert_error(a.hook(*STORE_VERBS[verb]), str(a.store), "layout '2'", "upgrade ipfs_accelerate_py")
    assert [path for path in a.store.rglob("*") if path.is_file()] == [mark]


@pytest.mark.parametrize("text", ["1", "1\n"])
def test_a_store_of_this_layout(machine, text):
    a = machine("a")
    mark = a.store / ".locks" / "ipfs_accelerate" / "layout"
    mark.parent.mkdir(parents=True)
    mark.write_text(text)
    assert a.hook("ls").returncode == 0


def test_what_cannot_be_repaired_now_is_fetched_by_the_hint(machine, small_hub):
    a = machine("a", hub=small_hub)
    assert a.hook("fetch", "org/name").returncode == 0
    (weights,) = [path for path in a.store.rglob("weights.bin") if "snapshots" in path.parts]
    whole = weights.read_bytes()
    weights.chmod(0o644)
    weights.write_bytes(whole[:-1] + b"X")
    done = a.hook("verify", "--repair", env={"HF_ENDPOINT": "http://127.0.0.1:9"})
    assert done.returncode == 3 and not weights.exists(), done.stderr
    hint = done.stderr.splitlines()[-1].rpartition("python -m ipfs_accelerate_py.hook ")[2]
    assert hint == "fetch org/name"
    assert a.hook(*hint.split()).returncode == 0
    assert weights.read_bytes() == whole


def test_debug_gives_the_traceback(machine):
    done = machine("a").hook("fetch", "org/name", "--debug")
    assert done.returncode == 1 and "Traceback (most recent call last)" in done.stderr


def test_a_mistake_of_ours_is_no_traceback_either(machine):
    code = (
        "import sys; from ipfs_accelerate_py.cli import main; from ipfs_accelerate_py.startup import files\n"
        "def enable(*args, **options): raise RuntimeError('boom')\n"
        "files.enable = enable\n"
        "sys.exit(main.main(['enable']))"
    )
    assert_error(machine("a").run(code, hooked=False), "Error: boom", "--debug")


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("words", [["fetch", "org/name"], ["fetch", "org/name", "--json"]])
def test_control_c(machine, small_hub, words):
    small_hub.fault(match=r"weights\.bin", latency=60)
    a = machine("a", hub=small_hub)
    process = subprocess.Popen(
        [sys.executable, "-m", "ipfs_accelerate_py.hook", *words],
        env={**a.environment, "IPFS_ACCELERATE_TIMEOUT": "60"},
        cwd=a.home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for _ in range(600):
            if any("weights.bin" in request["path"] for request in small_hub.log):
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert out == "" and "Traceback" not in err and "Exception" not in err
    assert not list(a.store.rglob("weights.bin"))
    assert a.hook(*words, "-q", env={"HF_ENDPOINT": "http://127.0.0.1:9"}).returncode == 1  # not a trace of half a file


def test_control_c_at_any_moment_of_the_start(clean_environment, tmp_path):
    """However early it comes: no traceback once `main` runs."""
    code = (
        "import os, signal, sys, threading\n"
        "from ipfs_accelerate_py.cli import main as cli\n"
        "signal.setitimer(signal.ITIMER_REAL, float(sys.argv[1]))\n"
        "signal.signal(signal.SIGALRM, signal.default_int_handler)\n"
        "sys.exit(cli.main(['doctor', '-q']))"
    )
    environ = {**clean_environment, "PYTHONPATH": str(SRC), "HF_ENDPOINT": "http://127.0.0.1:9"}
    environ["IPFS_PATH"] = os.fspath(tmp_path)
    for seconds in ("0.001", "0.01", "0.03", "0.1"):
        done = subprocess.run(
            [sys.executable, "-c", code, seconds], env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stdout, done.stderr) == (130, "", ""), seconds
