"""Doors of a library replaced and put back: in a module that was just executed, or in all that are loaded."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from types import FunctionType, MethodType, ModuleType
from typing import Any

from .doors import Door, DoorTable
from .exchange import exchange, loaded_modules
from .functions import replace_function, replace_method
from .late import late
from .record import here, locked
from .record import is_replacement as is_replacement


def patch_module(library: DoorTable, module: ModuleType) -> None:
    """Put proxies and wrappers into the doors of one module of a library; once each."""
    if not _version_is_known(library):
        return
    new_classes = False
    if not library.everywhere:
        from . import class_proxies  # before the lock is held
    with locked():
        here.libraries[library.name] = library
        if library.has_classes(module.__name__):
            new_classes = class_proxies.patch_classes(library, module)
        for door in library.doors:
            if door.module == module.__name__ and library.needs(door):
                _patch_door(library, door, module)
    if new_classes:
        library.note_new_classes()
        _say_how_many(library)


def _patch_door(library: DoorTable, door: Door, module: ModuleType) -> None:
    names = vars(module)
    owners = [names[name] for name in door.owners if isinstance(names.get(name), type)] if door.owners else [module]
    for owner in owners:
        original = vars(owner).get(door.attribute)
        # A function of a module may be a class's neighbour that is missing in this version, or no function at all.
        if original is None or not (door.owners or callable(original)):
            continue
        if here.stands_at(owner, door.attribute):
            continue
        if library.everywhere:
            if not isinstance(original, FunctionType):
                continue
            _replace_plainly(door, owner, original, module)
        else:
            from .proxies import Wrapper  # which is there: see `patch_module`

            here.note(owner, door.attribute, original, Wrapper(original, late(str(door.wrapper))), door)


def _replace_plainly(door: Door, owner: Any, original: Any, module: ModuleType) -> None:
    """A function for a function; of a method also where the module has bound it to an object of its own."""
    if door.wrapper is None:  # what another module's door stands for is wanted as it was here
        if (kept := _original_of(original)) is not original:
            here.note(owner, door.attribute, original, kept, door)
        return
    replace = replace_method if door.owners else replace_function
    replacement = replace(original, late(door.wrapper))
    here.note(owner, door.attribute, original, replacement, door)
    if door.owners:
        for name, bound in list(vars(module).items()):
            if isinstance(bound, MethodType) and bound.__func__ is original:
                here.note(module, name, bound, MethodType(replacement, bound.__self__), door)


def _original_of(value: Any) -> Any:
    return next((each.original for each in here.replaced if each.replacement is value), value)


def _say_how_many(library: DoorTable) -> None:
    from ..log import get_logger  # see `Library.after_exec`
    from ..state import take_unsaid

    logger, count = get_logger(), len(_patched_names(library))
    for text in take_unsaid():
        logger.info(text)
    logger.info("Successfully patched %d %s classes for distributed storage", count, library.name)


# -- all at once ----------------------------------------------------------------------------------------------------


def patch_loaded(library: DoorTable) -> None:
    """Patch a library where it is loaded already: its doors, and the names that modules have taken from it."""
    for module in [module for module in loaded_modules(library) if library.has_doors(module.__name__)]:
        _wait_for(module)
        patch_module(library, module)
    with locked():
        own = [each for each in here.replaced if each.door in library.doors and each.door.wrapper is not None]
        new = {id(each.original): each.replacement for each in own if each.door.handed_on}
        if library.classes is not None:
            new |= {id(cls): proxy for cls, proxy in here.proxies.items()}
        exchange([library], new)
        for door in library.doors:  # where the original is to stay it has just been lost
            if door.wrapper is None and door.module in sys.modules:
                _patch_door(library, door, sys.modules[door.module])


def _wait_for(module: ModuleType) -> None:
    """Let another thread finish importing it; what the module binds later would not be patched.

    importlib's own wait, so its way out of deadlocks holds. In the importing thread itself it returns at once.
    """
    if getattr(module.__spec__, "_initializing", False):
        with suppress(Exception):  # that is the other thread's error
            import_module(module.__name__)


def restore_all() -> None:
    """Put back what stood there, everywhere, and forget it."""
    class_proxies = sys.modules.get(f"{__package__}.class_proxies")
    with locked():
        for each in reversed(here.replaced):
            owner = each.owner()
            if owner is not None and vars(owner).get(each.attribute) is each.replacement:
                setattr(owner, each.attribute, each.original)
        old = {id(each.replacement): each.original for each in here.replaced if each.door.wrapper is not None}
        old |= {id(proxy): cls for cls, proxy in here.proxies.items()}
        exchange(here.libraries.values(), {key: _first_of(value, old) for key, value in old.items()})
        for library in here.libraries.values():
            for module in loaded_modules(library):
                if class_proxies is not None:
                    class_proxies.make_plain(module)
        here.clear()


def _first_of(value: Any, old: dict[int, Any]) -> Any:
    """What stood there before any of ours: a wrapper may stand before a function that replaces another library's."""
    for _ in range(len(old)):
        if id(value) not in old:
            break
        value = old[id(value)]
    return value


def patched_classes() -> list[str]:
    """The classes that are proxies now, as `<library>.<name>`."""
    return sorted(name for library in here.libraries.values() for name in _patched_names(library))


def _patched_names(library: DoorTable) -> set[str]:
    class_proxies = sys.modules.get(f"{__package__}.class_proxies")
    if class_proxies is None:
        return set()
    modules = [module for module in loaded_modules(library) if library.has_classes(module.__name__)]
    return {f"{library.name}.{name}" for module in modules for name in class_proxies.names_in(module)}


def _version_is_known(library: DoorTable) -> bool:
    """Return whether the version that is loaded is one whose doors we know. Says once what it does not know."""
    found = library.numbers()
    if library.tested is None or found is None:
        return True
    low, high = library.tested
    if low <= found < high:
        return True
    version = f"{library.name} {library.version()}"
    if version not in here.versions_said:
        here.versions_said.add(version)
        tested = f"{'.'.join(map(str, low))} to below {'.'.join(map(str, high))}"
        rest = "the hook stays out of the way" if found < low else "what still fits is patched"
        from ..log import get_logger

        get_logger().warning("%s is outside the tested range %s: %s", version, tested, rest)
    return found >= low
