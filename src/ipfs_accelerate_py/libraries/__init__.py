"""The libraries that the hook knows: one folder each, whose module `library` has the `LIBRARY`.

A library is hooked by its folder here, and where nothing else of ours is loaded with a program, by its name in
`_ipfs_accelerate_boot`.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..patching.library import Library


def find_libraries() -> list[Library]:
    """All of them, by name; nothing of the libraries themselves is imported."""
    return [import_module(f"{__name__}.{found.name}.library").LIBRARY for found in iter_modules(__path__)]
