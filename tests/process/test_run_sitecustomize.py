"""The user's own sitecustomize runs as ever under `hook run`, wherever it lies on sys.path."""

from __future__ import annotations

import os

import pytest
import wrapt

from .run_probe.whole import check, compare


class TestSitecustomize:
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

    def test_it_runs_at_both_starts(self, environment, work, tmp_path):
        """`run` is an interpreter before it becomes the program; docs/limits.md says so."""
        count = "with open('starts', 'a') as file:\n    print('start', file=file)\n"
        (tmp_path / "sitecustomize.py").write_text(count)
        environ = {**environment.environ, "PYTHONPATH": str(tmp_path)}
        assert environment.hook("run", "probe.py", cwd=work, env=environ).returncode == 0
        assert (work / "starts").read_text() == "start\n" * 2

    @pytest.mark.parametrize("enabled", [False, True])
    def test_transformers_imported_by_another_startup_file(self, environment, work, enabled):
        """That is before our turn; activation follows with the next module of transformers."""
        library = environment.site / "transformers"
        library.mkdir()
        (library / "__init__.py").write_text("")
        (library / "part.py").write_text("")
        (environment.site / "zz_others.pth").write_text(os.path.dirname(os.path.dirname(wrapt.__file__)))
        (environment.site / "aaa.pth").write_text("import transformers\n")
        if enabled:
            environment.hook("enable")
        say = "print([type(each).__name__ for each in sys.meta_path[:1]])"
        done = environment.hook("run", "-c", f"import sys; {say}; import transformers.part; {say}", cwd=work)
        assert (done.stdout, done.stderr) == ("['BootFinder']\n['TransformersFinder']\n", "")
