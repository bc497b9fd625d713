"""`enable --venv` and `disable --venv`: another environment's Python is asked; it must be able to use the hook."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import wrapt

from .conftest import SRC, Environment
from .run_probe.active import SAY

WRAPT = Path(wrapt.__file__).parents[1]
FILES = ["ipfs_accelerate.pth", "ipfs_accelerate.start"]
LINKS = pytest.mark.skipif(os.name == "nt", reason="the Python of an environment is no script there")


@pytest.fixture
def other(bare_environment):
    """Another environment, with a transformers that stands for the real one."""
    (bare_environment.site / "transformers.py").write_text("")
    return bare_environment


def enabled(other):
    return sorted(set(FILES) & other.files().keys())


def is_active(environment):
    done = environment.run("-c", SAY)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout == "True\n"


def assert_refused(done, *words):
    error, hint = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert error.startswith("Error: ") and hint.startswith("Hint: ")
    for word in words:
        assert word in done.stderr
    for internal in ("Command", "PosixPath", "-c'", "Errno", "Traceback"):
        assert internal not in done.stderr


@pytest.mark.parametrize("there", ["nothing", "wrapt", "package", "what an uninstallation left behind"])
def test_an_environment_that_lacks_the_package(environment, other, there):
    lines = {"wrapt": WRAPT, "package": SRC}
    if there in lines:
        (other.site / "zz_others.pth").write_text(f"{lines[there]}\n")
    elif there != "nothing":
        (other.site / "ipfs_accelerate_py" / "__pycache__").mkdir(parents=True)
    done = environment.hook("enable", "--venv", other.folder)
    lacks = "wrapt" if there == "package" else "ipfs_accelerate_py"
    if there != "wrapt" or not (WRAPT / "ipfs_accelerate_py").exists():
        assert_refused(done, f"{other.folder} has no {lacks}", f"{other.python} -m pip install ipfs_accelerate_py")
        assert enabled(other) == []


def test_force_enables_before_the_package_is_there(environment, other):
    assert environment.hook("enable", "--venv", other.folder, "--force").returncode == 0
    assert enabled(other) == FILES and not is_active(other)
    (other.site / "zz_others.pth").write_text(f"{SRC}\n{WRAPT}\n")
    assert is_active(other)


def test_disable_does_not_need_the_package(environment, other):
    environment.hook("enable", "--venv", other.folder, "--force")
    done = environment.hook("disable", "--venv", other.folder)
    assert (done.returncode, done.stderr, enabled(other)) == (0, "", [])


def test_the_package_of_the_other_environment_is_used(environment, other):
    """So the first one may go."""
    other.copy_package()
    (other.site / "zz_others.pth").write_text(f"{WRAPT}\n")
    assert environment.hook("enable", "--venv", other.folder).returncode == 0
    assert str(SRC) not in (other.site / "ipfs_accelerate.pth").read_text()
    shutil.rmtree(environment.folder)
    assert is_active(other)


def test_the_package_may_be_the_users(environment, tmp_path, clean_environment):
    folder = tmp_path / "seeing"
    environment.run("-m", "venv", "--without-pip", "--system-site-packages", folder)
    seeing = Environment(folder, clean_environment)
    (seeing.site / "transformers.py").write_text("")
    users = tmp_path / ".local" / "lib" / seeing.site.parent.name / "site-packages"
    users.mkdir(parents=True)
    (users / "zz_editable.pth").write_text(f"{SRC}\n{WRAPT}\n")
    done = environment.hook("enable", "--venv", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert is_active(seeing)


def test_where_it_is_asked_does_not_matter(environment, other, tmp_path):
    """Neither PYTHONPATH nor the current folder is the environment's."""
    work = tmp_path / "work"
    work.mkdir()
    for name in ("json", "sysconfig", "os", "wrapt"):
        (work / f"{name}.py").write_text("raise SystemExit('not this one')")
    environ = {**other.environ, "PYTHONPATH": f"{SRC}{os.pathsep}{WRAPT}"}
    done = environment.hook("enable", "--venv", other.folder, cwd=work, env=environ)
    assert_refused(done, f"{other.folder} has no ipfs_accelerate_py and no wrapt")


