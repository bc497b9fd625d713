"""What a user's program sees of our log: stderr at the level it asked for, or its own logging set-up."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import ipfs_accelerate_py

SOURCE = Path(ipfs_accelerate_py.__file__).parent.parent
LINES = """
from ipfs_accelerate_py.log import get_logger
for level in ("debug", "info", "warning", "error"):
    getattr(get_logger(), level)("a line of %s", level)
"""


@pytest.fixture
def run(tmp_path):
    """Runs code in a fresh interpreter, where no test runner has set up logging; gives (stdout, stderr)."""

    def run(code, **environ):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("IPFS_", "XDG_", "PYTHON"))}
        env = {**kept, "HOME": str(tmp_path), "PYTHONPATH": str(SOURCE), "IPFS_ACCELERATE": "0", **environ}
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr

    return run


def levels(text):
    return [line.rpartition(" ")[2] for line in text.splitlines() if "a line of" in line]


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        (None, ["warning", "error"]),
        ("", ["warning", "error"]),
        ("DEBUG", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("ERROR", ["error"]),
        ("CRITICAL", []),
    ],
)
def test_level_from_the_variable_on_stderr_alone(run, level, shown):
    out, err = run(LINES, **({} if level is None else {"IPFS_ACCELERATE_LOG": level}))
    assert out == ""
    assert levels(err) == shown
    assert all(line.startswith("ipfs_accelerate_py: ") for line in err.splitlines())


def test_level_from_the_file(run, tmp_path):
    # where the file lies is the library's word
    where = "from ipfs_accelerate_py.config.settings import config_file; print(config_file())"
    path = Path(run(where)[0].strip())
    path.parent.mkdir(parents=True)
    path.write_text('log = "ERROR"\n')
    assert levels(run(LINES)[1]) == ["error"]
    assert levels(run(LINES, IPFS_ACCELERATE_LOG="INFO")[1]) == ["info", "warning", "error"]


def test_a_bad_level_is_the_default_and_one_warning(run):
    out, err = run(
        LINES + "from ipfs_accelerate_py.config.settings import read_settings; read_settings()",
        IPFS_ACCELERATE_LOG="LOUD",
    )
    assert out == ""
    assert levels(err) == ["warning", "error"]
    [warning] = [line for line in err.splitlines() if "a line of" not in line]
    for part in ("IPFS_ACCELERATE_LOG", "LOUD", "DEBUG, INFO, WARNING, ERROR or CRITICAL"):
        assert part in warning


@pytest.mark.parametrize("before", [True, False], ids=["before us", "after us"])
@pytest.mark.parametrize(
    ("level", "shown"),
    [("INFO", ["info", "warning", "error"]), ("WARNING", ["warning", "error"]), ("ERROR", ["error"])],
)
def test_the_users_root_handler_wins(run, tmp_path, before, level, shown):
    set_up = f"import logging; logging.basicConfig(filename='mine.log', level=logging.{level})\n"
    wake = "from ipfs_accelerate_py.log import get_logger; get_logger()\n"
    out, err = run((set_up if before else wake + set_up) + LINES)
    assert (out, err) == ("", "")
    assert levels((tmp_path / "mine.log").read_text()) == shown


def test_a_level_given_by_name_counts_with_the_users_handlers_too(run, tmp_path):
    set_up = "import logging; logging.basicConfig(filename='mine.log', level=logging.ERROR)\n"
    assert run(set_up + LINES, IPFS_ACCELERATE_LOG="INFO") == ("", "")
    assert levels((tmp_path / "mine.log").read_text()) == ["info", "warning", "error"]


def test_the_users_handler_on_our_own_logger_wins(run, tmp_path):
    set_up = (
        "import logging; mine = logging.getLogger('ipfs_accelerate_py')\n"
        "mine.addHandler(logging.FileHandler('mine.log')); mine.setLevel(logging.INFO)\n"
    )
    out, err = run(set_up + LINES)
    assert (out, err) == ("", "")
    assert levels((tmp_path / "mine.log").read_text()) == ["info", "warning", "error"]


def test_a_level_that_the_user_gave_our_logger_stays(run):
    set_up = "import logging; logging.getLogger('ipfs_accelerate_py').setLevel(logging.ERROR)\n"
    assert levels(run(set_up + LINES, IPFS_ACCELERATE_LOG="DEBUG")[1]) == ["error"]


def test_a_null_handler_silences(run):
    set_up = "import logging; logging.getLogger('ipfs_accelerate_py').addHandler(logging.NullHandler())\n"
    assert run(set_up + LINES) == ("", "")


def test_stderr_exchanged_or_gone(run):
    code = "import io, sys\nkept = sys.stderr\n{}\n" + LINES + "\nsys.stderr = kept\n{}"
    out, err = run(code.format("sys.stderr = caught = io.StringIO()", "assert 'a line of error' in caught.getvalue()"))
    assert (out, err) == ("", "")
    assert run(code.format("sys.stderr = None", "")) == ("", "")


def test_each_line_once(run):
    again = "from ipfs_accelerate_py.log import get_logger\nfor _ in range(5): get_logger()\n"
    assert levels(run(again + LINES)[1]) == ["warning", "error"]
