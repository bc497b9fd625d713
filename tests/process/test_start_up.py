"""What an enabled environment costs an interpreter that never imports transformers, and what the first import does."""

from __future__ import annotations

import json
import os
import re
import subprocess

import pytest
import wrapt

MODULES = "import sys; print('\\n'.join(sorted(sys.modules)))"


@pytest.fixture
def enabled(environment):
    """An enabled environment that has a small package of the name transformers."""
    library = environment.site / "transformers"
    for name, text in {
        "__init__.py": "",
        "modeling_utils.py": "class PreTrainedModel:\n    pass\n",
        "models/__init__.py": "",
        "models/other.py": "",
    }.items():
        (library / name).parent.mkdir(exist_ok=True)
        (library / name).write_text(text)
    # what the hook needs to patch something, from the environment that runs this test
    (environment.site / "zz_dependencies.pth").write_text(os.path.dirname(os.path.dirname(wrapt.__file__)))
    assert environment.hook("enable").returncode == 0
    return environment


def answer(environment, code):
    done = environment.run("-c", f"import json, sys\n{code}")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.parametrize("options", [(), ("-I",), ("-X", "dev"), ("-W", "error")])
def test_exactly_one_module_is_added(environment, options):
    plain = environment.run(*options, "-c", MODULES).stdout.split()
    environment.hook("enable")
    done = environment.run(*options, "-c", MODULES)
    assert done.stderr == ""
    hooked = done.stdout.split()
    assert sorted(set(hooked) - set(plain)) == ["_ipfs_accelerate_boot"]
    assert set(plain) <= set(hooked)


def test_boot_imports_sys_only(environment):
    """Nothing else, even where a module is loaded already and would not show as new."""
    import ast

    import _ipfs_accelerate_boot

    with open(_ipfs_accelerate_boot.__file__) as file:
        tree = ast.parse(file.read())
    top = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert [alias.name for node in top for alias in node.names] == ["sys"]
    everywhere = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert [node.module for node in everywhere] == ["ipfs_accelerate_py.activation"]


def test_no_thread_no_file_no_socket(enabled):
    events = answer(
        enabled,
        "import os\nprint(json.dumps([len(os.listdir('/proc/self/fd')), len(os.listdir('/proc/self/task'))]))",
    )
    enabled.hook("disable")
    assert events == answer(
        enabled,
        "import os\nprint(json.dumps([len(os.listdir('/proc/self/fd')), len(os.listdir('/proc/self/task'))]))",
    )


def test_meta_path_has_one_more_finder(enabled):
    code = "print(json.dumps([type(finder).__name__ for finder in sys.meta_path]))"
    hooked = answer(enabled, code)
    enabled.hook("disable")
    assert hooked == ["BootFinder", *answer(enabled, code)]


def test_first_import_puts_the_real_finder_in_the_boot_finders_place(enabled):
    names = answer(
        enabled,
        "before = list(sys.meta_path)\n"
        "import transformers\n"
        "after = list(sys.meta_path)\n"
        "assert after[1:] == before[1:]\n"
        "print(json.dumps([type(before[0]).__name__, type(after[0]).__name__, type(transformers.__loader__).__name__,"
        " type(transformers.__spec__.loader).__name__]))",
    )
    assert names == ["BootFinder", "TransformersFinder", "SourceFileLoader", "SourceFileLoader"]


def test_looking_for_transformers_activates_nothing(enabled):
    """Libraries ask find_spec whether it is installed; and a finder that imports can deadlock."""
    new = answer(
        enabled,
        "import importlib.machinery, importlib.util\n"
        "before = set(sys.modules)\n"
        "spec = importlib.util.find_spec('transformers')\n"
        "assert spec.origin.endswith('__init__.py') and spec.submodule_search_locations\n"
        "assert isinstance(spec.loader, importlib.machinery.SourceFileLoader)\n"
        "assert importlib.util.find_spec('transformers_like') is None\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))",
    )
    assert new == []


