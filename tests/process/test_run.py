"""`hook run X` is `python X` in all of the interpreter's state at once; what differs is one folder on sys.path."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from .conftest import SRC
from .run_probe.whole import PROBE, check, compare

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
    ("variable", "value"),
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


def test_run_inside_run_adds_nothing(environment, work):
    words = ["run", "-m", "ipfs_accelerate_py.hook", "run", "probe.py"]
    once = json.loads(environment.hook("run", "probe.py", cwd=work).stdout)
    assert json.loads(environment.hook(*words, cwd=work).stdout) == once


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


def test_usage(environment):
    done = environment.hook("run")
    assert done.returncode == 2 and "TARGET" in done.stderr and done.stdout == ""
    shown = environment.hook("run", "--help")
    assert shown.returncode == 0 and "examples:" in shown.stdout


def test_run_imports_little(environment, work):
    """It is an interpreter of its own before each program: what it imports, each start pays."""
    code = (
        "import os, sys\n"
        "before = set(sys.modules)\n"
        "def execute(*words):\n"
        "    print(*set(sys.modules) - before, flush=True)\n"
        "    os._exit(0)\n"
        "os.execv = execute\n"
        "sys.argv = ['/bin/ipfs-accelerate']\n"  # the console script, which activates nothing
        "from ipfs_accelerate_py.cli import main as cli\n"
        "cli.main(['run', 'probe.py'])\n"
    )
    loaded = set(environment.run("-c", code, cwd=work).stdout.split())
    assert "ipfs_accelerate_py.startup.runner" in loaded
    assert not loaded & {"argparse", "dataclasses", "json", "logging", "pathlib", "re", "subprocess", "typing"}
