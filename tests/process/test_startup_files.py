"""enable and disable: what they write, whom they leave alone, and that a start never suffers from it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from ipfs_accelerate_py.hook import startup_code

from .conftest import SRC

LOADED = "import sys; print(*sorted(name for name in sys.modules if 'ipfs_accelerate' in name))"


def files_of(environment):
    return {path.name: path.read_bytes() for path in environment.site.iterdir() if path.is_file()}


def test_enable_and_disable_leave_everything_else_as_it_was(environment):
    before = files_of(environment)
    done = environment.hook("enable")
    assert (done.returncode, done.stderr) == (0, "")
    new = files_of(environment).keys() - before.keys()
    assert {"ipfs_accelerate.pth", "ipfs_accelerate.start"} <= new
    assert environment.run("-c", LOADED).stdout == "_ipfs_accelerate_boot\n"
    done = environment.hook("disable")
    assert (done.returncode, done.stderr) == (0, "")
    assert files_of(environment) == before
    assert environment.run("-c", LOADED).stdout == "\n"


def test_both_are_idempotent(environment):
    environment.hook("enable")
    first = files_of(environment)
    assert environment.hook("enable").returncode == 0
    assert files_of(environment) == first
    assert environment.hook("disable").returncode == 0
    again = environment.hook("disable")
    assert again.returncode == 0 and "nothing to remove" in again.stdout
    assert environment.hook("enable", "-q").stdout == ""


def test_pth_is_one_import_line(environment):
    environment.hook("enable")
    text = (environment.site / "ipfs_accelerate.pth").read_text(encoding="ascii")
    assert text.startswith("import ") and text.count("\n") == 1 and text.endswith("\n")


def test_files_can_be_read_by_everyone(environment):
    old = os.umask(0o022)
    try:
        environment.hook("enable")
    finally:
        os.umask(old)
    assert (environment.site / "ipfs_accelerate.pth").stat().st_mode & 0o777 == 0o644
    assert not [path for path in environment.site.iterdir() if path.suffix == ".tmp"]


def test_another_environment_is_named_by_its_folder(environment, bare_environment):
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
    before = files_of(environment)
    done = environment.hook("enable")
    assert done.returncode == 1 and str(foreign) in done.stderr and "Hint: " in done.stderr
    assert files_of(environment) == before
    done = environment.hook("disable")
    assert done.returncode == 0 and str(foreign) in done.stderr
    assert files_of(environment) == before


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
        "from ipfs_accelerate_py.hook import cli\n"
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
    wheel_like(environment)
    assert environment.environ["PYTHONDONTWRITEBYTECODE"] == "1"
    environment.hook("enable")
    done = environment.run("-c", "import _ipfs_accelerate_boot as boot, os; print(os.path.exists(boot.__cached__))")
    assert done.stdout == "True\n"


def wheel_like(environment):
    """The package as an installed wheel has it, in site-packages itself."""
    (environment.site / "zz_editable.pth").unlink()
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(SRC / "ipfs_accelerate_py", environment.site / "ipfs_accelerate_py", ignore=ignore)
    shutil.copy(SRC / "_ipfs_accelerate_boot.py", environment.site)


def uninstall(environment):
    shutil.rmtree(environment.site / "ipfs_accelerate_py")
    (environment.site / "_ipfs_accelerate_boot.py").unlink()


def break_boot(environment):
    (environment.site / "_ipfs_accelerate_boot.py").write_text("def half a file")


def break_boot_at_run_time(environment):
    (environment.site / "_ipfs_accelerate_boot.py").write_text("raise ValueError('half an upgrade')")


def break_activation(environment):
    (environment.site / "ipfs_accelerate_py" / "activation.py").write_text("import no_such_module_anywhere")


def break_package(environment):
    shutil.rmtree(environment.site / "ipfs_accelerate_py")


@pytest.mark.parametrize("damage", [uninstall, break_boot, break_boot_at_run_time, break_activation, break_package])
def test_a_damaged_package_never_hurts(environment, damage):
    wheel_like(environment)
    assert environment.hook("enable").returncode == 0
    library = environment.site / "transformers"
    (library / "models").mkdir(parents=True)
    (library / "__init__.py").write_text("name = 'the real one'\n")
    (library / "models" / "__init__.py").write_text("")
    damage(environment)
    code = "import transformers, transformers.models; print(transformers.name, transformers.__loader__.path)"
    done = environment.run("-c", code)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"the real one {library / '__init__.py'}\n"


def test_an_editable_install_that_moved_away_never_hurts(environment, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(SRC, source, ignore=shutil.ignore_patterns("__pycache__"))
    (environment.site / "zz_editable.pth").write_text(f"{source}\n")
    assert environment.hook("enable").returncode == 0
    assert environment.run("-c", LOADED).stdout == "_ipfs_accelerate_boot\n"
    source.rename(tmp_path / "moved")
    done = environment.run("-c", LOADED + "; print(sys.path)")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("\n") and str(source) not in done.stdout


def test_sys_path_is_the_same_with_and_without(environment):
    plain = environment.run("-c", "import sys; print(sys.path)").stdout
    environment.hook("enable")
    assert environment.run("-c", "import sys; print(sys.path)").stdout == plain


def test_startup_entry_point_of_python_3_15(tmp_path):
    """Its file names a function; here it is called as `site` of that version calls it."""
    for name, text in startup_code.contents(tmp_path, (3, 15)).items():
        (tmp_path / name).write_text(text)
    lines = (tmp_path / "ipfs_accelerate.start").read_text().splitlines()
    (entry,) = [line for line in lines if not line.startswith("#")]
    call = f"import pkgutil, sys; pkgutil.resolve_name({entry!r})(); " + LOADED

    def start(folder):
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.append({str(folder)!r}); {call}"],
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.split()

    assert "_ipfs_accelerate_boot" in start(tmp_path)
    gone = tmp_path / "gone"
    gone.mkdir()
    for name, text in startup_code.contents(gone, (3, 15)).items():
        (gone / name).write_text(text.replace(str(SRC), str(gone / "nowhere")))
    assert "_ipfs_accelerate_boot" not in start(gone)
