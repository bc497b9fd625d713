"""`hook run X` is `python X`: one probe, many forms, and what differs is one folder on sys.path."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile

import pytest

from .conftest import SRC

SITE = str(SRC / "ipfs_accelerate_py" / "hook" / "site")
PROBE = """\
import json, os, sys
main = sys.modules["__main__"]
flags = {name: getattr(sys.flags, name) for name in dir(sys.flags) if not name.startswith(("_", "n_", "count", "ind"))}
print(json.dumps({
    "argv": sys.argv,
    "path": sys.path,
    "main": {name: repr(getattr(main, name, "absent")) for name in
             ("__name__", "__file__", "__package__", "__doc__", "__cached__", "__annotations__")},
    "loader": type(main.__loader__).__name__,
    "spec": main.__spec__ and main.__spec__.name,
    "flags": flags,
    "warnoptions": sys.warnoptions,
    "xoptions": sys._xoptions,
    "orig_argv": sys.orig_argv[1:],
    "executable": sys.executable,
    "prefix": sys.prefix,
    "stdin": sys.stdin.read() if "read" in sys.argv else None,
    "sitecustomize": getattr(sys.modules.get("sitecustomize"), "__file__", None),
    "environ": {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "_")},
    "PYTHONPATH": os.environ.get("PYTHONPATH"),
    "boot": "_ipfs_accelerate_boot" in sys.modules,
}))
"""


@pytest.fixture
def work(tmp_path):
    """A working folder with the probe in all the shapes that Python can run."""
    folder = tmp_path / "work"
    (folder / "package").mkdir(parents=True)
    (folder / "folder").mkdir()
    (folder / "probe.py").write_text(PROBE)
    (folder / "no_suffix").write_text(PROBE)
    (folder / "package" / "__init__.py").write_text("")
    (folder / "package" / "__main__.py").write_text(PROBE)
    (folder / "package" / "part.py").write_text(PROBE)
    (folder / "folder" / "__main__.py").write_text(PROBE)
    with zipfile.ZipFile(folder / "app.zip", "w") as archive:
        archive.writestr("__main__.py", PROBE)
    data = (folder / "app.zip").read_bytes()
    (folder / "app").write_bytes(b"#!/usr/bin/env python3\n" + data)
    (folder / "app").chmod(0o755)
    return folder


FORMS = {
    "script": ["probe.py"],
    "script with arguments": ["probe.py", "-x", "--", "--debug", "run", "-m", ""],
    "script by path": ["./probe.py", "a"],
    "script without suffix": ["no_suffix", "a"],
    "folder": ["folder", "a"],
    "zip application": ["app.zip", "a"],
    "executable zip application": ["./app", "a"],
    "module": ["-m", "package.part", "-q", "a"],
    "module in one word": ["-mpackage.part", "a"],
    "package": ["-m", "package"],
    "code": ["-c", PROBE, "-h", "a"],
    "code after options": ["-Bc", PROBE, "a"],
    "stdin": ["-", "a"],
    "options": ["-O", "-B", "-u", "-W", "error::UserWarning", "-X", "utf8", "-Xdev", "probe.py", "a"],
    "joined options": ["-OBuWignore", "probe.py"],
    "no user site": ["-s", "probe.py"],
    "dashes": ["--", "probe.py", "a"],
    "pycs": ["--check-hash-based-pycs", "always", "probe.py"],
}


def compare(environment, work, words, **options):
    """Both runs' probe output; they are equal in exit code, stderr, and all but what `run` is there for."""
    plain = environment.run(*words, cwd=work, **options)
    hooked = environment.hook("run", *words, cwd=work, **options)
    assert (hooked.returncode, hooked.stderr) == (plain.returncode, plain.stderr)
    return json.loads(plain.stdout), json.loads(hooked.stdout)


def check(plain, hooked):
    assert hooked.pop("boot") is True and plain.pop("boot") is False
    path, python_path = hooked.pop("path"), hooked.pop("PYTHONPATH")
    assert path.count(SITE) == 1 and path[0] != SITE
    path.remove(SITE)
    assert path == plain.pop("path")
    theirs = plain.pop("PYTHONPATH")
    assert python_path == (f"{SITE}{os.pathsep}{theirs}" if theirs else SITE)
    assert hooked == plain


@pytest.mark.parametrize("form", FORMS)
def test_equals_python(environment, work, form):
    words = FORMS[form]
    options = {"input": PROBE} if "-" in words[:1] else {"stdin": subprocess.DEVNULL}
    check(*compare(environment, work, words, **options))


