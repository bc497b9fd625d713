"""Objects exchanged, by identity, in the dictionaries of modules: for names bound before the hook came, or went.

Out of reach are names bound elsewhere: default arguments, closures, `functools.partial`, attributes of objects.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Collection, Iterator
from itertools import chain
from types import ModuleType
from typing import Any

from .doors import DoorTable


def loaded_modules(library: DoorTable) -> Iterator[ModuleType]:
    """The modules of a library itself."""
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


def exchange(libraries: Collection[DoorTable], new: dict[int, Any]) -> None:
    """Put `new[id(value)]` in the place of each value, in the libraries' modules, or everywhere if one is used so."""
    modules: Iterator[object] = chain.from_iterable(map(loaded_modules, libraries))
    if any(library.everywhere for library in libraries):
        modules = iter(list(sys.modules.values()))
    for module in chain(modules, *map(_former_tops, libraries)):
        names = getattr(module, "__dict__", None)
        if type(names) is not dict:  # a program may put anything into sys.modules
            continue
        for name in _names_of(names, new):
            if (value := names.get(name)) is not None:
                names[name] = new.get(id(value), value)


def _names_of(names: dict[str, Any], values: dict[int, Any]) -> list[str]:
    """The names that stand for any of these values; modules have half a million of them, and other threads run."""
    while True:
        try:
            return [name for name, value in names.items() if id(value) in values]
        except RuntimeError:  # changed its size meanwhile
            continue
