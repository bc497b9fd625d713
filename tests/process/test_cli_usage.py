"""The command line before any work: help, usage errors, and what all messages have in common."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest

from ipfs_accelerate_py import __version__
from ipfs_accelerate_py.cli import parser
from ipfs_accelerate_py.cli.program import PROGRAM, VERBS

from .conftest import SRC

WORK_VERBS = [verb for verb in VERBS if verb != "run"]


@pytest.fixture
def hook(clean_environment, tmp_path):
    """Runs a command in a fresh interpreter."""
    environ = {**clean_environment, "PYTHONPATH": str(SRC), "COLUMNS": "100"}

    def run(*words, **options):
        options = {"env": {**environ, **options.pop("more", {})}, "cwd": tmp_path, "timeout": 60, **options}
        return subprocess.run(
            [sys.executable, "-m", "ipfs_accelerate_py.hook", *words], capture_output=True, text=True, **options
        )

    return run


def is_usage_error(done):
    lines = done.stderr.splitlines()
    return (
        done.returncode == 2
        and done.stdout == ""
        and len(lines) == 2
        and lines[0].startswith("Error: ")
        and lines[1].startswith("Hint: ")
    )


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_examples_and_no_control_codes(hook, verb):
    done = hook(verb, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "examples:" in done.stdout and f"{PROGRAM} {verb}" in done.stdout.partition("examples:")[2]
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.stdout)
    assert verb == "run" or all(option in done.stdout for option in ("--json", "--quiet", "--debug"))
    if verb != "run":
        assert hook(verb, "-h").stdout == done.stdout


@pytest.mark.parametrize("verb", WORK_VERBS)
def test_examples_can_be_called(verb):
    for line in parser.load(verb).EXAMPLES.splitlines():
        words = shlex.split(line.partition(" > ")[0])
        assert words[0] == verb
        assert parser.parse(words).execute is parser.load(verb).execute


def test_help_without_a_command_lists_them_all(hook):
    done = hook("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"^  (\w+)  ", done.stdout.partition("commands:")[2], re.MULTILINE) == [*VERBS]


def test_version(hook):
    assert hook("--version").stdout == f"ipfs_accelerate_py {__version__}\n"


MISTAKES = {
    "no command": ([], "no command", "fetch"),
    "nothing but options": (["-q"], "no command", "fetch"),
    "unknown command": (["stauts"], "'stauts'", "did you mean 'status'?"),
    "nothing like it": (["xyzzy"], "'xyzzy'", "commands are run, enable"),
    "unknown option": (["fetch", "--jso", "org/name"], "--jso", "did you mean '--json'?"),
    "shortened option": (["fetch", "--rev", "v1", "org/name"], "--rev", "did you mean '--revision'?"),
    "an option of the program": (["status", "--version"], "--version", "status has -h, --help"),
    "an option before the command": (["--hlep", "status"], "--hlep", "did you mean '--help'?"),
    "an option without a command": (["--hlep"], "--hlep", "did you mean '--help'?"),
    "nothing like an option": (["--xyzzy"], "--xyzzy", "options are -h, --help"),
    "nothing but an end of options": (["--"], "no command", "fetch"),
    "an option behind the end of options": (["status", "--", "--json"], "--json", "status --help"),
    "an argument too many": (["status", "now"], "now", "status --help"),
    "an argument too few": (["fetch"], "REPO", "fetch --help"),
    "no value": (["gc", "--older-than"], "--older-than", "gc --help"),
    "no age": (["gc", "--older-than", "30"], "'30' is no age", "gc --help"),
    "no size": (["gc", "--max-size", "50XB"], "'50XB' is no size", "gc --help"),
    "no finite size": (["gc", "--max-size", "9" * 400 + "PB"], "9PB' is no size", "gc --help"),
    "no finite age": (["gc", "--older-than", "9" * 400 + "d"], "9d' is no age", "gc --help"),
    "two environments": (["enable", "--user", "--venv", "x"], "not allowed with", "enable --help"),
    "unknown shell": (["completion", "tcsh"], "'tcsh'", "completion --help"),
    "unknown setting": (["config", "get", "timout"], "'timout'", "did you mean 'timeout'?"),
    "unknown variable": (["config", "set", "IPFS_ACCELERATE_NOD", "off"], "'nod'", "did you mean 'node'?"),
    "set without a value": (["config", "set", "timeout"], "KEY and VALUE", "config set timeout 2.5"),
    "set to nothing": (["config", "set", "timeout", ""], "needs a value", "unset"),
    "set to no folder": (["config", "set", "lower", ":"], "lower needs a value", "unset lower"),
    "set to no publisher": (["config", "set", "publishers", " ,"], "publishers needs a value", "unset publishers"),
    "get with a value": (["config", "get", "timeout", "1"], "KEY", "config get timeout"),
    "unknown action": (["config", "put", "timeout", "1"], "'put'", "config --help"),
    "run without a target": (["run"], "TARGET", "run --help"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_usage_error(hook, name):
    words, error, hint = MISTAKES[name]
    done = hook(*words)
    assert is_usage_error(done), done
    message, proposal = done.stderr.splitlines()
    assert error in message and hint in proposal


def test_main_gives_the_code_back_instead_of_ending_the_process(capsys):
    from ipfs_accelerate_py.cli.main import main

    assert main(["stauts"]) == 2
    assert main(["status", "--help"]) == 0
    assert "did you mean" in capsys.readouterr().err


def test_options_may_stand_before_the_command(hook):
    assert hook("--json", "status").stdout.startswith("{")
    assert hook("-q", "status").stdout == ""


@pytest.mark.parametrize("words", [["status", "--json", "--"], ["--", "status", "--json"], ["--json", "--", "status"]])
def test_the_end_of_the_options_may_be_marked(hook, words):
    done = hook(*words)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("{")


def test_without_stderr_nothing_of_it_comes_to_stdout(hook):
    """As after `2>&-`, where Python has no sys.stderr, and print would take stdout instead."""
    code = (
        "import os, sys; os.close(2); os.execv(sys.executable, [sys.executable, '-m', 'ipfs_accelerate_py.hook', *{}])"
    )
    for words in (["stauts"], ["status", "--jso"], ["config", "set", "timeout", ""]):
        done = subprocess.run(
            [sys.executable, "-c", code.format(words)],
            env={**os.environ, "PYTHONPATH": str(SRC)},
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stdout) == (2, ""), words


def test_only_the_module_of_the_command_is_imported(hook):
    code = (
        "import sys; from ipfs_accelerate_py.cli.main import main; main(['status', '-q'])\n"
        "print(*sorted(name for name in sys.modules if '.commands.' in name))\n"
        "print(*{'huggingface_hub', 'tqdm', 'requests', 'httpx', 'wrapt', 'ipfshttpclient'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(SRC)}
    )
    ours, foreign = done.stdout.splitlines()
    assert {name.rpartition(".")[2] for name in ours.split()} == {"status"}
    assert foreign == ""
