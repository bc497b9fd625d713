"""`hook run PROGRAM`: other programs than Python, found as a shell finds them."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest
import wrapt

from .conftest import SRC
from .run_probe.whole import PROBE, SITE

PACKAGES = os.path.dirname(os.path.dirname(wrapt.__file__))


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
        assert probe["boot"] is True and probe["argv"] == [str(script), "a"] and done.stderr == ""

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


class TestOtherPythons:
    """A program that is the Python of another environment, or whose first line names it."""

    @pytest.fixture
    def tool(self, work):
        """`tool("#!...")`: the program ./tool with this first line."""

        def make(first_line):
            (work / "tool").write_text(f"{first_line}\nprint('done')\n")
            (work / "tool").chmod(0o755)

        return make

    @pytest.mark.parametrize(
        "first_line", ["#!{0}/python", "#!{0}/python -Es", "#! {0}/python\t-u ", "#!/usr/bin/env python"]
    )
    def test_one_without_the_package_is_named(self, environment, bare_environment, work, tool, first_line):
        folder = bare_environment.folder / "bin"
        tool(first_line.format(folder))
        environment.copy_package()  # a source folder would be found by any Python
        environ = {**environment.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
        done = environment.hook("run", "./tool", cwd=work, env=environ)
        assert (done.returncode, done.stdout) == (0, "done\n")
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"ipfs_accelerate: the hook cannot reach {folder}/python, which runs ./tool: ")
        quiet = environment.hook("-q", "run", "./tool", cwd=work, env=environ)
        assert (quiet.stdout, quiet.stderr) == ("done\n", "")
        off = environment.hook("run", "./tool", cwd=work, env={**environ, "IPFS_ACCELERATE": "0"})
        (line,) = off.stderr.splitlines()
        assert "the hook is off because of IPFS_ACCELERATE" in line

    def test_one_that_lacks_the_startup_file_is_named(self, environment, bare_environment, work, tool):
        assert environment.hook("enable").returncode == 0  # then children are not reached by PYTHONPATH
        (bare_environment.site / "packages.pth").write_text(
            f"{SRC}\n{os.path.dirname(os.path.dirname(wrapt.__file__))}\n"
        )
        tool(f"#!{bare_environment.python}")
        done = environment.hook("run", "./tool", cwd=work)
        assert done.stdout == "done\n" and "the hook cannot reach" in done.stderr
        assert bare_environment.hook("enable").returncode == 0
        done = environment.hook("run", "./tool", cwd=work)
        assert (done.stdout, done.stderr) == ("done\n", "")

    def test_one_that_the_hook_reaches_is_not(self, environment, bare_environment, work, tool):
        (bare_environment.site / "packages.pth").write_text(f"{PACKAGES}\n")
        tool(f"#!{bare_environment.python}")
        done = environment.hook("run", "./tool", cwd=work)
        assert (done.stdout, done.stderr) == ("done\n", "")

    @pytest.mark.parametrize(
        "first_line", ["#!{0}/python -m pip", "#!{0}/python -c print('done')#", "#!/usr/bin/env -i python"]
    )
    def test_nothing_of_the_first_line_is_run_twice(self, environment, bare_environment, work, tool, first_line):
        tool(first_line.format(bare_environment.folder / "bin"))
        done = environment.hook("run", "./tool", cwd=work)
        assert "the hook cannot reach" not in done.stderr
        assert done.stdout.count("done") <= 1

    @pytest.mark.parametrize(
        "words",
        [
            ["{0}/python", "say.py"],
            ["python", "say.py"],
            ["{0}/python", "-u", "-W", "default", "say.py"],
            ["{0}/python", "-Esc", "print('done')"],
            ["/usr/bin/env", "python", "say.py"],
        ],
        ids=" ".join,
    )
    def test_a_python_without_the_package_is_named(self, environment, bare_environment, work, words):
        folder = bare_environment.folder / "bin"
        (work / "say.py").write_text("print('done')\n")
        environment.copy_package()
        environ = {**environment.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
        words = [word.format(folder) for word in words]
        done = environment.hook("run", *words, cwd=work, env=environ)
        assert (done.returncode, done.stdout) == (0, "done\n")
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"ipfs_accelerate: the hook cannot reach {folder}/python: ")
        quiet = environment.hook("-q", "run", *words, cwd=work, env=environ)
        assert (quiet.stdout, quiet.stderr) == ("done\n", "")

    def test_a_python_that_the_hook_reaches_is_not(self, environment, bare_environment, work):
        (bare_environment.site / "packages.pth").write_text(f"{PACKAGES}\n")
        for python in (bare_environment.python, environment.python):
            done = environment.hook("run", python, "-c", "print('done')", cwd=work)
            assert (done.stdout, done.stderr) == ("done\n", "")

    @pytest.mark.parametrize("option", ["-V", "--version", "-h"])
    def test_a_python_that_runs_nothing_is_not(self, environment, bare_environment, work, option):
        environment.copy_package()
        done = environment.hook("run", bare_environment.python, option, cwd=work)
        assert (done.returncode, done.stderr) == (0, "")

    def test_a_tool_named_like_python_runs_once(self, environment, work):
        (work / "python-tool").write_text("#!/bin/sh\necho run >> log\n")
        (work / "python-tool").chmod(0o755)
        assert environment.hook("run", "./python-tool", cwd=work).stderr == ""
        assert (work / "log").read_text() == "run\n"