def test_what_a_startup_file_says_is_no_answer(environment, other):
    (other.site / "zz_others.pth").write_text(f"{SRC}\n{WRAPT}\nimport sys; print('welcome')\n")
    done = environment.hook("enable", "--venv", other.folder)
    assert (done.returncode, done.stderr, enabled(other)) == (0, "", FILES)


def test_any_name_in_any_locale(environment, tmp_path, clean_environment):
    folder = tmp_path / "v\xe9nv \u6a21"
    other = Environment(folder, clean_environment)
    (other.site / "zz_others.pth").write_text(f"{SRC}\n{WRAPT}\n")
    (other.site / "transformers.py").write_text("")
    for more in ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"LC_ALL": "C"}, {}):
        for verb, expected in (("enable", FILES), ("disable", [])):
            done = environment.hook(verb, "--venv", folder, env={**environment.environ, **more})
            assert (done.returncode, done.stderr, enabled(other)) == (0, "", expected), (verb, more)


BROKEN = {
    "ends": (
        "#!/bin/sh\necho one >&2; echo 'no such library' >&2; echo >&2; exit 3\n",
        "ended with 3: no such library",
    ),
    "ends silently": ("#!/bin/sh\nexit 3\n", "ended with 3: it printed nothing"),
    "says something else": ("#!/bin/sh\necho Python 9\n", "gave no answer"),
    "is no program": ("what is this", "Exec format error"),
    "needs what is gone": ("#!/no/such/interpreter\n", "No such file"),
}


@LINKS
@pytest.mark.parametrize("verb", ["enable", "disable"])
@pytest.mark.parametrize("kind", BROKEN)
def test_a_python_that_does_not_work(environment, other, kind, verb):
    text, reason = BROKEN[kind]
    python = Path(other.python)
    python.unlink()
    python.write_text(text)
    python.chmod(0o755)
    done = environment.hook(verb, "--venv", other.folder)
    assert_refused(done, f"the Python of {other.folder} does not work", reason, f"{python} -c pass")


@LINKS
@pytest.mark.timeout(60)
@pytest.mark.parametrize("verb", ["enable", "disable"])
def test_a_python_that_hangs(environment, other, verb):
    Path(other.python).unlink()
    Path(other.python).write_text("#!/bin/sh\nexec sleep 600\n")
    Path(other.python).chmod(0o755)
    code = (
        "import sys; from ipfs_accelerate_py.cli import main; from ipfs_accelerate_py.startup import environment\n"
        "environment.DEADLINE = 1; sys.exit(main.main(sys.argv[1:]))"
    )
    done = environment.run("-c", code, verb, "--venv", other.folder, timeout=30)
    assert_refused(done, f"the Python of {other.folder} does not work", "did not end within 1 s")


@LINKS
@pytest.mark.parametrize("verb", ["enable", "disable"])
@pytest.mark.parametrize("link", [True, False])
def test_a_python_that_is_gone(environment, other, verb, link):
    python = Path(other.python)
    python.unlink()
    if link:
        python.symlink_to("/no/such/python")
    done = environment.hook(verb, "--venv", other.folder)
    assert_refused(done, f"the Python of {other.folder} is gone", "make the environment anew")


def test_a_folder_that_is_none(environment, tmp_path):
    done = environment.hook("disable", "--venv", tmp_path)
    assert_refused(done, f"{tmp_path} is not a virtual environment", "python -m venv")


def test_json(environment, other):
    (other.site / "zz_others.pth").write_text(f"{SRC}\n{WRAPT}\n")
    files = [os.path.realpath(other.site / name) for name in FILES]
    for written in (files, []):
        found = json.loads(environment.hook("enable", "--venv", other.folder, "--json").stdout)
        assert list(map(os.path.realpath, found.pop("files"))) == files
        assert list(map(os.path.realpath, found.pop("written"))) == written
        assert found == {"enabled": True}
