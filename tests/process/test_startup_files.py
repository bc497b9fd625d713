"""enable and disable: what they write, what they leave alone, and that a start never suffers from it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import wrapt

from .conftest import SRC

LOADED = "import sys; print(*sorted(name for name in sys.modules if 'ipfs_accelerate' in name))"


def test_enable_and_disable_leave_everything_else_as_it_was(environment):
    before = environment.files()
    done = environment.hook("enable")
    assert (done.returncode, done.stderr) == (0, "")
    new = environment.files().keys() - before.keys()
    assert {"ipfs_accelerate.pth", "ipfs_accelerate.start"} <= new
    assert environment.run("-c", LOADED).stdout == "_ipfs_accelerate_boot\n"
    done = environment.hook("disable")
    assert (done.returncode, done.stderr) == (0, "")
    assert environment.files() == before
    assert environment.run("-c", LOADED).stdout == "\n"


def test_both_are_idempotent(environment):
    environment.hook("enable")
    first = environment.files()
    assert environment.hook("enable").returncode == 0
    assert environment.files() == first
    assert environment.hook("disable").returncode == 0
    again = environment.hook("disable")
    assert again.returncode == 0 and "nothing to remove" in again.stdout
    assert environment.hook("enable", "-q").stdout == ""


def test_files_can_be_read_by_everyone(environment):
    old = os.umask(0o022)
    try:
        environment.hook("enable")
    finally:
        os.umask(old)
    assert (environment.site / "ipfs_accelerate.pth").stat().st_mode & 0o777 == 0o644
    assert not [path for path in environment.site.iterdir() if path.suffix == ".tmp"]


def test_another_environment_is_named_by_its_folder(environment, bare_environment):
    (bare_environment.site / "zz_others.pth").write_text(f"{SRC}\n{Path(wrapt.__file__).parents[1]}\n")
    done = environment.hook("enable", "--venv", bare_environment.folder)
    assert done.returncode == 0, done.stderr
    assert (bare_environment.site / "ipfs_accelerate.pth").exists()
    assert not (environment.site / "ipfs_accelerate.pth").exists()
    assert environment.hook("disable", "--venv", bare_environment.folder).returncode == 0
    assert not (bare_environment.site / "ipfs_accelerate.pth").exists()
    wrong = environment.hook("enable", "--venv", environment.folder / "lib")
    assert wrong.returncode == 1 and "not a virtual environment" in wrong.stderr


def test_outside_a_virtual_environment_force_is_needed(clean_environment, tmp_path):
    base = os.path.join(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}")
    outside = "import sys; sys.exit(sys.prefix != sys.base_prefix)"
    if not os.path.exists(base) or subprocess.run([base, "-c", outside]).returncode:
        pytest.skip("the Python outside of this environment cannot be found")
    environ = {**clean_environment, "PYTHONPATH": str(SRC)}
    done = subprocess.run(
        [base, "-m", "ipfs_accelerate_py.hook", "enable"], env=environ, capture_output=True, text=True
    )
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("Error: ") and "--force" in done.stderr.splitlines()[1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["ipfs_accelerate.pth", "ipfs_accelerate.start"])
def test_a_foreign_file_of_the_same_name(environment, name):
    foreign = environment.site / name
    foreign.write_text("# somebody else's\n")
    before = environment.files()
    done = environment.hook("enable")
    assert done.returncode == 1 and str(foreign) in done.stderr and "Hint: " in done.stderr
    assert environment.files() == before
    done = environment.hook("disable")
    assert done.returncode == 0 and str(foreign) in done.stderr
    assert environment.files() == before


def test_files_of_another_version_of_ours_are_known(environment):
    environment.hook("enable")
    pth = environment.site / "ipfs_accelerate.pth"
    mark = pth.read_text()[:48]
    pth.write_text(f"{mark}exec('another = version')\n")
    assert environment.hook("enable").returncode == 0
    assert "another" not in pth.read_text()


def test_a_folder_that_cannot_be_written(environment):
    code = (
        "import os, sys, tempfile, random, bisect, hashlib\n"
        "from ipfs_accelerate_py.cli import main as cli\n"
        "cli.main(['-q', 'disable'])\n"  # all imports are done before root becomes nobody
        "if os.getuid() == 0: os.setuid(65534)\n"
        "sys.exit(cli.main(['enable']))\n"
    )
    environment.site.chmod(0o555)
    try:
        done = environment.run("-c", code)
    finally:
        environment.site.chmod(0o755)
    assert done.returncode == 1, done.stdout
    error, hint = done.stderr.splitlines()
    assert error.startswith("Error: ") and str(environment.site) in error
    assert hint.startswith("Hint: ") and "hook run" in hint
    assert not (environment.site / "ipfs_accelerate.pth").exists()


@pytest.mark.parametrize("verb", ["enable", "disable"])
def test_a_file_that_cannot_be_read(environment, verb):
    """It may be ours or not: nothing is touched. root may read all but what is no memory of its own."""
    environment.hook("enable")
    pth = environment.site / "ipfs_accelerate.pth"
    code = (
        "import os, sys; from ipfs_accelerate_py.cli import main as cli\n"
        "pth, verb = sys.argv[1:]; os.chmod(pth, 0)\n"
        "if os.access(pth, os.R_OK): os.unlink(pth); os.symlink('/proc/self/mem', pth)\n"
        "sys.exit(cli.main([verb]))"
    )
    done = environment.run("-c", code, pth, verb)
    error, hint = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert error.startswith(f"Error: {pth} cannot be read: ") and hint.startswith("Hint: ")
    assert os.path.lexists(pth) and (environment.site / "ipfs_accelerate.start").exists()


def test_status_tells(environment):
    def startup():
        done = environment.hook("status", "--json")
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)["startup"]

    assert startup() == {"enabled": False, "files": []}
    environment.hook("enable")
    found = startup()
    assert found["enabled"] is True
    assert os.path.join(os.path.realpath(environment.site), "ipfs_accelerate.pth") in found["files"]


def test_bytecode_is_there_for_the_next_start(environment):
    """Where Python may not write it, each start would compile the boot module again."""
    environment.copy_package()
    assert environment.environ["PYTHONDONTWRITEBYTECODE"] == "1"
    environment.hook("enable")
    done = environment.run("-c", "import _ipfs_accelerate_boot as boot, os; print(os.path.exists(boot.__cached__))")
    assert done.stdout == "True\n"


def test_what_is_there_already_is_not_written_again(environment):
    """So `enable` in a start script does not fail in an image whose environment is read-only."""
    environment.hook("enable")
    pth = environment.site / "ipfs_accelerate.pth"
    before = pth.stat()
    done = environment.hook("enable")
    assert done.returncode == 0 and "wrote" not in done.stdout
    assert f"enabled already by {pth}\n" in done.stdout
    assert (pth.stat().st_ino, pth.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
