"""The loader: lets the original loader do everything and patches the module right after its execution."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

_reported: set[str] = set()


class Library(Protocol):
    """What the hook needs to know about a library; see `ipfs_accelerate_py.libraries`."""

    name: str

    def wants(self, fullname: str) -> bool:
        """Return whether this module needs patching. String work only: it is asked under the import lock."""

    def module_type(self, fullname: str) -> type[ModuleType] | None:
        """The class of the module object to create, or None for the default."""

    def after_exec(self, module: ModuleType) -> None:
        """Patch the module that was just executed."""


class PatchingLoader:
    """Answers everything as the original loader, and is gone from the module before its first line runs."""

    def __init__(self, original: Any, library: Library) -> None:
        self._original = original
        self._library = library

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        # so that isinstance(loader, importlib.abc.ResourceLoader) and the like hold as for the original
        return self._original.__class__

    def __getattr__(self, name: str) -> Any:
        if name in ("_original", "_library"):  # not there yet while being copied
            raise AttributeError(name)
        return getattr(self._original, name)

    def __repr__(self) -> str:
        return repr(self._original)

    def __eq__(self, other: object) -> bool:
        return bool(self._original == (other._original if type(other) is PatchingLoader else other))

    def __hash__(self) -> int:
        return hash(self._original)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """What the original loader creates; if it leaves that to importlib, the library's kind of module."""
        create = getattr(self._original, "create_module", None)
        module: ModuleType | None = None if create is None else create(spec)
        if module is not None:
            return module
        try:
            kind = self._library.module_type(spec.name)
            return None if kind is None else kind(spec.name)
        except Exception as error:
            report(spec.name, error)
            return None

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module with the original loader, then let the library patch it."""
        spec = getattr(module, "__spec__", None)
        if spec is not None and spec.loader is self:
            spec.loader = self._original
        if getattr(module, "__loader__", None) is self:
            module.__loader__ = self._original
        name = module.__name__ if spec is None else spec.name
        registered = sys.modules.get(name) is module
        self._original.exec_module(module)
        if registered:
            # the module may have put another object in its place, as transformers' lazy packages do
            module = _successor(module, sys.modules.get(name, module))
        try:
            self._library.after_exec(module)
        except Exception as error:
            report(name, error)


def _successor(module: ModuleType, other: ModuleType) -> ModuleType:
    """The object that took the module's place.

    A thread that waits for this import got hold of the module before (importlib hands out what it saw first) and would
    find nothing in it: without us, threads that import transformers at the same moment often fail. It asks the other.
    """
    if other is not module:
        vars(module).setdefault("__getattr__", lambda name: getattr(other, name))
    return other


def report(name: str, error: Exception) -> None:
    """Say once per module that it works as without us; where a part of ours is missing, once in all."""
    cause = f"{type(error).__name__}: {error}"
    if name in _reported or cause in _reported:
        return
    _reported.update((name, cause))
    import logging

    logging.getLogger("ipfs_accelerate_py").warning(
        "could not patch %s, so it works as without the hook (%s)", name, cause
    )