def test_stdin_is_the_programs(environment, work):
    plain, hooked = compare(environment, work, ["probe.py", "read"], input="for the program\n")
    assert hooked["stdin"] == "for the program\n"
    check(plain, hooked)


def test_users_pythonpath_comes_after_ours(environment, work, tmp_path):
    environ = {**environment.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}relative"}
    check(*compare(environment, work, ["probe.py"], env=environ))


def test_files_of_the_current_folder_are_not_loaded(environment, work, tmp_path):
    """`python -m` puts that folder first; a logging.py there is the user's, not the standard library's."""
    folder = tmp_path / "shadows"
    folder.mkdir()
    for name in ("logging", "argparse", "signal", "zipfile", "site", "json", "platformdirs", "sysconfig"):
        (folder / f"{name}.py").write_text(f"print('the wrong {name}')\n")
    check(*compare(environment, folder, [str(work / "probe.py")]))


def test_options_before_the_module_count_too(environment, work):
    plain = json.loads(environment.run("-X", "dev", "-O", work / "probe.py", cwd=work).stdout)
    hooked = environment.run("-X", "dev", "-O", "-m", "ipfs_accelerate_py.hook", "run", work / "probe.py", cwd=work)
    check(plain, json.loads(hooked.stdout))


@pytest.mark.skipif(sys.version_info < (3, 11), reason="-P came with Python 3.11")
def test_our_folder_is_never_the_first_with_a_safe_path(environment, work):
    plain, hooked = compare(environment, work, ["-P", "probe.py"])
    assert hooked["path"] == plain["path"] and hooked["boot"] is True


def test_with_a_startup_file_nothing_is_added(environment, work):
    environment.hook("enable")
    plain, hooked = compare(environment, work, ["probe.py"])
    assert hooked == plain and hooked["boot"] is True
    for option in ("-I", "-E"):
        plain, hooked = compare(environment, work, [option, "probe.py"])
        assert hooked == plain and hooked["boot"] is True


@pytest.mark.parametrize("option", ["-I", "-E", "-S"])
def test_options_that_shut_the_hook_out_are_named(environment, work, option):
    plain = environment.run(option, "probe.py", cwd=work)
    hooked = environment.hook("run", option, "probe.py", cwd=work)
    (line,) = hooked.stderr.splitlines()
    assert option in line and "plain Python" in line
    assert hooked.returncode == 0 and json.loads(hooked.stdout) == json.loads(plain.stdout)


@pytest.mark.parametrize(
    "variable, value",
    [("IPFS_ACCELERATE", "0"), ("CI", "true"), ("TRANSFORMERS_PATCH_DISABLE", "1"), ("IPFS_KIT_DISABLE", "1")],
)
def test_a_switch_that_says_off_gives_plain_python(environment, work, variable, value):
    environ = {**environment.environ, variable: value}
    if variable != "IPFS_ACCELERATE":
        del environ["IPFS_ACCELERATE"]
    plain = environment.run("probe.py", cwd=work, env=environ)
    hooked = environment.hook("run", "probe.py", cwd=work, env=environ)
    (line,) = hooked.stderr.splitlines()
    assert variable in line
    assert json.loads(hooked.stdout) == json.loads(plain.stdout)


