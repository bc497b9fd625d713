"""Progress on a real terminal: in our commands and in a user's program, and everywhere else not a byte of it."""

from __future__ import annotations

import json
import re
import sys

import pytest

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
