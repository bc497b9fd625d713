from __future__ import annotations

import importlib
import os
import sys
from functools import partial

import pytest

from ipfs_accelerate_py.config.settings import Settings
from ipfs_accelerate_py.hook import finder
from ipfs_accelerate_py.session import session
from ipfs_accelerate_py.store.store import Store

from . import collecting
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


@pytest.fixture
def store(tmp_path):
    """An empty store."""
    return Store(tmp_path / "store")


@pytest.fixture
def settings(tmp_path, store):
    """Settings whose store is `store`, with an empty local cache and no other source."""
    return Settings(store.root, "off", (tmp_path / "cache",), "off", (), 1.0, "WARNING", False)


@pytest.fixture
def collect(store, settings):
    """`collect(older_than=..., max_size=...)`: collecting.collect_dry_first for this store."""
    return partial(collecting.collect_dry_first, store, settings)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user without any setting, in a process that has warned of nothing yet."""
    for name in list(os.environ):
        if name.startswith(("IPFS_", "HF_", "HUGGINGFACE_", "XDG_", "STORAGE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    session.reset()
    return tmp_path
