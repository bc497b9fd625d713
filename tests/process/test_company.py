"""Other import hooks and tools before and behind ours: loads are served by us, and the others still do their work."""

from __future__ import annotations

import re
import sys

import pytest

from tests.support.machine import Machine

pytestmark = pytest.mark.lines

LOAD = """
from transformers import AutoConfig

def load(kind: type[AutoConfig], name: str) -> str:
    return kind.from_pretrained(name).model_type

assert load(AutoConfig, "tiny/bert") == "bert"
"""
CHECKED = """
import users
try:
    users.load(AutoConfig := users.AutoConfig, 1)
except {error}:
    print("checked")
"""
TYPEGUARD = "from typeguard import install_import_hook as hook, TypeCheckError; hook('users')"
BEARTYPE = "from beartype.claw import beartype_package as hook; from beartype.roar import BeartypeCallHintViolation"
EDITABLE = """
import importlib.machinery, importlib.util, sys
place = importlib.util.find_spec("transformers").origin
asked = []

class EditableFinder:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name == "transformers":
            asked.append(name)
            folder = [place.rpartition("/")[0]]
            return importlib.util.spec_from_file_location(name, place, submodule_search_locations=folder)
"""
# label -> what installs the other hook, and what shows that it works
HOOKS = {
    "typeguard": (TYPEGUARD, CHECKED.format(error="TypeCheckError")),
    "beartype": (f"{BEARTYPE}; hook('users')", CHECKED.format(error="BeartypeCallHintViolation")),
    "editable finder": (
        f"{EDITABLE}\nsys.meta_path.insert(0, EditableFinder)",
        "import users\nassert asked\nprint('checked')",
    ),
}
OURS = "import ipfs_accelerate_py"


@pytest.fixture
def user(tmp_path, tiny_hub):
    """A machine whose user has a module `users` that loads, and a check that it was loaded through us."""
    machine = Machine(tmp_path / "m", hub=tiny_hub)
    (machine.home / "users.py").write_text(LOAD)

    def served(*names):
        assert sorted(path.name for path in machine.store.glob("models--*")) == sorted(names or ["models--tiny--bert"])
        assert not machine.copies()

    machine.served = served
    return machine


@pytest.mark.parametrize("first", ["ours first", "theirs first"])
@pytest.mark.parametrize("label", HOOKS)
def test_import_hook(label, first, user):
    theirs, check = HOOKS[label]
    lines = [OURS, theirs] if first == "ours first" else [theirs, OURS]
    ran = user.run("\n".join([*lines, check]), hooked=False, env={"IPFS_ACCELERATE": "1"})
    assert ran.stdout.split() == ["checked"], ran.stderr
    user.served()


def test_coverage(user):
    (user.home / "main.py").write_text("import users\n")
    ran = user.hook(
        "run", "-m", "coverage", "run", "--include=users.py,main.py", "main.py", env={"IPFS_ACCELERATE": "1"}
    )
    assert ran.returncode == 0, ran.stderr
    report = user.hook("run", "-m", "coverage", "report").stdout
    assert re.findall(r"^(\S+) .*\b100%$", report, re.MULTILINE)[:2] == ["main.py", "users.py"], report
    user.served()


def test_pdb(user):
    """Stops at a line, steps over the load, and sees what a user sees."""
    words = ["b 5", "c", "p 'kind', kind", "n", "p 'step', kind.from_pretrained.__name__", "c", "q"]
    commands = [word for each in words for word in ("-c", each)]
    ran = user.hook("run", "-m", "pdb", *commands, "users.py", env={"IPFS_ACCELERATE": "1"})
    assert "('kind', <class 'transformers.models.auto.configuration_auto.AutoConfig'>)" in ran.stdout, ran.stdout
    assert "('step', 'from_pretrained')" in ran.stdout
    user.served()


def test_pytest(user):
    """pytest rewrites the assertions of a test module; monkeypatch patches a proxy and puts it back."""
    (user.home / "test_user.py").write_text("""
from transformers import AutoConfig
from users import load

def test_load():
    assert load(AutoConfig, "tiny/bert") == "bert"

def test_patched(monkeypatch):
    monkeypatch.setattr(AutoConfig, "from_pretrained", lambda name: name)
    assert AutoConfig.from_pretrained("patched") == "patched"

def test_put_back():
    assert load(AutoConfig, "tiny/bert") == "of a bert"
""")
    ran = user.hook("run", "-m", "pytest", "-q", "-p", "no:cacheprovider", env={"IPFS_ACCELERATE": "1"})
    assert "1 failed, 2 passed" in ran.stdout
    assert "AssertionError: assert 'bert' == 'of a bert'" in ran.stdout
    user.served()


