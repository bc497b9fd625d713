"""wrapt's proxies and wrappers, made to look like what they wrap: the same repr, pickling, copying, lookups.

The only module that imports wrapt; before wrapt 2 its classes take no type arguments, so none are given. What cannot be
made alike is in docs/limits.md.
"""

from __future__ import annotations

import copy
import sys
import types
from collections.abc import Iterator
from typing import Any

import wrapt


class _Alike:
    """What wrapt leaves to its users: repr and copies."""

    __slots__ = ()  # a dictionary here would hide the one of what is wrapped

    def __repr__(self) -> str:
        return repr(self.__wrapped__)  # type: ignore[attr-defined]

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return self


class BoundWrapper(_Alike, wrapt.BoundFunctionWrapper):  # type: ignore[type-arg]
    """A wrapped method, bound; pickles as the method itself does: by its class and name."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__wrapped__.__reduce_ex__(protocol)


class Wrapper(_Alike, wrapt.FunctionWrapper):  # type: ignore[type-arg]
    """A function or method in the place of a library's own; pickles by name."""

    __bound_function_wrapper__ = BoundWrapper

    def __reduce_ex__(self, protocol: Any) -> Any:
        return str(self.__wrapped__.__qualname__)


class LoadingMethod(_Alike, wrapt.FunctionWrapper):  # type: ignore[type-arg]
    """The bound `from_pretrained` of a proxy."""

    def __init__(self, method: Any, load: Any, proxy: AutoClassProxy) -> None:
        super().__init__(method, load)
        self._self_proxy = proxy

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self  # as any bound method that is set as an attribute of a class

    def __reduce_ex__(self, protocol: Any) -> Any:
        return getattr, (self._self_proxy, self.__wrapped__.__name__)


class NamedMethod(_Alike, wrapt.CallableObjectProxy):  # type: ignore[type-arg]
    """Any other bound class method of a proxy. Its class cannot be pickled: its name leads to the proxy."""

    def __init__(self, method: Any, proxy: AutoClassProxy) -> None:
        super().__init__(method)
        self._self_proxy = proxy

    def __reduce_ex__(self, protocol: Any) -> Any:
        return getattr, (self._self_proxy, self.__wrapped__.__name__)


class _Bases(tuple[type, ...]):
    """Reads as the bases of a class; `issubclass(proxy, cls)`, which follows the items in C, comes to the class."""

    def __new__(cls, wrapped: type) -> _Bases:
        return super().__new__(cls, (wrapped,))

    def _bases(self) -> tuple[type, ...]:
        return super().__getitem__(0).__bases__

    def __iter__(self) -> Iterator[type]:
        return iter(self._bases())

    def __len__(self) -> int:
        return len(self._bases())

    def __getitem__(self, index: Any) -> Any:
        return self._bases()[index]

    def __contains__(self, value: object) -> bool:
        return value in self._bases()

    def __eq__(self, other: object) -> bool:
        return self._bases() == other

    def __ne__(self, other: object) -> bool:
        return self._bases() != other

    def __hash__(self) -> int:
        return hash(self._bases())

    def __repr__(self) -> str:
        return repr(self._bases())

    def __add__(self, other: Any) -> Any:
        return self._bases() + other


# What a proxy answers itself, when it is asked by name; everything else is the class's.
_OWN = frozenset(
    ("__wrapped__", "from_pretrained", "__bases__", "__mro_entries__", "__reduce_ex__", "__deepcopy__", "__signature__")
)


class AutoClassProxy(_Alike, wrapt.ObjectProxy):  # type: ignore[type-arg]
    """Stands for a class everywhere; only its `from_pretrained` differs."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 3:  # `type(proxy)(name, bases, body)`, as types.new_class does: a subclass is to be made
            name, bases, body = args
            bases = tuple(base.__wrapped__ if type(base) is AutoClassProxy else base for base in bases)
            return types.new_class(name, bases, kwargs, lambda namespace: namespace.update(body))
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, cls: type, load: Any) -> None:
        super().__init__(cls)
        self._self_load = load
        self._self_function = getattr(cls.from_pretrained, "__func__", None)  # type: ignore[attr-defined]

    @property
    def from_pretrained(self) -> Any:
        """The class's own method, loading through us; what other code has put there, as it is."""
        method = self.__wrapped__.from_pretrained
        if getattr(method, "__func__", None) is not self._self_function or type(method) is LoadingMethod:
            return method
        return LoadingMethod(method, self._self_load, self)

    def __getattribute__(self, name: str) -> Any:
        if name in _OWN or name.startswith("_self_"):
            return super().__getattribute__(name)
        wrapped = super().__getattribute__("__wrapped__")
        value = getattr(wrapped, name)
        if type(value) is types.MethodType and value.__self__ is wrapped:
            return NamedMethod(value, self)
        return value

    if sys.version_info >= (3, 13):

        @property
        def __signature__(self) -> Any:
            # inspect.signature no longer follows the `__wrapped__` of what says that it is a class
            import inspect

            return inspect.signature(self.__wrapped__)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "__wrapped__" or name.startswith("_self_"):
            super().__setattr__(name, value)
        else:
            setattr(self.__wrapped__, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self.__wrapped__, name)

    @property
    def __bases__(self) -> tuple[type, ...]:
        return _Bases(self.__wrapped__)

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        # inspect.getattr_static, which typing's protocols use, expects a dict or none where wrapt has a mappingproxy
        return self.__wrapped__.__dict__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__wrapped__(*args, **kwargs)

    def __instancecheck__(self, instance: Any) -> bool:
        if isinstance(instance, self.__wrapped__):
            return True
        said = getattr(instance, "__class__", None)  # a mock that was made to our likeness says that we are its class
        return type(said) is AutoClassProxy and issubclass(said.__wrapped__, self.__wrapped__)

    def __subclasscheck__(self, cls: Any) -> bool:
        return issubclass(cls, self.__wrapped__)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self.__wrapped__,)

    def __reduce_ex__(self, protocol: Any) -> str:
        return str(self.__wrapped__.__qualname__)

    # A class is no collection, number or context manager; collections.abc, typing and contextlib read that here.
    __iter__ = __len__ = __contains__ = __reversed__ = None  # type: ignore[assignment]
    __int__ = __float__ = __complex__ = __bytes__ = __index__ = __abs__ = __round__ = None  # type: ignore[assignment]
    __enter__ = __exit__ = __aenter__ = __aexit__ = None  # type: ignore[assignment]


class ClientProxy(_Alike, wrapt.ObjectProxy):  # type: ignore[type-arg]
    """Stands for a client object; a copy is the client's, without us."""

    def __copy__(self) -> Any:
        return copy.copy(self.__wrapped__)

    def __deepcopy__(self, memo: Any) -> Any:
        return copy.deepcopy(self.__wrapped__, memo)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__wrapped__.__reduce_ex__(protocol)


def document(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Serves pydoc's `Doc.document`: help() of a proxy is that of its class."""
    if args and type(args[0]) is AutoClassProxy:
        args = (args[0].__wrapped__, *args[1:])
    return wrapped(*args, **kwargs)
