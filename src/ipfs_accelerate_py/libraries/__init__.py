"""The libraries that the hook knows: one folder each, whose module `library` has the `LIBRARY`.

A library is hooked by its folder here, and where nothing else of ours is loaded with a program, by its name in
`_ipfs_accelerate_boot`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..patching.library import Library


def find_libraries() -> list[Library]:
    """All of them, by name; nothing of the libraries themselves is imported."""
    # By the built-in function: where threads import the package importlib at this moment, its own may not work yet.
    return [__import__(f"{__name__}.{name}.library", fromlist=("LIBRARY",)).LIBRARY for name in _folders()]


def _folders() -> list[str]:
    try:
        return sorted(name for name in os.listdir(__path__[0]) if not name.startswith((".", "_")))
    except OSError:  # not in a file system; and this import would cost the others as much as all of ours
        from pkgutil import iter_modules

        return [found.name for found in iter_modules(__path__)]