PROCESSES = """
import multiprocessing, os, sys
from transformers import AutoConfig

if __name__ == "__main__":
    for method, name in (("spawn", "tiny/bert"), ("forkserver", "tiny/gpt2"), ("fork", "tiny/vit")):
        with multiprocessing.get_context(method).Pool(1) as pool:
            config = pool.apply(AutoConfig.from_pretrained, (name,))
            print(type(config).__name__, pool.apply(id, (AutoConfig,)) > 0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_child_processes(user):
    """Of each kind; the bound method, the class and what was loaded travel by pickle."""
    (user.home / "main.py").write_text(PROCESSES)
    ran = user.run("main.py")
    assert ran.stdout.splitlines() == ["BertConfig True", "GPT2Config True", "ViTConfig True"], ran.stderr
    user.served("models--tiny--bert", "models--tiny--gpt2", "models--tiny--vit")


def test_activation_inside_a_function_after_another_patch(user):
    """Another library patched the method before us, and takes its patch back after."""
    code = """
    from transformers import AutoConfig
    saved, seen = AutoConfig.__dict__["from_pretrained"], []
    def patched(cls, *args, **kwargs):
        seen.append(args)
        return saved.__func__(cls, *args, **kwargs)
    AutoConfig.from_pretrained = classmethod(patched)
    def activate():
        import ipfs_accelerate_py
        from transformers import AutoConfig
        return AutoConfig
    proxy = activate()
    assert proxy.from_pretrained("tiny/bert").model_type == "bert" and seen == [("tiny/bert",)]
    proxy.from_pretrained = saved
    assert proxy.from_pretrained("tiny/gpt2").model_type == "gpt2" and len(seen) == 1
    assert AutoConfig.from_pretrained("tiny/vit").model_type == "vit"
    """
    ran = user.run("if True:" + code, hooked=False, env={"IPFS_ACCELERATE": "1"})
    assert ran.returncode == 0, ran.stderr
    user.served("models--tiny--bert", "models--tiny--gpt2", "models--tiny--vit")


def test_activation_while_another_thread_imports(user):
    """At several moments of that import; nothing is left without its wrapper."""
    code = """
import sys, threading, time
def first():
    from transformers import AutoModel, BertConfig
thread = threading.Thread(target=first)
thread.start()
while {name!r} not in sys.modules:
    time.sleep(0.001)
import ipfs_accelerate_py
thread.join()
import transformers, transformers.utils.hub as hub
from transformers.models.auto import modeling_auto
wrappers = [hub.cached_files, vars(transformers.PretrainedConfig)["from_pretrained"], modeling_auto.AutoModel]
assert all(type(each).__module__ == "ipfs_accelerate_py.patching.proxies" for each in wrappers), wrappers
transformers.AutoConfig.from_pretrained("tiny/bert")
"""
    for name in (
        "transformers.utils.hub",
        "transformers.configuration_utils",
        "transformers.models.auto.modeling_auto",
    ):
        ran = user.run(code.format(name=name), hooked=False, env={"IPFS_ACCELERATE": "1"})
        assert ran.returncode == 0, ran.stderr
    user.served()


def test_interactive_interpreter(user):
    code = """
import code
console = code.InteractiveInterpreter()
for line in ("import ipfs_accelerate_py", "from transformers import AutoConfig", "AutoConfig",
             "AutoConfig.from_pretrained('tiny/bert').model_type"):
    assert console.runsource(line) is False
"""
    ran = user.run(code, hooked=False, env={"IPFS_ACCELERATE": "1"})
    shown = ["<class 'transformers.models.auto.configuration_auto.AutoConfig'>", "'bert'"]
    assert ran.stdout.splitlines() == shown, ran.stderr
    user.served()


@pytest.mark.skipif(sys.version_info[:2] not in ((3, 11), (3, 12)), reason="the module has another name")
def test_sub_interpreter(user):
    """transformers itself does not run in one; ours starts in one, and leaves the main one alone."""
    code = """
import _xxsubinterpreters as interpreters
inside = interpreters.create()
interpreters.run_string(inside, "import ipfs_accelerate_py as ours; print(ours.get_status()['applied'], flush=True)")
interpreters.destroy(inside)
import users
"""
    ran = user.run(code)
    assert (ran.returncode, ran.stdout.split()) == (0, ["True"]), ran.stderr
    user.served()
