"""A library to hook, as data: a package `toylib` on disk and the object that says what to patch in it."""

from __future__ import annotations

import types
from pathlib import Path

SOURCES = {
    "toylib/__init__.py": "name = 'toylib'\n",
    "toylib/data.txt": "some data",
    "toylib/models/__init__.py": "",
    "toylib/models/auto.py": (
        '"""The doc."""\nimport sys\n\n\nclass Auto:\n    """A class."""\n\n'
        '    def load(self):\n        return "original"\n'
    ),
    "toylib/models/other.py": "loaded = True\n",
    "toylib/broken.py": "1 / 0\n",
    "toylib/replaced.py": (
        "import sys, types\n"
        "class Lazy(types.ModuleType):\n    pass\n"
        "lazy = Lazy(__name__)\nlazy.__dict__.update(__spec__=__spec__, __file__=__file__)\n"
        "sys.modules[__name__] = lazy\n"
    ),
    "toylib/resources/__init__.py": (
        "import importlib.resources, inspect, linecache, pkgutil\n"
        "def here():\n    return 1\n"
        "during = {\n"
        "    'loader': type(__loader__).__name__,\n"
        "    'spec_loader': type(__spec__.loader).__name__,\n"
        "    'resource': importlib.resources.files(__name__).joinpath('inner.txt').read_text(),\n"
        "    'data': pkgutil.get_data(__name__, 'inner.txt'),\n"
        "    'source': inspect.getsource(here),\n"
        "    'line': linecache.getline(__file__, 1, globals()),\n"
        "}\n"
    ),
    "toylib/resources/inner.txt": "inner",
}


class ToyModule(types.ModuleType):
    """The kind of module that the library asks for."""


class ToyLibrary:
    """Patches every module below toylib but `other`."""

    name = "toylib"

    def __init__(self) -> None:
        self.patched: list[types.ModuleType] = []
        self.kind: type[types.ModuleType] | None = None
        self.error: Exception | None = None

    def wants(self, fullname: str) -> bool:
        return fullname.startswith("toylib.") and fullname != "toylib.models.other"

    def module_type(self, fullname: str) -> type[types.ModuleType] | None:
        return self.kind

    def after_exec(self, module: types.ModuleType) -> None:
        self.patched.append(module)
        if self.error is not None:
            raise self.error
        if hasattr(module, "Auto"):
            module.Auto.load = lambda self: "patched"


def write(folder: Path) -> None:
    for name, text in SOURCES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
