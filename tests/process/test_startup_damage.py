"""What `enable` wrote outlives the package: no message at a start and no error, whatever has become of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import wrapt

from .conftest import SRC
from .test_startup_files import LOADED

PACKAGE = "ipfs_accelerate_py"
# What runs at activation and when transformers is imported; the rest comes with a load or a command.
PARTS = [
    path.relative_to(SRC / PACKAGE).as_posix()
    for pattern in ("*.py", "libraries/*.py", "hook/__init__.py", "hook/finder.py", "hook/loader.py")
    for path in sorted((SRC / PACKAGE).glob(pattern))
]
LIBRARY = {
    "__init__.py": "",
    "modeling_utils.py": "class PreTrainedModel:\n    @classmethod\n    def from_pretrained(cls, name): return name\n",
    "models/__init__.py": "",
    "models/auto/__init__.py": "",
    "models/auto/auto_factory.py": (
        "class _BaseAutoModelClass:\n    @classmethod\n    def from_pretrained(cls, name): return name\n"
    ),
    "models/auto/modeling_auto.py": (
        "from .auto_factory import _BaseAutoModelClass\nclass AutoModel(_BaseAutoModelClass): pass\n"
    ),
    "utils/__init__.py": "",
    "utils/hub.py": "def cached_files(*args, **kwargs): return 5\n",
}
LOAD = """\
import transformers.utils.hub, transformers.modeling_utils, transformers.models.auto.modeling_auto
from transformers.models.auto.modeling_auto import AutoModel
print(transformers.modeling_utils.PreTrainedModel.from_pretrained("x"), AutoModel.from_pretrained("y"))
print(transformers.utils.hub.cached_files(), transformers.__loader__.path)
"""


@pytest.fixture
def installed(environment):
    """An enabled environment with a copy of the package and a small transformers, whose loads it leaves alone."""
    environment.copy_package()
    (environment.site / "zz_others.pth").write_text(f"{Path(wrapt.__file__).parents[1]}\n")
    for name, text in LIBRARY.items():
        path = environment.site / "transformers" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
    environment.environ["STORAGE_FORCE_LOCAL"] = "1"
    assert environment.hook("enable").returncode == 0
    return environment


def check(environment, most=0):
    """A start says nothing; the library works; at most so many lines say that it works without us."""
    assert environment.run("-c", "pass").stderr == ""
    done = environment.run("-c", LOAD)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"x y\n5 {environment.site / 'transformers' / '__init__.py'}\n"
    lines = done.stderr.splitlines()
    assert len(lines) <= most and all("could not patch" in line or "not activated" in line for line in lines), lines


def uninstall(site):
    shutil.rmtree(site / PACKAGE)
    (site / "_ipfs_accelerate_boot.py").unlink()


def remove_package(site):
    shutil.rmtree(site / PACKAGE)


def make_boot_a_folder(site):
    (site / "_ipfs_accelerate_boot.py").unlink()
    (site / "_ipfs_accelerate_boot.py").mkdir()


def spoil_bytecode(site):
    (cached,) = (site / "__pycache__").glob("_ipfs_accelerate_boot.*.pyc")
    cached.write_bytes(cached.read_bytes()[:-99])


def write(name, text):
    def damage(site):
        (site / name).write_bytes(text.encode("latin-1"))

    damage.__name__ = f"{name}: {text!r}"
    return damage


DAMAGES = [
    uninstall,
    remove_package,
    make_boot_a_folder,
    spoil_bytecode,
    write("_ipfs_accelerate_boot.py", "def half a file"),
    write("_ipfs_accelerate_boot.py", "raise ValueError('half an upgrade')"),
    write("_ipfs_accelerate_boot.py", "import no_such_module_anywhere"),
    write("_ipfs_accelerate_boot.py", "x = '\xff'"),
    write("_ipfs_accelerate_boot.py", "x = 1\0"),
    write("_ipfs_accelerate_boot.py", ""),
    write(f"{PACKAGE}/activation.py", "import no_such_module_anywhere"),
    write(f"{PACKAGE}/activation.py", "def activate(): pass"),
    write(f"{PACKAGE}/activation.py", ""),
    write(f"{PACKAGE}/__init__.py", "raise RuntimeError('half an upgrade')"),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_package_never_hurts(installed, damage):
    damage(installed.site)
    check(installed)


def test_the_undamaged_package_patches(installed):
    done = installed.run("-c", LOAD + "print(hasattr(AutoModel, '__wrapped__'))")
    assert done.stdout.endswith("True\n"), done.stderr


@pytest.mark.parametrize("name", PARTS)
def test_a_part_that_is_half_written_is_reported_once(installed, name):
    (installed.site / PACKAGE / name).write_text("def half a file")
    check(installed, most=1)


def test_a_missing_dependency_is_reported_once(installed):
    (installed.site / "zz_others.pth").unlink()
    check(installed, most=1)


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
