"""`completion`: real shells read the script, and know what the parsers know."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from ipfs_accelerate_py.cli import parser
from ipfs_accelerate_py.cli.commands import completion
from ipfs_accelerate_py.cli.program import VERBS

from .conftest import SRC


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """shell -> the file with its script."""
    folder, made = tmp_path_factory.mktemp("scripts"), {}
    for shell in ("bash", "zsh", "fish"):
        done = subprocess.run(
            [sys.executable, "-m", "ipfs_accelerate_py.hook", "completion", shell],
            env={"PYTHONPATH": str(SRC)},
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")
        made[shell] = folder / shell
        made[shell].write_text(done.stdout)
    return made


@pytest.fixture
def complete(scripts, tmp_path):
    """What bash proposes for the last of these words."""
    (tmp_path / "train.py").write_text("")
    (tmp_path / "models.lock").write_text("")

    def ask(*words):
        code = (
            f"source {scripts['bash']} || exit 1\n"
            "set -- $(complete -p ipfs-accelerate)\n"  # complete -F _ipfs_accelerate ipfs-accelerate
            'function="$3"; COMP_WORDS=(ipfs-accelerate "${WORDS[@]}"); COMP_CWORD=${#WORDS[@]}\n'
            '"$function"; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(
            ["bash", "--norc", "-c", f"WORDS=({' '.join(map(repr, words))})\n{code}"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.split()

    return ask


def test_commands(complete):
    assert complete("") == [*VERBS]
    assert complete("st") == ["status"]
    assert complete("-q", "en") == ["enable", "env"]
    assert complete("--v") == ["--version"]


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "run"])
def test_options_of_each_command(complete, verb):
    known = [option for action in parser.verb_parser(verb)._actions for option in action.option_strings]
    assert complete(verb, "-") == known
    assert complete(verb, "--js") == ["--json"]


def test_words(complete):
    assert complete("config", "g") == ["get", "gateways"]
    assert complete("config", "set", "tim") == ["timeout"]
    assert complete("completion", "") == ["bash", "zsh", "fish"]
    assert complete("gc", "--dry-run", "--max") == ["--max-size"]


def test_files(complete):
    assert complete("run", "tr") == ["train.py"]
    assert complete("lock", "--output", "mod") == ["models.lock"]
    assert complete("fetch", "mod") == []


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_can_read_theirs(scripts, shell):
    text = scripts[shell].read_text()
    for verb in VERBS:
        assert verb in text
        for option in completion.options(parser.verb_parser(verb)) if verb != "run" else ():
            assert (option if shell == "zsh" else option.lstrip("-")) in text
    if program := shutil.which(shell):
        done = subprocess.run([program, "-n", scripts[shell]], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
