"""The doors of a library as data: where they are, what serves each, and which versions have them."""

from __future__ import annotations

import sys

Version = tuple[int, ...]


class Door:
    """A function or method of a library that a wrapper of ours stands for.

    `owners`: names of classes of the module, any of which an installed version may have; none: the module itself.
    `wrapper`: `module:function`; None: here the original stays, though another module's door stands for it.
    `below`: only versions below this one need the door.
    `handed_on`: where the library is loaded already, the original is exchanged in all of its modules.
    """

    # written out, as is `ClassDoors`: each import of a library waits for these classes, and a named tuple takes longer
    __slots__ = ("attribute", "below", "handed_on", "module", "owners", "wrapper")

    def __init__(
        self,
        module: str,
        owners: tuple[str, ...],
        attribute: str,
        wrapper: str | None,
        below: Version | None = None,
        handed_on: bool = True,
    ) -> None:
        self.module, self.owners, self.attribute = module, owners, attribute
        self.wrapper, self.below, self.handed_on = wrapper, below, handed_on

    @property
    def name(self) -> str:
        """The door as the status shows it."""
        return ".".join([self.module, *self.owners[:1], self.attribute])


class ClassDoors:
    """The classes that proxies stand for: those below `modules` that `begin` so and have a `from_pretrained`."""

    __slots__ = ("begin", "modules", "wrapper")

    def __init__(self, modules: str, begin: str, wrapper: str) -> None:
        self.modules, self.begin, self.wrapper = modules, begin, wrapper

    def fits(self, name: str, value: object) -> bool:
        """Return whether this name and value of a module are such a class."""
        return name.startswith(self.begin) and isinstance(value, type) and hasattr(value, "from_pretrained")


class DoorTable:
    """All the doors of one library. `tested`: the versions, from and below; None: any.

    `everywhere`: any module of a program binds its functions by name. Functions take their place then, without wrapt,
    and where the library is loaded already, they are exchanged in all modules and not in the library's own alone.
    """

    def __init__(
        self,
        name: str,
        doors: tuple[Door, ...],
        classes: ClassDoors | None = None,
        tested: tuple[Version, Version] | None = None,
        *,
        everywhere: bool = False,
    ) -> None:
        self.name, self.doors, self.classes = name, doors, classes
        self.tested, self.everywhere = tested, everywhere
        self._modules = frozenset(door.module for door in doors)

    def has_doors(self, fullname: str) -> bool:
        """Return whether there is anything to replace in this module."""
        return fullname in self._modules or self.has_classes(fullname)

    def has_classes(self, fullname: str) -> bool:
        """Return whether the classes of this module get proxies."""
        return self.classes is not None and fullname.startswith(self.classes.modules)

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
        """Return whether the version that is loaded needs this door."""
        found = self.numbers()
        return door.below is None or (found is not None and found < door.below)

    def note_new_classes(self) -> None:
        """Proxies stand in the place of some more of its classes."""