def test_absent_transformers_stays_absent(environment):
    environment.hook("enable")
    code = "try:\n    import transformers\nexcept ModuleNotFoundError as error:\n    print(json.dumps(str(error)))"
    assert answer(environment, code) == "No module named 'transformers'"


def test_switch_is_asked_again_at_each_import(enabled):
    enabled.environ["IPFS_ACCELERATE"] = "0"
    names = answer(
        enabled,
        "import os, transformers\n"
        "names = [type(sys.meta_path[0]).__name__]\n"
        "os.environ['IPFS_ACCELERATE'] = '1'\n"
        "import transformers.models.other\n"
        "names.append(type(sys.meta_path[0]).__name__)\n"
        "print(json.dumps(names))",
    )
    assert names == ["BootFinder", "TransformersFinder"]


def test_reload_before_activation(enabled):
    enabled.environ["IPFS_ACCELERATE"] = "0"
    names = answer(
        enabled,
        "import importlib, os, transformers\n"
        "os.environ['IPFS_ACCELERATE'] = '1'\n"
        "assert importlib.reload(transformers) is transformers\n"
        "print(json.dumps([type(sys.meta_path[0]).__name__, type(transformers.__loader__).__name__,"
        " type(transformers.__spec__.loader).__name__]))",
    )
    assert names == ["TransformersFinder", "SourceFileLoader", "SourceFileLoader"]


def test_many_threads_and_other_imports_at_once(enabled):
    """Threads that import transformers first, beside threads that import what activation needs."""
    code = (
        "import threading\n"
        "names = ['transformers', 'logging', 'transformers.models.other', 'json.decoder', 'concurrent.futures',\n"
        "         'dataclasses', 'contextlib', 'transformers.modeling_utils', 'ipfs_accelerate_py', 'pathlib']\n"
        "start, errors = threading.Barrier(len(names)), []\n"
        "def work(name):\n"
        "    start.wait()\n"
        "    try:\n        __import__(name)\n"
        "    except BaseException as error:\n        errors.append(repr(error))\n"
        "sys.setswitchinterval(1e-5)\n"
        "threads = [threading.Thread(target=work, args=(name,), daemon=True) for name in names]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join(20)\n"
        "print(json.dumps([errors, [thread.name for thread in threads if thread.is_alive()]]))\n"
    )
    for _ in range(5):
        assert answer(enabled, code) == [[], []]


def test_fork_after_start(enabled):
    code = (
        "import os\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    import transformers\n"
        "    os._exit(17 if type(sys.meta_path[0]).__name__ == 'TransformersFinder' else 1)\n"
        "print(json.dumps(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))\n"
    )
    assert answer(enabled, code) == 17


def test_status_of_an_enabled_environment(enabled):
    def status(**variables):
        done = subprocess.run(
            [enabled.python, "-m", "ipfs_accelerate_py.hook", "status", "--json"],
            env={**enabled.environ, **variables},
            cwd=enabled.folder,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)

    on = status()
    assert (on["enabled"], on["applied"], on["should_patch"], on["startup"]["enabled"]) == (True,) * 4
    off = status(IPFS_ACCELERATE="0")
    assert (off["enabled"], off["should_patch"], off["variable"]) == (False, False, "IPFS_ACCELERATE")
    assert off["startup"]["enabled"] is True
    enabled.hook("disable")
    gone = status()
    assert (gone["enabled"], gone["applied"], gone["should_patch"]) == (False, False, True)
    assert gone["startup"] == {"enabled": False, "files": []} and "startup file" in gone["reason"]


def test_status_for_people_is_aligned(enabled):
    lines = enabled.hook("status").stdout.splitlines()
    columns = {re.match(r"\S+(?: \S+)*  +", line).end() for line in lines}
    assert len(lines) >= 8 and len(columns) == 1
