"""The loader: the module it leaves behind cannot be told from one that was loaded without it."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.resources
import importlib.util
import inspect
import linecache
import logging
import pickle
import pkgutil
import re
import sys
import threading
import types
import zipfile

import pytest

from ipfs_accelerate_py.hook import finder as hook_finder
from ipfs_accelerate_py.hook.loader import PatchingLoader

from . import toylib as toy


def load_plain(name):
    """The module as Python loads it without the hook."""
    hook_finder.uninstall()
    for known in [known for known in sys.modules if known.partition(".")[0] == "toylib"]:
        del sys.modules[known]
    return importlib.import_module(name)


def test_patches_after_execution(library):
    module = importlib.import_module("toylib.models.auto")
    assert module.Auto().load() == "patched"
    assert library.patched[-1] is module


def test_module_equals_plain_one(library):
    hooked = importlib.import_module("toylib.models.auto")
    seen = describe(hooked)
    plain = load_plain("toylib.models.auto")
    assert plain.Auto().load() == "original"
    assert describe(plain) == seen


def pickle_error(module):
    with pytest.raises(TypeError) as caught:
        pickle.dumps(module)
    return str(caught.value)


def describe(module):
    loader = module.__loader__
    return {
        "names": sorted(vars(module)),
        "repr": repr(module),
        "type": type(module),
        "spec": re.sub(r" at 0x\w+", "", repr(module.__spec__)),
        "loader": (type(loader), loader.name, loader.path, module.__spec__.loader is loader),
        "pickle": pickle.dumps(module.Auto),
        "module_pickle": pickle_error(module),
        "source": inspect.getsource(module),
        "file": inspect.getfile(module),
        "doc": inspect.getdoc(module),
        "getmodule": inspect.getmodule(module.Auto) is module,
        "members": [name for name, _ in inspect.getmembers(module)],
        "line": linecache.getline(module.__file__, 1, vars(module)),
        "code": loader.get_code(module.__name__).co_names,
        "get_source": loader.get_source(module.__name__),
        "is_package": loader.is_package(module.__name__),
    }


def test_resources_work_during_execution_and_after(library):
    module = importlib.import_module("toylib.resources")
    assert module.during == {
        "loader": "SourceFileLoader",
        "spec_loader": "SourceFileLoader",
        "resource": "inner",
        "data": b"inner",
        "source": "def here():\n    return 1\n",
        "line": "import importlib.resources, inspect, linecache, pkgutil\n",
    }
    assert importlib.resources.files("toylib.resources").joinpath("inner.txt").read_text() == "inner"
    assert module in library.patched


def test_pkgutil_loads_a_package_that_is_not_imported_yet(library):
    assert pkgutil.get_data("toylib.resources", "inner.txt") == b"inner"
    assert [module.__name__ for module in library.patched] == ["toylib.resources"]


def test_loader_in_a_found_spec_answers_as_the_original(library, on_disk):
    import toylib

    spec = importlib.util.find_spec("toylib.resources")
    plain = importlib.machinery.PathFinder.find_spec("toylib.resources", toylib.__path__)
    loader, original = spec.loader, plain.loader
    assert type(loader) is PatchingLoader
    assert isinstance(loader, importlib.machinery.SourceFileLoader)
    assert isinstance(loader, importlib.abc.InspectLoader) and isinstance(loader, importlib.abc.FileLoader)
    assert loader == original and hash(loader) == hash(original) and loader == spec.loader
    assert (loader.name, loader.path) == (original.name, original.path)
    assert loader.get_data(spec.origin) == original.get_data(spec.origin)
    assert loader.get_source(spec.name) == original.get_source(spec.name)
    assert loader.is_package(spec.name) is True
    assert loader.get_code(spec.name).co_filename == spec.origin
    assert loader.get_filename(spec.name) == spec.origin
    assert loader.get_resource_reader(spec.name).is_resource("inner.txt")
    with pytest.raises(AttributeError):
        _ = loader.no_such_thing


def test_reload_patches_again(library):
    module = importlib.import_module("toylib.models.auto")
    first = module.Auto
    again = importlib.reload(module)
    assert again is module and module.Auto is not first
    assert module.Auto().load() == "patched"
    assert type(module.__loader__) is type(module.__spec__.loader) is importlib.machinery.SourceFileLoader


def test_executing_a_spec_by_hand_patches_that_module(library):
    registered = importlib.import_module("toylib.models.auto")
    del sys.modules["toylib.models.auto"]
    spec = importlib.util.find_spec("toylib.models.auto")
    sys.modules["toylib.models.auto"] = registered
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    assert library.patched[-1] is copy
    assert copy.Auto().load() == "patched"


def test_module_that_replaces_itself_is_the_one_patched(library):
    module = importlib.import_module("toylib.replaced")
    assert type(module).__name__ == "Lazy"
    assert library.patched == [module]


def test_library_chooses_the_kind_of_module(library):
    library.kind = toy.ToyModule
    module = importlib.import_module("toylib.models.auto")
    assert type(module) is toy.ToyModule
    assert repr(module) == f"<module 'toylib.models.auto' from {module.__file__!r}>"


def test_failing_module_raises_its_own_error_and_is_not_patched(library):
    with pytest.raises(ZeroDivisionError):
        importlib.import_module("toylib.broken")
    assert "toylib.broken" not in sys.modules
    assert library.patched == []


def test_failing_patch_is_logged_once_and_the_import_goes_on(library, caplog):
    library.error = ValueError("no such class")
    with caplog.at_level(logging.WARNING, logger="ipfs_accelerate_py"):
        module = importlib.import_module("toylib.models")
        importlib.reload(module)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "toylib.models" in caplog.text and "no such class" in caplog.text
    assert sys.modules["toylib.models"] is module


def test_failing_module_type_gives_the_default(library, monkeypatch):
    def fail(fullname):
        raise ValueError(fullname)

    monkeypatch.setattr(library, "module_type", fail)
    assert type(importlib.import_module("toylib.models.auto")) is types.ModuleType


def test_a_control_exception_is_not_swallowed(library, monkeypatch):
    def interrupt(module):
        raise KeyboardInterrupt

    monkeypatch.setattr(library, "after_exec", interrupt)
    with pytest.raises(KeyboardInterrupt):
        importlib.import_module("toylib.models.auto")


def test_lazy_loader_patches_on_first_use(library):
    spec = importlib.util.find_spec("toylib.models.auto")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    assert not [patched for patched in library.patched if patched.__name__ == "toylib.models.auto"]
    assert module.Auto().load() == "patched"


def test_zip_import(tmp_path, monkeypatch):
    archive = tmp_path / "toy.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for name, text in toy.SOURCES.items():
            zipped.writestr(name, text)
    monkeypatch.syspath_prepend(str(archive))
    library = toy.ToyLibrary()
    hook_finder.install(library)
    try:
        module = importlib.import_module("toylib.models.auto")
        assert module.Auto().load() == "patched"
        assert type(module.__loader__).__name__ == "zipimporter"
        assert inspect.getsource(module) == toy.SOURCES["toylib/models/auto.py"]
    finally:
        hook_finder.uninstall()
        for name in [name for name in sys.modules if name.partition(".")[0] == "toylib"]:
            del sys.modules[name]


def test_many_threads_get_the_same_patched_module(library):
    barrier, got = threading.Barrier(8), []

    def work():
        barrier.wait()
        got.append(importlib.import_module("toylib.models.auto"))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8 and len({id(module) for module in got}) == 1
    assert [module.__name__ for module in library.patched].count("toylib.models.auto") == 1
