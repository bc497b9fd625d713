"""Waits for the first import of a library that we hook, then activates ipfs_accelerate_py.

The startup line of an environment imports this module in every interpreter, so it imports `sys` only,
starts nothing and never raises. Activation happens when the module is *loaded*, not when it is looked for:
finders run under the global import lock, and an import there can deadlock with one in another thread.
"""

import sys

_NAMES = ("huggingface_hub", "transformers")
_FINDER = "ipfs_accelerate_py.hook.finder"
# The package activates itself when user code imports it; while this is set on `sys` it must not.
_QUIET = "_ipfs_accelerate_quiet_import"


class BootLoader:
    """Activates the package, then gives way to the loader that the other finders chose."""

    def __init__(self, original, finder):
        self._original = original
        self._finder = finder
        self._successor = None

    @property  # type: ignore[misc]
    def __class__(self):
        return self._original.__class__

    def __getattr__(self, name):
        if name in ("_original", "_finder", "_successor"):
            raise AttributeError(name)
        return getattr(self._original, name)

    def create_module(self, spec):
        create = getattr(self._give_way(spec), "create_module", None)
        return None if create is None else create(spec)

    def exec_module(self, module):
        # importlib comes here on reload only: after create_module the spec has another loader.
        spec = getattr(module, "__spec__", None)
        loader = self._give_way(spec)
        if getattr(module, "__loader__", None) is self:
            module.__loader__ = loader
        loader.exec_module(module)

    def _give_way(self, spec):
        if self._successor is None:
            self._successor = self._original
            if self._finder.activate():
                real = _real_finder()
                name = getattr(spec, "name", None)
                if real is not None and name is not None:
                    self._successor = real.wrap(name, self._original)
        if getattr(spec, "loader", None) is self:
            spec.loader = self._successor
        return self._successor


class BootFinder:
    """Answers for these names only, with the spec of the other finders and a BootLoader in it."""

    def __init__(self):
        self._busy = set()  # what each thread is doing here: (thread, module name or None for activation)
        self._broken = False

    def find_spec(self, fullname, path=None, target=None):
        if fullname.partition(".")[0] not in _NAMES:
            return None
        key = (_thread_id(), fullname)
        if self._broken or key in self._busy or (key[0], None) in self._busy or _real_finder() is not None:
            return None
        self._busy.add(key)
        try:
            spec = self._ask_others(fullname, path, target)
        finally:
            self._busy.discard(key)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            spec.loader = BootLoader(spec.loader, self)
        return spec

    def _ask_others(self, fullname, path, target):
        for finder in list(sys.meta_path):
            if finder is self:
                continue
            find_spec = getattr(finder, "find_spec", None)
            if find_spec is not None:
                spec = find_spec(fullname, path, target)
                if spec is not None:
                    return spec
            elif sys.version_info < (3, 12) and finder.find_module(fullname, path):  # type: ignore[attr-defined]
                return None  # a finder of the old kind has it: importlib will ask that one itself
        return None

    def activate(self):
        """True if the package is active now. After an error it goes on as if we were not there."""
        key = (_thread_id(), None)
        if self._broken or key in self._busy:
            return False
        self._busy.add(key)
        try:
            setattr(sys, _QUIET, True)
            try:
                from ipfs_accelerate_py.activation import activate
            finally:
                if hasattr(sys, _QUIET):
                    delattr(sys, _QUIET)
            return bool(activate("startup"))
        except Exception:
            self._broken = True
            return False
        finally:
            self._busy.discard(key)


def _thread_id():
    return sys.modules["_thread"].get_ident()  # built in and always loaded: nothing to import


def _real_finder():
    module = sys.modules.get(_FINDER)
    installed = getattr(module, "installed", None)  # None while that module is being imported
    return None if installed is None else installed()


def install():
    """Put one BootFinder first on sys.meta_path, unless it or its successor is there already."""
    if _real_finder() is not None:
        return
    for finder in sys.meta_path:
        if type(finder).__name__ == "BootFinder" and type(finder).__module__ == __name__:
            return
    sys.meta_path.insert(0, BootFinder())


try:  # noqa: SIM105  (contextlib would be an import)
    install()
except Exception:
    pass
