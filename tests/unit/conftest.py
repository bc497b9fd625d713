from __future__ import annotations

import importlib
import sys

import pytest

from ipfs_accelerate_py.hook import finder

from . import toylib as toy


@pytest.fixture
def on_disk(tmp_path, monkeypatch):
    """The package toylib, importable and forgotten again afterwards."""
    toy.write(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = list(sys.meta_path)
    finder.uninstall()
    importlib.invalidate_caches()
    yield tmp_path
    sys.meta_path[:] = before
    for name in [name for name in sys.modules if name.partition(".")[0] == "toylib"]:
        del sys.modules[name]


@pytest.fixture
def library(on_disk):
    """The toy library, hooked."""
    library = toy.ToyLibrary()
    finder.install(library)
    yield library
    finder.uninstall()
