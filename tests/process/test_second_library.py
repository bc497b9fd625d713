"""A second library is a folder in `libraries/` and a name in the boot module: here one of the test's own."""

from __future__ import annotations

import os

import pytest
import wrapt

LIBRARY = {
    "__init__.py": "__version__ = '1.5'\nfrom .hub import fetch\n",
    "hub.py": "def fetch(name):\n    return f'fetched {name}'\n\n\ndef old(name):\n    return f'old {name}'\n",
    "borrowed.py": "from .hub import fetch as kept\nfrom os.path import basename\n",
    "base.py": (
        "class Base:\n    @classmethod\n    def from_pretrained(cls, name):\n        return f'{cls.__name__} {name}'\n"
    ),
    "auto/__init__.py": "",
    "auto/things.py": (
        "class AutoThing:\n    @classmethod\n    def from_pretrained(cls, name):\n        return f'thing {name}'\n\n\n"
        "class Plain:\n    pass\n"
    ),
}
ROOM = {
    "__init__.py": "",
    "library.py": (
        "from ...patching.library import ClassDoors, Door, Library\n\n"
        "SERVE = f'{__package__}.serving:serve'\n"
        "LIBRARY = Library('toylib', (\n"
        "    Door('toylib.hub', (), 'fetch', SERVE),\n"
        "    Door('toylib.hub', (), 'old', SERVE, below=(1, 0)),\n"
        "    Door('toylib.hub', (), 'never', SERVE),\n"
        "    Door('toylib.borrowed', (), 'basename', SERVE, handed_on=False),\n"
        "    Door('toylib.base', ('Missing', 'Base'), 'from_pretrained', SERVE),\n"
        "    Door('toylib.unseen', (), 'call', SERVE),\n"
        "), ClassDoors('toylib.auto.', 'Auto', SERVE), ((1, 0), (2, 0)))\n"
    ),
    "serving.py": ("def serve(wrapped, instance, args, kwargs):\n    return f'served {wrapped(*args, **kwargs)}'\n"),
}
PRELUDE = """
import os, sys
IMPORTS = "import toylib, toylib.base, toylib.borrowed, toylib.auto.things"
def say():
    import toylib
    print(toylib.fetch("a"), "|", toylib.hub.fetch("b"), "|", toylib.borrowed.kept("c"), "|", toylib.hub.old("d"))
    print(toylib.base.Base.from_pretrained("e"), "|", toylib.auto.things.AutoThing.from_pretrained("f"))
    print(toylib.borrowed.basename("g/h"), "|", os.path.basename("i/j"))
def everything():
    seen = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "toylib":
            seen[name] = (module, type(module))
            seen.update({(name, key): value for key, value in vars(module).items()})
    seen.update({("Base", key): value for key, value in vars(toylib.base.Base).items()})
    return seen
def same(before, after):
    return before.keys() == after.keys() and all(
        before[key] is after[key] or type(before[key]) is tuple and before[key] == after[key] for key in before)
"""
PLAIN = "fetched a | fetched b | fetched c | old d\nBase e | thing f\nh | j\n"
SERVED = (
    "served fetched a | served fetched b | served fetched c | old d\nserved Base e | served thing f\nserved h | j\n"
)


@pytest.fixture
def toy(environment):
    """An environment with the package and its room for `toylib`, and that library; enabled."""
    environment.copy_package()
    package = environment.site / "ipfs_accelerate_py"
    for folder, files in ((environment.site / "toylib", LIBRARY), (package / "libraries" / "toylib", ROOM)):
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
    boot = environment.site / "_ipfs_accelerate_boot.py"
    text = boot.read_text()
    assert text.count('"transformers")') == 1
    boot.write_text(text.replace('"transformers")', '"transformers", "toylib")'))
    (environment.site / "zz_dependencies.pth").write_text(os.path.dirname(os.path.dirname(wrapt.__file__)))
    assert environment.hook("enable").returncode == 0
    return environment


def run(toy, code):
    done = toy.run("-c", PRELUDE + code)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_startup_file_waits_for_it(toy):
    """Served from the first import on; the room's code is loaded with the first call."""
    code = """
assert "ipfs_accelerate_py" not in sys.modules
exec(IMPORTS)
assert "transformers" not in sys.modules
assert "ipfs_accelerate_py.libraries.toylib.serving" not in sys.modules
say()
"""
    assert run(toy, code) == SERVED
    toy.environ["IPFS_ACCELERATE"] = "0"
    assert run(toy, "exec(IMPORTS)\nsay()") == PLAIN


@pytest.mark.parametrize("first", ["exec(IMPORTS)", "import toylib"])
def test_loaded_before_activation_and_restored_exactly(toy, first):
    code = f"""
os.environ["IPFS_ACCELERATE"] = "0"
{first}
from ipfs_accelerate_py import auto_patch_transformers as by_hand
os.environ["IPFS_ACCELERATE"] = "1"
path = list(sys.meta_path)
if {first!r} == "exec(IMPORTS)":
    before = everything()
else:
    assert by_hand.apply()
    exec(IMPORTS)
    by_hand.restore()
    before = everything()
say()
for cycle in range(3):
    assert by_hand.apply()
    assert not same(before, everything())
    say()
    by_hand.restore()
    assert same(before, everything())
say()
"""
    assert run(toy, code) == PLAIN + 3 * SERVED + PLAIN


def test_the_status_has_its_doors_and_classes(toy):
    code = """
import json
exec(IMPORTS)
from ipfs_accelerate_py import get_status
status = get_status()
print(json.dumps([status["patched_classes"], {k: v for k, v in status["doors"].items() if k.startswith("toylib.")}]))
"""
    import json

    classes, doors = json.loads(run(toy, code))
    assert classes == ["toylib.AutoThing"]
    assert doors == {
        "toylib.hub.fetch": "in place",
        "toylib.hub.old": "not needed",
        "toylib.hub.never": "not found",
        "toylib.borrowed.basename": "in place",
        "toylib.base.Missing.from_pretrained": "in place",
        "toylib.unseen.call": "not yet imported",
    }


def test_a_version_outside_of_its_range_is_named(toy):
    (toy.site / "toylib" / "__init__.py").write_text("__version__ = '0.9'\nfrom .hub import fetch\n")
    done = toy.run("-c", f"{PRELUDE}exec(IMPORTS)\nsay()")
    assert done.stdout == PLAIN
    assert done.stderr.count("toylib 0.9 is outside the tested range 1.0 to below 2.0") == 1


def test_what_serves_it_cannot_be_imported(toy):
    """The original is called, and the user is told once."""
    (toy.site / "ipfs_accelerate_py" / "libraries" / "toylib" / "serving.py").write_text("import no_such_module\n")
    done = toy.run("-c", f"{PRELUDE}exec(IMPORTS)\nsay()\nsay()")
    assert done.stdout == 2 * PLAIN
    assert done.stderr.count("could not patch ") == 1 and "no_such_module" in done.stderr
