"""What stands in the place of transformers' own: proxies of the Auto* classes, wrappers of methods and functions.

Every replacement is written down with what it replaced, so that `restore` is exact.
"""

from __future__ import annotations

import _imp
import gc
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from itertools import chain
from types import ModuleType
from typing import Any

from ..errors import VerificationError
from ..libraries.huggingface_hub import writes
from ..libraries.transformers import file_doors, name_doors
from ..libraries.transformers import names as library
from ..log import get_logger
from . import arguments, calls, fallback
from .proxies import AutoClassProxy, ClientProxy, Wrapper


def load(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`from_pretrained` with rewritten kwargs; the original with the caller's own when we cannot help."""
    asked = calls.plan(args, kwargs)
    if asked is None or calls.is_settled(asked):
        return wrapped(*args, **kwargs)  # not ours, or settled by a proxy further out
    try:
        storage = calls.open_storage(asked)
        resolution = calls.resolve(storage, asked, kwargs.get("_commit_hash"))
        rewritten = arguments.rewrite(kwargs, asked, storage.get_cache_dir(), resolution.commit)
    except VerificationError:
        raise
    except Exception as error:
        with fallback.stand_aside(error):
            return wrapped(*args, **kwargs)
    calls.say_unreachable(resolution, asked)
    under_way = calls.Load(asked, storage, resolution)
    with calls.under_way(under_way):
        loaded = wrapped(*args, **rewritten)
    if under_way.refused:  # transformers went on without a file that it can do without; the user must know
        raise under_way.refused[0]
    return loaded


def _is_auto_class(name: str, value: object) -> bool:
    return name.startswith("Auto") and isinstance(value, type) and hasattr(value, "from_pretrained")


class ProxyModule(ModuleType):
    """A module of transformers.models.auto whose Auto* classes are proxies, also those bound in it later."""

    def __setattr__(self, name: str, value: Any) -> None:
        if type(value) is not AutoClassProxy and _is_auto_class(name, value) and value.__module__ == self.__name__:
            value = proxy_of(value)
        super().__setattr__(name, value)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        # Plain pickle refuses any module; cloudpickle takes one by name, but only if its type is exactly ModuleType.
        return import_module, (self.__name__,)


# -- what was put where ---------------------------------------------------------------------------------------------

# class -> its one proxy
_proxies: dict[type, AutoClassProxy] = {}
# (owner, attribute, what stood there, what stands there now)
_replaced: list[tuple[weakref.ref[Any], str, Any, Any]] = []


def proxy_of(cls: type) -> AutoClassProxy:
    """The one proxy of a class."""
    proxy = _proxies.get(cls)
    if proxy is None:
        proxy = _proxies[cls] = AutoClassProxy(cls, load)
    return proxy


@contextmanager
def _locked() -> Iterator[None]:
    """One thread at a time puts wrappers in place. importlib's own lock: recursive, and made anew in a forked child."""
    _imp.acquire_lock()
    try:
        yield
    finally:
        _imp.release_lock()


def _replace(owner: Any, attribute: str, wrapper: Callable[..., Any]) -> None:
    original = vars(owner).get(attribute)
    if original is None or (isinstance(original, Wrapper) and is_replacement(original)):
        return
    replacement = Wrapper(original, wrapper)
    setattr(owner, attribute, replacement)
    _replaced.append((weakref.ref(owner), attribute, original, replacement))


def is_replacement(value: object) -> bool:
    """Is this one of the wrappers that we put in place?"""
    return any(replacement is value for _, _, _, replacement in _replaced)


def patch_module(module: ModuleType) -> None:
    """Put proxies and wrappers into the doors of one module of transformers; once each."""
    if _version_is_known():
        if module.__name__.startswith(library.AUTO):
            import pydoc  # noqa: F401  (for `_patch_auto`, which must not import while it holds the lock)
        with _locked():
            _patch(module, module.__name__)


def _patch(module: ModuleType, name: str) -> None:
    if name.startswith(library.AUTO):
        _patch_auto(module)
    for class_name in library.BASE_CLASSES.get(name, ()):
        cls = vars(module).get(class_name)
        if isinstance(cls, type):
            _replace(cls, "from_pretrained", load)
    for class_name, method in library.STRAY_METHODS.get(name, ()):
        cls = vars(module).get(class_name)
        if isinstance(cls, type) and library.has_strays(_version()):
            _replace(cls, method, _wrapper_of(method.lstrip("_")))
    functions = library.HUB_FUNCTIONS if name == library.HUB else library.STRAY_FUNCTIONS.get(name, ())
    for function in functions:
        if callable(vars(module).get(function)):
            _replace(module, function, _wrapper_of(function))
    for function in library.CLIENT_FUNCTIONS.get(name, ()):
        if callable(vars(module).get(function)):
            _replace(module, function, getattr(writes, function))
    if name == library.HUB:
        for client in filter(None, map(sys.modules.get, library.CLIENT_FUNCTIONS)):
            _patch(client, client.__name__)


def _wrapper_of(name: str) -> Callable[..., Any]:
    """The function of ours that serves a function or method of that name."""
    if name == "hf_api":
        return _hf_api
    wrapper: Callable[..., Any] = getattr(file_doors, name, None) or getattr(name_doors, name)
    return wrapper


def _patch_auto(module: ModuleType) -> None:
    if type(module) is ModuleType:
        module.__class__ = ProxyModule
    found = [(n, v) for n, v in vars(module).items() if _is_auto_class(n, v) and type(v) is not AutoClassProxy]
    for name, cls in found:
        vars(module)[name] = proxy_of(cls)
    if found:
        _replace(sys.modules["pydoc"].Doc, "document", _document)
        count = len(patched_classes())
        get_logger().info("Successfully patched %d transformers classes for distributed storage", count)


def _document(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """help() of a proxy is that of its class: `type.__subclasses__`, which pydoc calls, takes nothing else."""
    if args and type(args[0]) is AutoClassProxy:
        args = (args[0].__wrapped__, *args[1:])
    return wrapped(*args, **kwargs)


class HubApi(ClientProxy):
    """transformers 5's shared HfApi; what the tree of a commit can answer is answered from it."""

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.__wrapped__, name)
        if name in ("list_repo_files", "list_repo_tree", "model_info"):
            return Wrapper(value, _wrapper_of(name))
        return value


_hub_api: HubApi | None = None  # transformers shares one HfApi, so we share one proxy of it


def _hf_api(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    global _hub_api
    api = wrapped(*args, **kwargs)
    if _hub_api is None or _hub_api.__wrapped__ is not api:
        _hub_api = HubApi(api)
    return _hub_api


# -- all at once ----------------------------------------------------------------------------------------------------


def _loaded_modules() -> Iterator[ModuleType]:
    for name, module in list(sys.modules.items()):
        if (name == library.name or name.startswith(f"{library.name}.")) and isinstance(module, ModuleType):
            yield module


def _former_tops() -> Iterator[ModuleType]:
    """transformers executes its `__init__` twice and is another module afterwards: what programs may still hold."""
    top = sys.modules.get(library.name)
    if top is not None and type(top) is not ModuleType:
        for module in gc.get_referrers(type(top)):
            if type(module) is type(top) and module is not top and vars(module).get("__name__") == library.name:
                yield module


def patch_loaded() -> None:
    """Patch transformers where it is loaded already: its doors, and the names its modules have handed on."""
    for module in [module for module in _loaded_modules() if library.wants(module.__name__)]:
        _wait_for(module)
        patch_module(module)
    with _locked():
        new = {id(original): replacement for _, _, original, replacement in _replaced}
        new |= {id(cls): proxy for cls, proxy in _proxies.items()}
        _exchange(new)


def _wait_for(module: ModuleType) -> None:
    """Let another thread finish importing it; what the module binds later would not be patched.

    importlib's own wait, so its way out of deadlocks holds. In the importing thread itself it returns at once.
    """
    if getattr(module.__spec__, "_initializing", False):
        with suppress(Exception):  # that is the other thread's error
            import_module(module.__name__)


def _exchange(new: dict[int, Any]) -> None:
    """Exchange objects, by identity, in the dictionaries of all loaded modules of transformers."""
    for module in chain(_loaded_modules(), _former_tops()):
        names = vars(module)
        for name, value in list(names.items()):
            if id(value) in new:
                names[name] = new[id(value)]


def restore_all() -> None:
    """Put back what stood there, everywhere, and forget it."""
    with _locked():
        for owner_ref, attribute, original, replacement in reversed(_replaced):
            owner = owner_ref()
            if owner is not None and vars(owner).get(attribute) is replacement:
                setattr(owner, attribute, original)
        old = {id(replacement): original for _, _, original, replacement in _replaced}
        old |= {id(proxy): cls for cls, proxy in _proxies.items()}
        _exchange(old)
        for module in _loaded_modules():
            if type(module) is ProxyModule:
                module.__class__ = ModuleType  # type: ignore[assignment]
        _replaced.clear()
        _proxies.clear()


def patched_classes() -> list[str]:
    """The Auto* classes that are proxies now, as `transformers.<name>`."""
    names = set()
    for module in _loaded_modules():
        if module.__name__.startswith(library.AUTO):
            names |= {name for name, value in vars(module).items() if type(value) is AutoClassProxy}
    return sorted(f"{library.name}.{name}" for name in names)


_version_said: set[str] = set()


def _version() -> str:
    return str(getattr(sys.modules.get(library.name), "__version__", ""))


def _version_is_known() -> bool:
    """Is the installed transformers one whose doors we know? Says once what it does not know."""
    version = _version()
    try:
        found = tuple(int(part) for part in version.split(".")[:2])
    except ValueError:
        return True
    low, high = library.TESTED
    if low <= found < high:
        return True
    if version not in _version_said:
        _version_said.add(version)
        tested = f"{'.'.join(map(str, low))} to below {'.'.join(map(str, high))}"
        rest = "the hook stays out of the way" if found < low else "what still fits is patched"
        get_logger().warning("transformers %s is outside the tested range %s: %s", version, tested, rest)
    return found >= low
