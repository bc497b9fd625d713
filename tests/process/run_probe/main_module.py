"""`__main__`: its attributes, what it imports, where its source is, and what can be pickled."""

from .check import Check, script

NAMES = ("__name__", "__file__", "__package__", "__doc__", "__cached__", "__annotations__", "__builtins__")
MAIN = f"""\
'''The documentation.'''
import __main__ as main, sys
for name in {NAMES}:
    print(name, repr(getattr(main, name, 'absent')))
spec = main.__spec__
print(type(main.__loader__).__name__, spec and (spec.name, spec.parent, spec.origin))
print(sorted(vars(main)), sys.modules['__main__'] is main, __name__)
"""
FIRST = "import sys; print(repr(sys.path[0]))"
SIBLING = {"sibling.py": "print('the sibling', __file__)"}
PATH = "import sys; print([entry for entry in sys.path if not entry.endswith('startup/site')])"
PICKLE = """\
import pickle
class Thing:
    def __eq__(self, other): return isinstance(other, Thing)
data = pickle.dumps(Thing())
print(data, pickle.loads(data) == Thing())
"""
SOURCE = """\
import inspect
def function(a, b=2):  # with a comment
    return a + b
print(inspect.getsource(function), inspect.getsourcefile(function), inspect.getfile(function))
"""
HINTS = """\
from __future__ import annotations
import dataclasses, typing
@dataclasses.dataclass
class Thing:
    other: Thing | None
print(typing.get_type_hints(Thing), Thing(None), Thing.__module__)
"""
SHADOWS = {
    f"{name}.py": "print('the wrong one')"
    for name in ("logging", "argparse", "signal", "zipfile", "site", "platformdirs", "sysconfig", "errno", "pathlib")
}

CHECKS = {
    "__main__ of a script": script(MAIN),
    "__main__ of an absolute script": Check(shell='{python} "$PWD/script.py"', files={"script.py": MAIN}),
    "__main__ of a symlinked script": Check(["link.py"], files={"real/script.py": MAIN, "link.py": "->real/script.py"}),
    "__main__ of a script without suffix": Check(["script"], files={"script": MAIN}),
    "__main__ of -m package": Check(["-m", "package"], files={"package/__main__.py": MAIN, "package/__init__.py": ""}),
    "__main__ of -m package.module": Check(["-m", "package.part"], files={"package/part.py": MAIN}),
    "__main__ of -c": Check(["-c", MAIN]),
    "__main__ of stdin": Check(["-"], stdin=MAIN),
    "__main__ of a folder": Check(["folder"], files={"folder/__main__.py": MAIN}),
    "__main__ of a zip application": Check(["app.zip"], files={"app.zip": MAIN}),
    "__main__ of bytecode": Check(
        shell="{python} -m py_compile script.py && mv __pycache__/*.pyc done.pyc && {python} done.pyc",
        files={"script.py": MAIN},
    ),
    "sys.path[0] of a script": script(FIRST),
    "sys.path[0] of a script below": Check(["sub/script.py"], files={"sub/script.py": FIRST}),
    "sys.path[0] of a symlinked script": Check(["link.py"], files={"a/script.py": FIRST, "link.py": "->a/script.py"}),
    "sys.path[0] of -m": Check(["-m", "part"], files={"part.py": FIRST}),
    "sys.path[0] of -c": Check(["-c", FIRST]),
    "sys.path[0] of stdin": Check(["-"], stdin=FIRST),
    "sys.path[0] of a folder": Check(["folder"], files={"folder/__main__.py": FIRST}),
    "sys.path[0] of a zip application": Check(["app.zip"], files={"app.zip": FIRST}),
    "the rest of sys.path": script(PATH),
    "a sibling is imported": Check(
        ["sub/script.py"], files={"sub/script.py": "import sibling", "sub/sibling.py": "print(1)"}
    ),
    "a sibling of a symlinked script": Check(
        ["link.py"], files={"a/script.py": "import sibling", "a/sibling.py": "print(1)", "link.py": "->a/script.py"}
    ),
    "a sibling of -c": Check(["-c", "import sibling"], files=SIBLING),
    "a sibling of -m": Check(["-m", "part"], files={"part.py": "import sibling", **SIBLING}),
    "a relative import in a package": Check(
        ["-m", "package"],
        files={"package/__main__.py": "from . import part", "package/part.py": "print(__name__, __package__)"},
    ),
    "files that shadow the standard library": Check(["sub/script.py"], files={"sub/script.py": PATH, **SHADOWS}),
    "a shadow of the standard library, for the script": script("import zipfile", files=SHADOWS),
    "pickling a class of __main__": script(PICKLE),
    "inspect.getsource": script(SOURCE),
    "type hints and dataclasses of __main__": script(HINTS),
    "runpy": script("import runpy; runpy.run_path('other.py', run_name='x')", files={"other.py": "print(__name__)"}),
}