ENDINGS = {
    "exit code": "import sys; sys.exit(7)",
    "exit with a message": "import sys; sys.exit('the message')",
    "exit without a code": "raise SystemExit",
    "error": "def f():\n    raise ValueError('text')\nf()",
    "syntax error": "def f(:\n",
    "chained error": "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise KeyError('x') from error",
    "interrupt": "raise KeyboardInterrupt",
    "signal": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "abrupt": "import os; os._exit(9)",
    "error at exit": "import atexit, operator; atexit.register(operator.truediv, 1, 0)",
    "warning": "import warnings; warnings.warn('careful')",
    "missing module": "import no_such_module",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_endings_are_pythons_own(environment, work, ending):
    (work / "end.py").write_text(ENDINGS[ending])
    plain = environment.run("end.py", cwd=work)
    hooked = environment.hook("run", "end.py", cwd=work)
    assert (hooked.returncode, hooked.stdout, hooked.stderr) == (plain.returncode, plain.stdout, plain.stderr)


@pytest.mark.parametrize("words", [["missing.py"], ["-m", "no_such_module"], ["-c"], ["-V"], ["-Q"], ["-X"]])
def test_pythons_own_errors(environment, work, words):
    plain = environment.run(*words, cwd=work)
    hooked = environment.hook("run", *words, cwd=work)
    assert (hooked.returncode, hooked.stdout) == (plain.returncode, plain.stdout)
    assert hooked.stderr.replace(environment.python, "python") == plain.stderr.replace(environment.python, "python")


def test_it_is_the_same_process_and_signals_reach_it(environment, work):
    (work / "wait.py").write_text("import os, time; print(os.getpid(), flush=True); time.sleep(60)")
    process = subprocess.Popen(
        [environment.python, "-m", "ipfs_accelerate_py.hook", "run", "wait.py"],
        cwd=work,
        env=environment.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a shell's background job, as a whole test run can be, hands an ignored SIGINT on
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert int(process.stdout.readline()) == process.pid
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == -signal.SIGINT and errors.rstrip().endswith("KeyboardInterrupt")


def test_children_inherit(environment, work):
    (work / "parent.py").write_text(
        "import subprocess, sys\nsys.exit(subprocess.call([sys.executable, 'probe.py', 'child'], cwd=sys.path[0]))\n"
    )
    hooked = json.loads(environment.hook("run", "parent.py", cwd=work).stdout)
    assert hooked["boot"] is True and hooked["argv"] == ["probe.py", "child"]


def test_spawned_workers_inherit(environment, work):
    (work / "pool.py").write_text(
        "import multiprocessing, sys\n"
        "def work(_):\n    return '_ipfs_accelerate_boot' in sys.modules\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(pool.map(work, [1]))\n"
    )
    done = environment.hook("run", "pool.py", cwd=work)
    assert (done.stdout, done.stderr) == ("[True]\n", "")


def test_run_inside_run_adds_nothing(environment, work):
    words = ["run", "-m", "ipfs_accelerate_py.hook", "run", "probe.py"]
    once = json.loads(environment.hook("run", "probe.py", cwd=work).stdout)
    assert json.loads(environment.hook(*words, cwd=work).stdout) == once


class TestSitecustomize:
    """The user's own sitecustomize runs as ever, wherever it lies on sys.path."""

    def compare(self, environment, work, tmp_path, text):
        folder = tmp_path / "theirs"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(text)
        environ = {**environment.environ, "PYTHONPATH": str(folder)}
        return compare(environment, work, ["probe.py"], env=environ)

    def test_chained(self, environment, work, tmp_path):
        plain, hooked = self.compare(
            environment, work, tmp_path, "import os, sys; sys.path.insert(0, 'x'); os.environ['THEIRS'] = 'ran'"
        )
        assert hooked["environ"]["THEIRS"] == "ran" and hooked["sitecustomize"].endswith("theirs/sitecustomize.py")
        check(plain, hooked)

    def test_in_site_packages(self, environment, work):
        (environment.site / "sitecustomize.py").write_text("import os; os.environ['THEIRS'] = 'ran'")
        plain, hooked = compare(environment, work, ["probe.py"])
        assert hooked["environ"]["THEIRS"] == "ran"
        check(plain, hooked)

    @pytest.mark.parametrize(
        "text", ["raise ValueError('theirs')", "import no_such_module", "def f(:\n", "raise ImportError('theirs')"]
    )
    def test_its_errors_are_reported_once(self, environment, work, tmp_path, text):
        plain, hooked = self.compare(environment, work, tmp_path, text)  # this compares stderr
        check(plain, hooked)

    def test_absent_one_cannot_be_imported(self, environment, work):
        code = "try:\n    import sitecustomize\nexcept ImportError as error:\n    print(error.name)"
        done = environment.hook("run", "-c", code, cwd=work)
        assert (done.stdout, done.stderr) == ("sitecustomize\n", "")


def test_package_that_only_pythonpath_knows(bare_environment, work):
    """The package comes from a relative PYTHONPATH; the script works in another folder, and so does its child."""
    environ = {**bare_environment.environ, "PYTHONPATH": os.path.relpath(SRC, work)}
    (work / "parent.py").write_text(
        "import os, subprocess, sys\n"
        "os.chdir('/')\n"
        "code = 'import sys, ipfs_accelerate_py; print(\"_ipfs_accelerate_boot\" in sys.modules)'\n"
        "sys.exit(subprocess.call([sys.executable, '-c', code]))\n"
    )
    done = bare_environment.run("-m", "ipfs_accelerate_py.hook", "run", "parent.py", cwd=work, env=environ)
    assert (done.stdout, done.stderr) == ("True\n", "")


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
        "name, code", [("no_such_program", 127), ("./no_such_file", 127), ("locked", 126), ("./broken", 126)]
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


def test_usage(environment):
    done = environment.hook("run")
    assert done.returncode == 2 and "TARGET" in done.stderr and done.stdout == ""
    shown = environment.hook("run", "--help")
    assert shown.returncode == 0 and "examples:" in shown.stdout
