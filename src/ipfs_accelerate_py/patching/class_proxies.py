"""Classes of a library in whose place proxies stand, also where they are bound later."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

from .doors import DoorTable
from .late import late
from .proxies import AutoClassProxy
from .record import here


class ProxyModule(ModuleType):
    """A module in which classes are proxies, also those that are bound in it later."""

    def __setattr__(self, name: str, value: Any) -> None:
        library = here.libraries.get(self.__name__.partition(".")[0])
        if library is not None and _is_own_class(library, name, value) and value.__module__ == self.__name__:
            value = _proxy_of(library, value)
        super().__setattr__(name, value)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        # Plain pickle refuses any module; cloudpickle takes one by name, but only if its type is exactly ModuleType.
        return import_module, (self.__name__,)


def proxy_module(library: DoorTable) -> type[ModuleType]:
    """The kind of module for the classes of a library."""
    here.libraries[library.name] = library
    return ProxyModule


def _is_own_class(library: DoorTable, name: str, value: object) -> bool:
    return library.classes is not None and type(value) is not AutoClassProxy and library.classes.fits(name, value)


def _proxy_of(library: DoorTable, cls: type) -> AutoClassProxy:
    """The one proxy of a class."""
    proxy: AutoClassProxy | None = here.proxies.get(cls)
    if proxy is None:
        assert library.classes is not None
        proxy = here.proxies[cls] = AutoClassProxy(cls, late(library.classes.wrapper))
    return proxy


def patch_classes(library: DoorTable, module: ModuleType) -> bool:
    """Put proxies into a module; True if any are new."""
    if type(module) is ModuleType:
        module.__class__ = ProxyModule
    found = [(name, value) for name, value in vars(module).items() if _is_own_class(library, name, value)]
    for name, cls in found:
        vars(module)[name] = _proxy_of(library, cls)
    return bool(found)


def names_in(module: ModuleType) -> set[str]:
    """The names under which proxies stand in a module."""
    return {name for name, value in vars(module).items() if type(value) is AutoClassProxy}


def make_plain(module: ModuleType) -> None:
    """Let a module be of the ordinary kind again."""
    if type(module) is ProxyModule:
        module.__class__ = ModuleType  # type: ignore[assignment]
