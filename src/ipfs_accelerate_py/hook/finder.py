"""The finder (PEP 451): for the modules that a library wants patched, the others' spec with our loader.

Nothing here may import while a finder is being asked: importlib holds the global import lock then.
"""

from __future__ import annotations

import _imp
import sys
from _thread import get_ident
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .loader import Library, PatchingLoader

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec


class TransformersFinder:
    """Wraps the loaders of the modules that its libraries want; other names get None at once."""

    def __init__(self) -> None:
        self.libraries: dict[str, Library] = {}
        self._asking: set[tuple[int, str]] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec that the other finders give, its loader in a PatchingLoader; None if not ours."""
        library = self.libraries.get(fullname.partition(".")[0])
        if library is None or not library.wants(fullname):
            return None
        key = (get_ident(), fullname)
        if key in self._asking:
            return None  # another finder is walking sys.meta_path too and has come back to us
        self._asking.add(key)
        try:
            spec = _ask_others(self, fullname, path, target)
        finally:
            self._asking.discard(key)
        if spec is not None:
            spec.loader = self.wrap(fullname, spec.loader)
        return spec

    def wrap(self, fullname: str, loader: Any) -> Any:
        """The loader in a PatchingLoader, or as it is where nothing is to patch or it has no exec_module."""
        library = self.libraries.get(fullname.partition(".")[0])
        if library is None or not library.wants(fullname):
            return loader
        if not hasattr(loader, "exec_module") or type(loader) is PatchingLoader:
            return loader
        return PatchingLoader(loader, library)


def _ask_others(
    asking: TransformersFinder, fullname: str, path: Sequence[str] | None, target: ModuleType | None
) -> ModuleSpec | None:
    for finder in list(sys.meta_path):
        if finder is asking or _is_ours(finder):
            continue
        find_spec = getattr(finder, "find_spec", None)
        if find_spec is not None:
            spec: ModuleSpec | None = find_spec(fullname, path, target)
            if spec is not None:
                return spec
        elif sys.version_info < (3, 12):
            find_module = getattr(finder, "find_module", None)
            if find_module is not None and find_module(fullname, path) is not None:
                return None  # a finder of the old kind has it: importlib will ask that one itself
    return None


def _is_ours(finder: object) -> bool:
    """Return whether this is our finder or the boot finder, also of another copy of these modules."""
    kind = type(finder)
    return (kind.__module__, kind.__qualname__) in (
        (__name__, "TransformersFinder"),
        ("_ipfs_accelerate_boot", "BootFinder"),
    )


def installed() -> TransformersFinder | None:
    """Our finder, if it is on sys.meta_path."""
    for finder in sys.meta_path:
        if isinstance(finder, TransformersFinder):
            return finder
    return None


def install(library: Library) -> None:
    """Put one finder first on sys.meta_path and let it serve `library`; a second call changes nothing."""
    _imp.acquire_lock()  # importlib's own lock: recursive, and made anew in a forked child
    try:
        finder = installed()
        if finder is not None:
            finder.libraries[library.name] = library
            return
        finder = TransformersFinder()
        finder.libraries[library.name] = library
        # Another thread may be iterating over sys.meta_path for an import of its own. Taking the place of the
        # boot finder in one assignment moves the others to the right or not at all: it can skip none of them.
        for index, other in enumerate(sys.meta_path):
            if _is_ours(other):
                sys.meta_path[: index + 1] = [finder, *sys.meta_path[:index]]
                return
        sys.meta_path.insert(0, finder)
    finally:
        _imp.release_lock()


def uninstall() -> None:
    """Take our finder and the boot finder off sys.meta_path; what else is there stays as it is."""
    _imp.acquire_lock()
    try:
        for finder in [finder for finder in sys.meta_path if _is_ours(finder)]:
            sys.meta_path.remove(finder)
    finally:
        _imp.release_lock()
