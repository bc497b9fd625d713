"""What the startup files hold, and what they do when they run."""

from __future__ import annotations

import subprocess
import sys

from ipfs_accelerate_py.startup import code as startup_code

from .conftest import SRC
from .test_startup_files import LOADED


def test_pth_is_one_import_line(environment):
    environment.hook("enable")
    text = (environment.site / "ipfs_accelerate.pth").read_text(encoding="ascii")
    assert text.startswith("import ") and text.count("\n") == 1 and text.endswith("\n")


def test_sys_path_is_the_same_with_and_without(environment):
    plain = environment.run("-c", "import sys; print(sys.path)").stdout
    environment.hook("enable")
    assert environment.run("-c", "import sys; print(sys.path)").stdout == plain


def test_a_startup_file_that_runs_twice_activates_once(environment):
    library = environment.site / "transformers"
    library.mkdir()
    (library / "__init__.py").write_text("")
    environment.hook("enable")
    code = (
        "import site, sys\n"
        "from importlib import reload\n"
        "def ours(): return [type(f).__name__ for f in sys.meta_path if 'ipfs_accelerate' in type(f).__module__]\n"
        f"site.addsitedir({str(environment.site)!r}); print(*ours())\n"
        "reload(sys.modules['_ipfs_accelerate_boot']); print(*ours())\n"
        "import transformers; print(*ours())\n"
        f"site.addsitedir({str(environment.site)!r}); print(*ours())\n"
        "reload(sys.modules['_ipfs_accelerate_boot']); print(*ours())\n"
    )
    done = environment.run("-c", code)
    assert (done.stdout.split(), done.stderr) == (["BootFinder"] * 2 + ["TransformersFinder"] * 3, "")


def test_startup_entry_point_of_python_3_15(tmp_path):
    """Its file names a function; here it is called as `site` of that version calls it."""
    for name, text in startup_code.contents(tmp_path, (3, 15), SRC).items():
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
    for name, text in startup_code.contents(gone, (3, 15), SRC).items():
        (gone / name).write_text(text.replace(str(SRC), str(gone / "nowhere")))
    assert "_ipfs_accelerate_boot" not in start(gone)
