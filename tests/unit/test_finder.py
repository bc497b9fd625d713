"""The finder and the boot finder: where they sit on sys.meta_path, what they ask, what they leave alone."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys

import pytest

import _ipfs_accelerate_boot as boot
from ipfs_accelerate_py.hook import finder as hook_finder
from ipfs_accelerate_py.hook.loader import PatchingLoader

from . import toylib as toy


class Watching:
    """A finder that notes what it is asked and answers with what it was given."""

    def __init__(self, answer=None):
        self.asked, self.answer = [], answer

    def find_spec(self, fullname, path=None, target=None):
        self.asked.append((fullname, path, target))
        return self.answer


def test_install_and_uninstall_leave_meta_path_as_it_was(on_disk):
    path, before = sys.meta_path, list(sys.meta_path)
    hook_finder.install(toy.ToyLibrary())
    hook_finder.install(toy.ToyLibrary())
    assert sys.meta_path is path
    assert sys.meta_path[1:] == before and type(sys.meta_path[0]) is hook_finder.TransformersFinder
    assert hook_finder.installed() is sys.meta_path[0]
    hook_finder.uninstall()
    hook_finder.uninstall()
    assert sys.meta_path is path and sys.meta_path == before
    assert hook_finder.installed() is None


@pytest.mark.parametrize("position", [0, 1, 2])
def test_install_takes_the_boot_finders_place_and_goes_first(on_disk, position):
    before = list(sys.meta_path)
    sys.meta_path.insert(position, boot.BootFinder())
    hook_finder.install(toy.ToyLibrary())
    assert sys.meta_path[1:] == before
    assert type(sys.meta_path[0]) is hook_finder.TransformersFinder
    boot.install()
    assert sys.meta_path[1:] == before
    hook_finder.uninstall()
    assert sys.meta_path == before


def test_boot_installs_once(on_disk):
    before = list(sys.meta_path)
    boot.install()
    boot.install()
    assert type(sys.meta_path[0]) is boot.BootFinder and sys.meta_path[1:] == before
    hook_finder.uninstall()
    assert sys.meta_path == before


def test_unwanted_names_ask_nobody(library):
    watching = Watching()
    sys.meta_path.insert(1, watching)
    ours = hook_finder.installed()
    for name in ("toylib", "toylib.models.other", "toylibrary", "os", "json.decoder"):
        assert ours.find_spec(name, None, None) is None
    assert watching.asked == []


def test_other_finders_are_asked_in_order_with_all_arguments(library):
    spec = importlib.machinery.ModuleSpec("toylib.models", importlib.machinery.BuiltinImporter)
    first, second, third = Watching(), Watching(spec), Watching()
    sys.meta_path[1:1] = [first, second, third]
    target = sys
    found = hook_finder.installed().find_spec("toylib.models", ["somewhere"], target)
    assert found is spec and type(found.loader) is PatchingLoader
    assert first.asked == second.asked == [("toylib.models", ["somewhere"], target)]
    assert third.asked == []


def test_nothing_found_is_none(library):
    assert hook_finder.installed().find_spec("toylib.nothing", ["/nowhere"]) is None
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'toylib\.nothing'"):
        importlib.import_module("toylib.nothing")


def test_loader_without_exec_module_is_untouched(library):
    class Old:
        def load_module(self, fullname): ...

    old = Old()
    sys.meta_path.insert(1, Watching(importlib.machinery.ModuleSpec("toylib.old", old)))
    assert hook_finder.installed().find_spec("toylib.old").loader is old
    namespace = importlib.machinery.ModuleSpec("toylib.ns", None, is_package=True)
    sys.meta_path.insert(1, Watching(namespace))
    assert hook_finder.installed().find_spec("toylib.ns").loader is None


@pytest.mark.filterwarnings("ignore:.*falling back to find_module:ImportWarning")
def test_finder_without_find_spec(library):
    """Up to Python 3.11 such a finder works through find_module; later importlib passes over it."""

    class OldFinder:
        asked = ()

        def find_module(self, fullname, path=None):
            self.asked = (*self.asked, fullname)
            return self if fullname == "toylib.old" else None

        def load_module(self, fullname):
            module = sys.modules[fullname] = type(sys)(fullname)
            return module

    old = OldFinder()
    sys.meta_path.insert(1, old)
    assert importlib.import_module("toylib.models.auto").Auto().load() == "patched"
    if sys.version_info < (3, 12):
        assert "toylib.models.auto" in old.asked
        with pytest.warns(ImportWarning):
            assert importlib.import_module("toylib.old").__loader__ is old
    else:
        assert old.asked == ()


def test_a_finder_that_walks_meta_path_itself_does_not_loop(library):
    class Walking:
        busy = False

        def find_spec(self, fullname, path=None, target=None):
            for finder in sys.meta_path:
                if finder is not self and (spec := finder.find_spec(fullname, path, target)) is not None:
                    return spec
            return None

    sys.meta_path.insert(0, Walking())
    assert importlib.import_module("toylib.models.auto").Auto().load() == "patched"


def test_error_of_another_finder_is_not_hidden(library):
    class Failing:
        def find_spec(self, fullname, path=None, target=None):
            raise PermissionError(fullname)

    import toylib  # noqa: F401

    sys.meta_path.insert(1, Failing())
    with pytest.raises(PermissionError):
        importlib.import_module("toylib.models")
    sys.meta_path.pop(1)
    assert importlib.import_module("toylib.models")


def test_two_libraries_share_one_finder(library):
    other = toy.ToyLibrary()
    other.name = "otherlib"
    hook_finder.install(other)
    assert hook_finder.installed().libraries == {"toylib": library, "otherlib": other}
    assert sum(type(finder) is hook_finder.TransformersFinder for finder in sys.meta_path) == 1


@pytest.mark.parametrize("boot_position", [None, 0, 1, 2])
def test_installing_in_the_middle_of_an_import_hides_no_finder_from_it(on_disk, boot_position):
    """importlib iterates over the list itself; a thread that has come to any place still meets all that follow."""
    base = list(sys.meta_path)
    for asked in range(len(base) + 1):
        sys.meta_path[:] = base
        if boot_position is not None:
            sys.meta_path.insert(boot_position, boot.BootFinder())
        iterator = iter(sys.meta_path)
        met = [next(iterator) for _ in range(asked)]
        hook_finder.install(toy.ToyLibrary())
        met += iterator
        assert [finder for finder in base if finder not in met] == []
