"""What was put where: proxies of classes, wrappers of methods and functions, each with what it replaced.

So `restore_all` is exact.
"""

from __future__ import annotations

import _imp
import gc
import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from itertools import chain
from types import ModuleType
from typing import Any, NamedTuple

from .doors import Door, DoorTable
from .late import late
from .proxies import AutoClassProxy, Wrapper


class Replacement(NamedTuple):
    """What stood in an attribute, and what stands there now."""

    owner: weakref.ref[Any]
    attribute: str
    original: Any
    replacement: Any
    door: Door


class ProxyModule(ModuleType):
    """A module in which classes are proxies, also those that are bound in it later."""

    def __setattr__(self, name: str, value: Any) -> None:
        library = _libraries.get(self.__name__.partition(".")[0])
        if library is not None and _is_own_class(library, name, value) and value.__module__ == self.__name__:
            value = _proxy_of(library, value)
        super().__setattr__(name, value)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        # Plain pickle refuses any module; cloudpickle takes one by name, but only if its type is exactly ModuleType.
        return import_module, (self.__name__,)


# class -> its one proxy
_proxies: dict[type, AutoClassProxy] = {}
_replaced: list[Replacement] = []
# those of which anything was replaced, by name
_libraries: dict[str, DoorTable] = {}
_version_said: set[str] = set()


def proxy_module(library: DoorTable) -> type[ModuleType]:
    """The kind of module for the classes of a library."""
    _libraries[library.name] = library
    return ProxyModule


def _is_own_class(library: DoorTable, name: str, value: object) -> bool:
    return library.classes is not None and type(value) is not AutoClassProxy and library.classes.fits(name, value)


def _proxy_of(library: DoorTable, cls: type) -> AutoClassProxy:
    """The one proxy of a class."""
    proxy = _proxies.get(cls)
    if proxy is None:
        assert library.classes is not None
        proxy = _proxies[cls] = AutoClassProxy(cls, late(library.classes.wrapper))
    return proxy


@contextmanager
def _locked() -> Iterator[None]:
    """One thread at a time puts wrappers in place. importlib's own lock: recursive, and made anew in a forked child.

    Nothing may be imported while it is held: another thread may be importing that, and want this lock for it.
    """
    _imp.acquire_lock()
    try:
        yield
    finally:
        _imp.release_lock()


def is_replacement(value: object) -> bool:
    """Is this one of the wrappers that we put in place?"""
    return any(each.replacement is value for each in _replaced)


def patch_module(library: DoorTable, module: ModuleType) -> None:
    """Put proxies and wrappers into the doors of one module of a library; once each."""
    if not _version_is_known(library):
        return
    with _locked():
        _libraries[library.name] = library
        new_classes = _patch_classes(library, module)
        for door in library.doors:
            if door.module == module.__name__ and library.needs(door):
                _patch_door(door, module)
    if new_classes:
        library.note_new_classes()
        _say_how_many(library)


def _patch_door(door: Door, module: ModuleType) -> None:
    names = vars(module)
    owners = [names[name] for name in door.owners if isinstance(names.get(name), type)] if door.owners else [module]
    for owner in owners:
        original = vars(owner).get(door.attribute)
        # A function of a module may be a class's neighbour that is missing in this version, or no function at all.
        if original is None or not (door.owners or callable(original)):
            continue
        if isinstance(original, Wrapper) and is_replacement(original):
            continue
        replacement = Wrapper(original, late(door.wrapper))
        setattr(owner, door.attribute, replacement)
        _replaced.append(Replacement(weakref.ref(owner), door.attribute, original, replacement, door))


def _patch_classes(library: DoorTable, module: ModuleType) -> bool:
    """Put proxies into a module; True if any are new."""
    if not library.has_classes(module.__name__):
        return False
    if type(module) is ModuleType:
        module.__class__ = ProxyModule
    found = [(name, value) for name, value in vars(module).items() if _is_own_class(library, name, value)]
    for name, cls in found:
        vars(module)[name] = _proxy_of(library, cls)
    return bool(found)


