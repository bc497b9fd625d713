"""Streams that are closed, full, left by their reader, or cannot hold every character."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from .conftest import SRC

FULL = "/dev/full"


@pytest.fixture
def shell(clean_environment, tmp_path):
    """Runs a line in which `hook` is the command line; what went to stdout, and to a file that the line may name."""

    def run(line, **environ):
        command = f'hook() {{ {sys.executable} -m ipfs_accelerate_py.hook "$@"; }}\n{line}'
        return subprocess.run(
            ["sh", "-c", command],
            env={**clean_environment, "PYTHONPATH": str(SRC), **environ},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_a_reader_that_goes_away_is_no_error(clean_environment, tmp_path):
    environ = {**clean_environment, "PYTHONPATH": str(SRC)}
    for words in (["completion", "bash"], ["fetch", "--help"], ["env", "--json"]):
        read, write = os.pipe()
        os.close(read)
        try:
            done = subprocess.run(
                [sys.executable, "-m", "ipfs_accelerate_py.hook", *words],
                env=environ,
                cwd=tmp_path,
                stdout=write,
                stderr=subprocess.PIPE,
                text=True,
                timeout=60,
            )
        finally:
            os.close(write)
        assert (done.returncode, done.stderr) == (0, ""), words


@pytest.mark.skipif(not os.path.exists(FULL), reason="this system has no /dev/full")
@pytest.mark.parametrize("words", ["status", "--help", "gc --json", "ls --json", "config"])
def test_a_full_stdout_is_one_error(shell, words):
    done = shell(f"hook {words} > {FULL}")
    assert done.stderr.splitlines() == ["Error: stdout cannot be written: No space left on device"]
    assert done.returncode == 1


@pytest.mark.skipif(not os.path.exists(FULL), reason="this system has no /dev/full")
def test_a_full_stderr_changes_nothing(shell):
    for words, code in (("nope", 2), ("fetch", 2), ("fetch 'not a name'", 1), ("verify no/such --json", 1)):
        done = shell(f"hook {words} 2> {FULL}")
        assert (done.returncode, done.stdout) == (code, ""), words


def test_a_closed_stderr_is_not_stdout(shell):
    off = shell("hook run -c 'print(1)' 2>&-", IPFS_ACCELERATE="0")
    assert (off.returncode, off.stdout) == (0, "1\n")
    for words, code in (("fetch 'not a name' --json", 1), ("nope", 2), ("fetch", 2), ("run no-such-program", 127)):
        done = shell(f"hook {words} 2>&-")
        assert (done.returncode, done.stdout) == (code, ""), words


def test_a_closed_stdout(shell):
    assert shell("hook status >&-").returncode == 0


def test_a_stdout_of_few_characters(shell, tmp_path):
    """What it cannot hold is written in ASCII, and the work counts as done."""
    folder = tmp_path / "модель"
    done = shell(f"hook config set home {folder} && hook config get home", PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and done.stderr == ""
    assert str(folder).encode("ascii", "backslashreplace").decode() in done.stdout
    answer = shell("hook config get home --json", PYTHONIOENCODING="ascii")
    assert str(folder) in json.dumps(json.loads(answer.stdout), ensure_ascii=False)


def test_run_leaves_out_its_line_with_quiet(shell):
    for words, lines in (("run", 1), ("-q run", 0)):
        done = shell(f"hook {words} -c 'print(1)'", IPFS_ACCELERATE="0")
        assert (done.stdout, len(done.stderr.splitlines())) == ("1\n", lines)


def test_warnings_as_errors(shell):
    """Encodings that are left to the locale are errors for some users; ours are given."""
    strict = {"PYTHONWARNDEFAULTENCODING": "1", "PYTHONWARNINGS": "error::EncodingWarning"}
    for words in ("status", "ls", "gc", "config", "env", "verify", "lock --output x.lock"):
        assert "encoding" not in shell(f"hook {words}", **strict).stderr, words
