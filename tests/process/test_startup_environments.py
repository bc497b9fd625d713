"""`enable` in the environments of venv, uv and virtualenv, with each kind of installation; and for one user."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import uv
import wrapt

from .conftest import SRC, Environment, make_clean_environment
from .run_probe.active import SAY

PYTHON = f"python{sys.version_info[0]}.{sys.version_info[1]}"
KINDS = {
    "venv": [sys.executable, "-m", "venv", "--without-pip"],
    "venv with copies": [sys.executable, "-m", "venv", "--without-pip", "--copies"],
    "uv": [uv.find_uv_bin(), "venv", "--quiet", "--offline", "--python", sys.executable],
    "virtualenv": [sys.executable, "-m", "virtualenv", "--quiet", "--no-seed"],
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The package as it is published."""
    folder = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
    subprocess.run(words, cwd=SRC.parent, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def make(tmp_path, home):
    """Makes an environment of a kind, with what we depend on and a small transformers."""
    made = []

    def make(kind: str, *options: str) -> Environment:
        folder = tmp_path / f"env{len(made)}"
        environ = make_clean_environment(home)
        environ["UV_CACHE_DIR"] = str(tmp_path / "cache")
        subprocess.run([*KINDS[kind], *options, folder], env=environ, check=True, capture_output=True)
        environment = Environment(folder, environ)
        (environment.site / "zz_others.pth").write_text(f"{Path(wrapt.__file__).parents[1]}\n")
        (environment.site / "transformers.py").write_text("")
        made.append(environment)
        return environment

    return make


def user_site(home) -> Path:
    return home / ".local" / "lib" / PYTHON / "site-packages"


def install(environment, *what):
    words = [uv.find_uv_bin(), "pip", "install", "--quiet", "--offline", "--no-deps", "--no-build-isolation"]
    subprocess.run([*words, "--python", environment.python, *what], env=environment.environ, check=True)


def is_active(environment, *options, program=SAY):
    done = environment.run(*options, "-c", program)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout.lower())


def check(environment, isolated=("-I",)):
    """On by `enable`, in children too, off by `disable`, and nothing else has changed."""
    before = environment.files()
    done = environment.hook("enable")
    assert (done.returncode, done.stderr) == (0, "")
    assert environment.files().keys() - before.keys() == {"ipfs_accelerate.pth", "ipfs_accelerate.start"}
    child_environ = {"HOME": environment.environ["HOME"]}
    child = f"import subprocess, sys; subprocess.run([sys.executable, *{isolated}, '-c', {SAY!r}], env={child_environ})"
    for options in ((), isolated, ("-E",), ("-O", "-X", "dev")):
        assert is_active(environment, *options), options
    assert is_active(environment, program=child)
    assert environment.hook("run", *isolated, "-c", SAY).stdout == "True\n"
    assert environment.hook("enable").returncode == 0
    assert environment.hook("disable").returncode == 0
    assert environment.files() == before and not is_active(environment)


def test_the_wheel_has_every_file_of_the_package(wheel):
    """The page of the fleet's agent, too, which is no Python."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if name.startswith("ipfs_accelerate_py/")}
    files = (path for path in (SRC / "ipfs_accelerate_py").rglob("*") if path.is_file())
    assert names == {path.relative_to(SRC).as_posix() for path in files if path.suffix != ".pyc"}
    assert {f"ipfs_accelerate_py/web/page.{end}" for end in ("html", "css", "js", "svg")} < names


@pytest.mark.parametrize("kind", KINDS)
def test_wheel(make, wheel, kind):
    environment = make(kind)
    install(environment, wheel)
    check(environment)


@pytest.mark.parametrize("kind", KINDS)
def test_editable_install(make, kind):
    environment = make(kind)
    install(environment, "--editable", str(SRC.parent))
    check(environment)


@pytest.mark.parametrize("kind", KINDS)
def test_editable_install_seen_through_system_site_packages(make, home, kind):
    """The package is the user's, outside of the environment in which the hook is on."""
    environment = make(kind, "--system-site-packages")
    user_site(home).mkdir(parents=True)
    (user_site(home) / "zz_editable.pth").write_text(f"{SRC}\n")
    check(environment, isolated=())  # -I leaves the package itself out


def test_an_environment_is_enabled_from_another(make, wheel):
    first, second = make("venv"), make("uv")
    install(first, wheel)
    install(second, wheel)
    assert first.hook("enable", "--venv", second.folder).returncode == 0
    assert is_active(second) and not is_active(first)
    assert first.hook("disable", "--venv", second.folder).returncode == 0
    assert not is_active(second)


