"""Virtual environments that see this package, made without a network, and a clean environment for children."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.support.in_process import write_repo
from tests.support.local_hub import LocalHub

# what org/name and org/other hold on `small_hub`
FILES = {"config.json": b"{}", "weights.bin": b"weights" * 1000}
OTHER = {"config.json": b"[]"}
SRC = Path(__file__).resolve().parents[2] / "src"
_SWITCHES = ("CI", "TRANSFORMERS_PATCH_DISABLE", "IPFS_KIT_DISABLE", "STORAGE_FORCE_LOCAL")


def make_clean_environment(home: Path) -> dict[str, str]:
    """os.environ without anything that Python or we would read, with the hook on and a home of its own."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "IPFS_ACCELERATE", "COVERAGE", "COV_", "VIRTUAL_ENV"))
        and name not in _SWITCHES
    }
    return {**kept, "IPFS_ACCELERATE": "1", "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def clean_environment(tmp_path):
    """See make_clean_environment."""
    return make_clean_environment(tmp_path)


class Environment:
    """A virtual environment, made here unless it is there, and how to run its Python."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        if not folder.exists():
            venv.EnvBuilder(with_pip=False, symlinks=True).create(folder)
        self.folder = folder
        self.python = str(folder / "bin" / "python")
        self.environ = environ
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.site = folder / "lib" / version / "site-packages"

    def run(self, *words, **options):
        options.setdefault("env", self.environ)
        options.setdefault("cwd", self.folder)
        options.setdefault("timeout", 60)
        return subprocess.run([self.python, *map(str, words)], capture_output=True, text=True, **options)

    def hook(self, *words, **options):
        return self.run("-m", "ipfs_accelerate_py.hook", *words, **options)

    def files(self) -> dict[str, bytes]:
        """What lies in site-packages itself."""
        return {path.name: path.read_bytes() for path in self.site.iterdir() if path.is_file()}

    def copy_package(self) -> None:
        """The package as an installed wheel has it: in site-packages."""
        (self.site / "zz_editable.pth").unlink(missing_ok=True)
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(SRC / "ipfs_accelerate_py", self.site / "ipfs_accelerate_py", ignore=ignore)
        shutil.copy(SRC / "_ipfs_accelerate_boot.py", self.site)


@pytest.fixture
def environment(tmp_path, clean_environment):
    """An environment with this package as an editable install has it: by a .pth file that sorts after ours."""
    made = Environment(tmp_path / "env", clean_environment)
    (made.site / "zz_editable.pth").write_text(f"{SRC}\n")
    return made


@pytest.fixture
def bare_environment(tmp_path, clean_environment):
    """An environment without this package."""
    return Environment(tmp_path / "bare", clean_environment)


@pytest.fixture
def work(tmp_path):
    """A working folder with a probe in all the shapes that Python can run."""
    from .run_probe.whole import lay_out

    lay_out(tmp_path / "work")
    return tmp_path / "work"


@pytest.fixture(scope="module")
def small_hub(tmp_path_factory):
    """A Hub with two small repos."""
    folder = tmp_path_factory.mktemp("hub")
    write_repo(folder, "org/name", FILES)
    write_repo(folder, "org/other", OTHER)
    with LocalHub(folder) as running:
        yield running


@pytest.fixture
def a(machine, small_hub):
    """A machine with org/name in its store."""
    made = machine("a", hub=small_hub)
    assert made.hook("fetch", "org/name").returncode == 0
    return made
