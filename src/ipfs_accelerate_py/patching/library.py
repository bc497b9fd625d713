"""What the hook is told of a library: which of its modules have doors, and what serves each door.

Plain data: nothing of the library is imported for it, and what serves a door is imported with its first call.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import NamedTuple

Version = tuple[int, ...]


class Door(NamedTuple):
    """A function or method of a library that a wrapper of ours stands for.

    `owners`: names of classes of the module, any of which an installed version may have; none: the module itself.
    `wrapper`: `module:function`. `below`: only versions below this one need the door.
    `handed_on`: where the library is loaded already, the original is exchanged in all of its modules.
    """

    module: str
    owners: tuple[str, ...]
    attribute: str
    wrapper: str
    below: Version | None = None
    handed_on: bool = True

    @property
    def name(self) -> str:
        """The door as the status shows it."""
        return ".".join([self.module, *self.owners[:1], self.attribute])


class ClassDoors(NamedTuple):
    """The classes that proxies stand for: those below `modules` that `begin` so and have a `from_pretrained`."""

    modules: str
    begin: str
    wrapper: str

    def fits(self, name: str, value: object) -> bool:
        """Is this such a class?"""
        return name.startswith(self.begin) and isinstance(value, type) and hasattr(value, "from_pretrained")


class Library:
    """All that the hook knows of one library; `hook.loader.Library` says who asks what."""

    def __init__(
        self,
        name: str,
        doors: tuple[Door, ...],
        classes: ClassDoors | None = None,
        tested: tuple[Version, Version] | None = None,
    ) -> None:
        self.name, self.doors, self.classes = name, doors, classes
        self.tested = tested  # from, below; None: any
        self._modules = frozenset(door.module for door in doors)

    def wants(self, fullname: str) -> bool:
        """Has this module doors? The package itself is looked after too: it may put another object in its place."""
        return fullname == self.name or self.has_doors(fullname)

    def has_classes(self, fullname: str) -> bool:
        """Is this a module whose classes get proxies?"""
        return self.classes is not None and fullname.startswith(self.classes.modules)

    def module_type(self, fullname: str) -> type[ModuleType] | None:
        """The kind of module that replaces classes which are bound in it later."""
        if not self.has_classes(fullname):
            return None
        from .registry import proxy_module

        return proxy_module(self)

    def after_exec(self, module: ModuleType) -> None:
        """Put our wrappers into the doors of a module that was just executed."""
        from .. import state
        from ..hook.finder import installed

        finder = installed()
        if finder is None:  # taken away between the module's look-up and its execution
            return
        if self.has_doors(module.__name__):
            from .registry import patch_module

            patch_module(self, module)
        if state.patch_later:
            from .registry import patch_loaded

            state.patch_later = False
            for library in list(finder.libraries.values()):
                if isinstance(library, Library):
                    patch_loaded(library)

    def has_doors(self, fullname: str) -> bool:
        """Is there anything to replace in this module?"""
        return fullname in self._modules or self.has_classes(fullname)

    def version(self) -> str:
        """The version that is loaded, or being loaded."""
        return str(getattr(sys.modules.get(self.name), "__version__", ""))

    def numbers(self) -> Version | None:
        """The first two parts of the version; None where they are no numbers."""
        try:
            return tuple(int(part) for part in self.version().split(".")[:2])
        except ValueError:
            return None

    def needs(self, door: Door) -> bool:
        """Does the version that is loaded need this door?"""
        found = self.numbers()
        return door.below is None or (found is not None and found < door.below)
