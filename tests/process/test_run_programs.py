"""`hook run PROGRAM`: other programs than Python, found as a shell finds them."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest

from .run_probe.whole import PROBE, SITE


class TestPrograms:
    def test_from_path(self, environment, work):
        done = environment.hook("run", "sh", "-c", 'echo "$PYTHONPATH" "$0" "$1"; exit 4', "a", "b", cwd=work)
        assert (done.returncode, done.stdout, done.stderr) == (4, f"{SITE} a b\n", "")

    def test_python_in_a_program_is_hooked(self, environment, work):
        done = environment.hook("run", "sh", "-c", f'"{environment.python}" probe.py', cwd=work)
        assert json.loads(done.stdout)["boot"] is True

    def test_executable_file(self, environment, work):
        (work / "program").write_text('#!/bin/sh\necho "$0" "$@"\n')
        (work / "program").chmod(0o755)
        done = environment.hook("run", "./program", "-m", "x", cwd=work)
        assert (done.returncode, done.stdout) == (0, "./program -m x\n")

    def test_executable_file_without_a_first_line(self, environment, work):
        (work / "program").write_text('echo "$@"; exit 3\n')
        (work / "program").chmod(0o755)
        done = environment.hook("run", "./program", "x", cwd=work)
        assert (done.returncode, done.stdout) == (3, "x\n")

    def test_console_script_of_the_environment(self, environment, work):
        script = environment.folder / "bin" / "tool"
        script.write_text(f"#!{environment.python}\n{PROBE}")
        script.chmod(0o755)
        environ = {**environment.environ, "PATH": f"{script.parent}{os.pathsep}{os.environ['PATH']}"}
        done = environment.hook("run", "tool", "a", cwd=work, env=environ)
        probe = json.loads(done.stdout)
        assert probe["boot"] is True and probe["argv"] == [str(script), "a"]

    def test_a_folder_of_the_programs_name_is_not_in_the_way(self, environment, work):
        (work / "sh").mkdir()
        assert environment.hook("run", "sh", "-c", "exit 6", cwd=work).returncode == 6

    @pytest.mark.parametrize(
        ("name", "code"), [("no_such_program", 127), ("./no_such_file", 127), ("locked", 126), ("./broken", 126)]
    )
    def test_what_cannot_be_started(self, environment, work, name, code):
        folder = work / "bin"
        folder.mkdir()
        (folder / "locked").write_text("")
        (work / "broken").write_text("#!/\n")
        (work / "broken").chmod(0o755)
        environ = {**environment.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
        done = environment.hook("run", name, cwd=work, env=environ)
        assert done.returncode == code
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"ipfs_accelerate: {name}: ")

    def test_a_broken_pipe_ends_it(self, environment, work):
        """Python ignores SIGPIPE; a program started by us must not."""
        code = "trap - PIPE; while :; do echo y || exit 77; done"
        process = subprocess.Popen(
            [environment.python, "-m", "ipfs_accelerate_py.hook", "run", "sh", "-c", code],
            cwd=work,
            env=environment.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.stdout.readline()
            process.stdout.close()
            assert process.wait(timeout=30) == -signal.SIGPIPE
        finally:
            process.kill()