class TestUser:
    """`enable --user`: every program of this user and this Python, wherever the user's site-packages are read."""

    @pytest.fixture
    def seeing(self, make, home):
        """An environment that sees the user's site-packages."""
        environment = make("venv", "--system-site-packages")
        (environment.site / "zz_editable.pth").write_text(f"{SRC}\n")
        return environment

    def test_on_and_off(self, make, seeing, home):
        other, blind = make("venv", "--system-site-packages"), make("venv")
        for each in (other, blind):
            (each.site / "zz_editable.pth").write_text(f"{SRC}\n")
        before = seeing.files()
        for _ in range(2):
            done = seeing.hook("enable", "--user")
            assert (done.returncode, done.stderr) == (0, "")
        assert sorted(os.listdir(user_site(home))) == ["ipfs_accelerate.pth", "ipfs_accelerate.start"]
        assert seeing.files() == before
        assert is_active(seeing) and is_active(seeing, "-E") and is_active(other) and not is_active(blind)
        assert not is_active(seeing, "-s") and not is_active(seeing, "-I")
        startup = json.loads(seeing.hook("status", "--json").stdout)["startup"]
        assert startup["enabled"] is True and startup["files"][0].startswith(str(user_site(home)))
        for _ in range(2):
            assert seeing.hook("disable", "--user").returncode == 0
        assert os.listdir(user_site(home)) == [] and not is_active(seeing)

    def test_beside_that_of_the_environment(self, seeing):
        seeing.hook("enable")
        seeing.hook("enable", "--user")
        count = "import sys; print(sum(type(each).__name__ == 'BootFinder' for each in sys.meta_path))"
        assert seeing.run("-c", count).stdout == "1\n"
        assert seeing.hook("disable").returncode == 0 and is_active(seeing)

    def test_run_reaches_what_it_leaves_out(self, seeing):
        """`-s` leaves the user's site-packages out, and PYTHONPATH not; `-I` both."""
        seeing.hook("enable", "--user")
        done = seeing.hook("run", "-s", "-c", SAY)
        assert (done.stdout, done.stderr) == ("True\n", "")
        done = seeing.hook("run", "-E", "-c", SAY)
        assert (done.stdout, done.stderr) == ("True\n", "")
        done = seeing.hook("run", "-I", "-c", SAY)
        assert done.stdout == "False\n" and "-I" in done.stderr and "plain Python" in done.stderr

    def test_where_the_users_is_not_read(self, make):
        environment = make("venv")
        (environment.site / "zz_editable.pth").write_text(f"{SRC}\n")
        done = environment.hook("enable", "--user")
        assert done.returncode == 1 and done.stdout == ""
        error, hint = done.stderr.splitlines()
        assert error.startswith("Error: ") and "user's site-packages" in error
        assert hint.startswith("Hint: ") and "--user" in hint

    @pytest.mark.parametrize("how", ["-s", "PYTHONNOUSERSITE", "blind"])
    def test_it_is_taken_back_also_where_it_is_not_read(self, make, seeing, home, how):
        seeing.hook("enable", "--user")
        there = sorted(os.listdir(user_site(home)))
        if how == "blind":
            seeing = make("venv")
            (seeing.site / "zz_editable.pth").write_text(f"{SRC}\n")
        elif how != "-s":
            seeing.environ[how] = "1"
        words = ["-s"] if how == "-s" else []
        assert seeing.run(*words, "-m", "ipfs_accelerate_py.hook", "enable", "--user").returncode == 1
        assert sorted(os.listdir(user_site(home))) == there
        done = seeing.run(*words, "-m", "ipfs_accelerate_py.hook", "disable", "--user")
        assert (done.returncode, done.stderr) == (0, "") and done.stdout.count("removed ") == 2
        assert os.listdir(user_site(home)) == []

    def test_a_folder_that_cannot_be_made(self, seeing, home):
        home.mkdir(exist_ok=True)
        (home / ".local").write_text("a file")
        done = seeing.hook("enable", "--user")
        error, hint = done.stderr.splitlines()
        assert done.returncode == 1 and str(user_site(home)) in error and hint.startswith("Hint: ")

    def test_a_foreign_file(self, seeing, home):
        user_site(home).mkdir(parents=True)
        foreign = user_site(home) / "ipfs_accelerate.pth"
        foreign.write_text("# somebody else's\n")
        done = seeing.hook("enable", "--user")
        assert done.returncode == 1 and str(foreign) in done.stderr
        assert os.listdir(user_site(home)) == [foreign.name]