def _say_how_many(library: DoorTable) -> None:
    from .. import log, state

    logger, count = log.get_logger(), len(_patched_names(library))
    for text in state.take_unsaid():
        logger.info(text)
    logger.info("Successfully patched %d %s classes for distributed storage", count, library.name)


# -- all at once ----------------------------------------------------------------------------------------------------


def _loaded_modules(library: DoorTable) -> Iterator[ModuleType]:
    for name, module in list(sys.modules.items()):
        if (name == library.name or name.startswith(f"{library.name}.")) and isinstance(module, ModuleType):
            yield module


def _former_tops(library: DoorTable) -> Iterator[ModuleType]:
    """A package that executes its `__init__` twice is another module afterwards: what programs may still hold."""
    top = sys.modules.get(library.name)
    if top is not None and type(top) is not ModuleType:
        for module in gc.get_referrers(type(top)):
            if type(module) is type(top) and module is not top and vars(module).get("__name__") == library.name:
                yield module


def patch_loaded(library: DoorTable) -> None:
    """Patch a library where it is loaded already: its doors, and the names that its modules have handed on."""
    for module in [module for module in _loaded_modules(library) if library.has_doors(module.__name__)]:
        _wait_for(module)
        patch_module(library, module)
    with _locked():
        new = {id(each.original): each.replacement for each in _replaced if each.door.handed_on}
        new |= {id(cls): proxy for cls, proxy in _proxies.items()}
        _exchange(library, new)


def _wait_for(module: ModuleType) -> None:
    """Let another thread finish importing it; what the module binds later would not be patched.

    importlib's own wait, so its way out of deadlocks holds. In the importing thread itself it returns at once.
    """
    if getattr(module.__spec__, "_initializing", False):
        with suppress(Exception):  # that is the other thread's error
            import_module(module.__name__)


def _exchange(library: DoorTable, new: dict[int, Any]) -> None:
    """Exchange objects, by identity, in the dictionaries of all loaded modules of a library."""
    for module in chain(_loaded_modules(library), _former_tops(library)):
        names = vars(module)
        for name, value in list(names.items()):
            if id(value) in new:
                names[name] = new[id(value)]


def restore_all() -> None:
    """Put back what stood there, everywhere, and forget it."""
    with _locked():
        for each in reversed(_replaced):
            owner = each.owner()
            if owner is not None and vars(owner).get(each.attribute) is each.replacement:
                setattr(owner, each.attribute, each.original)
        old = {id(each.replacement): each.original for each in _replaced}
        old |= {id(proxy): cls for cls, proxy in _proxies.items()}
        for library in _libraries.values():
            _exchange(library, old)
            for module in _loaded_modules(library):
                if type(module) is ProxyModule:
                    module.__class__ = ModuleType  # type: ignore[assignment]
        _replaced.clear()
        _proxies.clear()
        _libraries.clear()


def patched_classes() -> list[str]:
    """The classes that are proxies now, as `<library>.<name>`."""
    return sorted(name for library in _libraries.values() for name in _patched_names(library))


def _patched_names(library: DoorTable) -> set[str]:
    modules = [module for module in _loaded_modules(library) if library.has_classes(module.__name__)]
    found = {name for module in modules for name, value in vars(module).items() if type(value) is AutoClassProxy}
    return {f"{library.name}.{name}" for name in found}


def _version_is_known(library: DoorTable) -> bool:
    """Is the version that is loaded one whose doors we know? Says once what it does not know."""
    found = library.numbers()
    if library.tested is None or found is None:
        return True
    low, high = library.tested
    if low <= found < high:
        return True
    version = library.version()
    if version not in _version_said:
        _version_said.add(version)
        tested = f"{'.'.join(map(str, low))} to below {'.'.join(map(str, high))}"
        rest = "the hook stays out of the way" if found < low else "what still fits is patched"
        from ..log import get_logger

        get_logger().warning("%s %s is outside the tested range %s: %s", library.name, version, tested, rest)
    return found >= low
