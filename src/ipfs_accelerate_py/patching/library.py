"""What the hook is told of a library: which of its modules have doors, and what serves each door.

Nothing of the library is imported for it, and what serves a door is imported with its first call.
"""

from __future__ import annotations

import sys
from types import ModuleType

from .doors import ClassDoors as ClassDoors
from .doors import Door as Door
from .doors import DoorTable


class Library(DoorTable):
    """All that the hook knows of one library; `hook.loader.Library` says what the hook asks."""

    def wants(self, fullname: str) -> bool:
        """Return whether this module has doors. So has the package: it may put another object in its place."""
        return fullname == self.name or self.has_doors(fullname)

    def module_type(self, fullname: str) -> type[ModuleType] | None:
        """The kind of module that replaces classes which are bound in it later."""
        if not self.has_classes(fullname):
            return None
        from .class_proxies import proxy_module

        return proxy_module(self)

    def after_exec(self, module: ModuleType) -> None:
        """Put our wrappers into the doors of a module that was just executed."""
        # Never `from .. import`: the package itself may be executing in a thread that waits for this one. importlib
        # sees that, and would let that thread go on with what this thread has half imported.
        from ..hook.finder import installed
        from ..state import switches

        finder = installed()
        if finder is None:  # taken away between the module's look-up and its execution
            return
        if self.has_doors(module.__name__):
            from .registry import patch_module

            patch_module(self, module)
        if switches.patch_later:
            from .registry import patch_loaded

            switches.patch_later = False
            for library in list(finder.libraries.values()):
                if isinstance(library, Library):
                    patch_loaded(library)

    def note_new_classes(self) -> None:
        """Let pydoc see the classes behind the proxies, now or when it is imported."""
        from ..hook import finder
        from .registry import patch_module

        if finder.installed() is not None:
            finder.install(HELP)
        if (pydoc := sys.modules.get(HELP.name)) is not None:
            patch_module(HELP, pydoc)


# help() of a proxy is that of its class: `type.__subclasses__`, which pydoc calls, takes nothing else.
HELP = Library("pydoc", (Door("pydoc", ("Doc",), "document", f"{__package__}.proxies:document"),))
