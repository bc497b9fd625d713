"""Progress on a real terminal: in our commands and in a user's program, and everywhere else not a byte of it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ipfs_accelerate_py.store import partial
from tests.support.fault_server import FolderServer
from tests.support.in_process import write_repo
from tests.support.local_hub import LocalHub
from tests.support.terminal import OnTerminal

pytestmark = pytest.mark.lines
HOOK = ["-m", "ipfs_accelerate_py.hook"]
LOAD = "from transformers.utils.hub import cached_file; print(cached_file('org/name', 'weights.bin'))"
SIZE = 3_000_000


@pytest.fixture(scope="module")
def small_hub(tmp_path_factory):
    """A Hub with one repo of two files."""
    folder = tmp_path_factory.mktemp("hub")
    write_repo(folder, "org/name", {"config.json": b'{"model_type": "bert"}', "weights.bin": b"x" * SIZE})
    with LocalHub(folder) as running:
        yield running


@pytest.fixture
def mirrored(machine, small_hub):
    """A machine that gets its bytes from a mirror: a source whose bars are ours."""
    other = machine("other", hub=small_hub)
    assert other.hook("fetch", "org/name").returncode == 0
    return machine("a", hub=small_hub, IPFS_ACCELERATE_MIRRORS=f"file://{other.store}", IPFS_ACCELERATE="1")


def on_terminal(a, *words, env=None, **options):
    done = OnTerminal([sys.executable, *words], env={**a.environment, **(env or {})}, cwd=a.home, **options)
    assert done.code == 0, done.screen
    return done


def bars(done):
    """name -> how its bar looked last."""
    lines = [line.split("\r")[-1] for line in done.screen.replace("\r\n", "\n").splitlines()]
    return {line.partition(":")[0]: line for line in lines if "B/s" in line}


def test_fetch_names_bytes_rate_and_source(mirrored):
    done = on_terminal(mirrored, *HOOK, "fetch", "org/name")
    shown = bars(done)
    assert shown.keys() == {"config.json", "weights.bin"}
    assert re.search(r"100%.* 3\.00M/3\.00M \[.*B/s, mirror file:.*\]", shown["weights.bin"])
    assert "B/s" not in done.stdout and "2 from mirror" in done.stdout


def test_fetch_from_the_hub_shows_its_clients_own_bar_once(machine, small_hub):
    done = on_terminal(machine("a", hub=small_hub), *HOOK, "fetch", "org/name")
    assert re.search("100%.*3.00M/3.00M", bars(done)["weights.bin"])
    assert done.screen.count("weights.bin:   0%") == 1


@pytest.mark.parametrize("words", [["verify"], ["gc", "--max-size", "0B"]])
def test_verify_and_gc(mirrored, words):
    mirrored.hook("fetch", "org/name")
    shown = bars(on_terminal(mirrored, *HOOK, *words))
    assert re.match(rf"{words[0]}: 3\.00MB \[", shown[words[0]])


SILENT = {
    "quiet": (["-q"], {}),
    "json": (["--json"], {}),
    "switched off": ([], {"HF_HUB_DISABLE_PROGRESS_BARS": "1"}),
    "json, though bars are forced": (["--json"], {"HF_HUB_DISABLE_PROGRESS_BARS": "0"}),
}


@pytest.mark.parametrize("name", SILENT)
@pytest.mark.parametrize("source", ["mirror", "hub"])
def test_silent(mirrored, name, source):
    words, env = SILENT[name]
    if source == "hub":
        env = {**env, "IPFS_ACCELERATE_MIRRORS": ""}
    done = on_terminal(mirrored, *HOOK, "fetch", "org/name", *words, env=env)
    assert done.screen == ""
    if "--json" in words:
        assert json.loads(done.stdout)["sources"].keys() == {source}


def test_not_a_terminal(mirrored):
    done = mirrored.hook("fetch", "org/name")
    assert (done.returncode, done.stderr) == (0, "") and "\r" not in done.stdout


def test_a_users_program_gets_the_bars_of_huggingface_hub(mirrored):
    done = on_terminal(mirrored, *HOOK, "run", "-c", LOAD)
    assert "mirror" in bars(done)["weights.bin"]
    assert done.stdout.startswith(str(mirrored.store)) and len(done.stdout.splitlines()) == 1


def test_what_an_earlier_load_left_is_not_counted_as_anybodys(mirrored):
    content = b"x" * SIZE
    etag = hashlib.sha256(content).hexdigest()
    blobs = mirrored.store / "models--org--name" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{partial.prefix(etag).replace(str(os.getpid()), '4194305')}abcd.incomplete").write_bytes(
        content[: 2 << 20]
    )
    done = on_terminal(mirrored, *HOOK, "run", "-c", LOAD)
    drawn = [line for line in done.screen.split("\r") if line.startswith("weights.bin")]
    assert "2.10M/3.00M" in drawn[0] and "3.00M/3.00M" in drawn[-1]
    assert "mirror" in drawn[-1] and "lower tier" not in done.screen


def test_our_bar_leaves_when_the_hubs_client_draws_its_own(mirrored, small_hub):
    """Two in one place would be moved about by control codes."""
    other = urlsplit(mirrored.environment["IPFS_ACCELERATE_MIRRORS"]).path
    with FolderServer(Path(other)) as mirror:
        mirror.set_fault("stalls midway", "weights.bin")
        env = {"IPFS_ACCELERATE_MIRRORS": mirror.url, "NO_COLOR": "1", "TERM": "xterm-256color"}
        done = on_terminal(mirrored, *HOOK, "run", "-c", LOAD, env=env)
    drawn = [line for line in done.screen.split("\r") if line.startswith("weights.bin")]
    assert "| 0.00/3.00M" in drawn[0] and "3.00M/3.00M" in drawn[-1], "ours from the beginning, then the client's"
    assert "\x1b" not in done.screen and done.screen.count("\n") == 1


TURNED_OFF = {
    "the variable": ("", {"HF_HUB_DISABLE_PROGRESS_BARS": "1"}),
    "transformers": ("import transformers.utils.logging as t; t.disable_progress_bar()\n", {}),
    "huggingface_hub": ("import huggingface_hub.utils as u; u.disable_progress_bars()\n", {}),
    "its downloads": ("import huggingface_hub.utils as u; u.disable_progress_bars('huggingface_hub.http_get')\n", {}),
}


@pytest.mark.parametrize("name", TURNED_OFF)
def test_what_turns_off_those_of_huggingface_hub_turns_off_ours(mirrored, name):
    code, env = TURNED_OFF[name]
    done = on_terminal(mirrored, *HOOK, "run", "-c", code + LOAD, env=env)
    assert bars(done) == {} and done.stdout.startswith(str(mirrored.store))


def test_a_users_program_in_a_pipe(mirrored):
    done = mirrored.run(LOAD)
    assert (done.returncode, done.stderr) == (0, "") and len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize("words", [["status"], ["ls"], ["config"], ["fetch", "--help"], ["stauts"]])
def test_no_colour_and_no_control_codes_with_no_color(mirrored, words):
    environment = {**mirrored.environment, "NO_COLOR": "1", "TERM": "xterm-256color"}
    done = OnTerminal([sys.executable, *HOOK, *words], env=environment, cwd=mirrored.home, stdout_too=True)
    assert done.screen and not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", done.screen)
