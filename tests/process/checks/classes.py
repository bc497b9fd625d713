"""What the language itself says about a class."""

from __future__ import annotations

import collections.abc
import copy
import sys
import typing
import weakref
from abc import ABC
from contextlib import AbstractContextManager

from . import auto_classes, base_classes, registry

CHECKS, check = registry()
SUBJECTS = {
    "auto": auto_classes,
    "any": lambda: {**auto_classes(), **base_classes()},
}


def original(X):
    """The class itself, as Python hands it out."""
    return X.mro()[0]


@check("any")
def is_a_type(X):
    return isinstance(X, type), callable(X), bool(X), isinstance(X, type | int), isinstance(X, (str, type))


@check("any")
def exact_type(X):
    return type(X) is type(original(X))


@check("any")
def original_is_it(X):
    return original(X) is X


@check("any")
def abstract_kinds(X):
    return [name for name in collections.abc.__all__ if isinstance(X, getattr(collections.abc, name))]


@check("any")
def subclass_checks(X):
    R = original(X)
    return issubclass(X, X), issubclass(R, X), issubclass(X, R), issubclass(X, object), issubclass(int, X)


@check("any")
def subclass_check_of_no_class(X):
    return issubclass(1, X)


@check("any")
def subclass_of_an_abc(X):
    return issubclass(X, collections.abc.Sized)


@check("any")
def instance_checks(X):
    class Own(X):
        def __init__(self):
            pass

    own = Own()
    return isinstance(own, X), isinstance(own, original(X)), isinstance(1, X), isinstance(own, (int, X))


@check("any")
def order_of_bases(X):
    return X.__mro__, X.mro(), X.__bases__, X.__base__


@check("any")
def names(X):
    return X.__name__, X.__qualname__, X.__module__, X.__doc__, repr(X), str(X), f"{X}", f"{X!r:>70}", format(X, "")


@check("any")
def format_with_width(X):
    return f"{X:10}"


@check("any")
def contents(X):
    return dir(X), sorted(X.__dict__), sorted(vars(X)), type(vars(X)), X.__annotations__, X.__dict__.get("__slots__")


@check("any")
def foreign_attributes(X):
    return [name for name in ("__wrapped__", "__origin__", "__len__", "__iter__", "_self_x") if hasattr(X, name)]


@check("any")
def special_attributes(X):
    names = [name for name in dir(type) if name not in ("__dict__", "__subclasses__", "__dir__", "__reduce_ex__")]
    return [(name, getattr(X, name, None)) for name in names]


@check("any")
def initialised_by_name(X):
    """The old way to call a base class's __init__."""

    class Own(X):
        def __init__(self):
            X.__init__(self)

    try:
        Own()
    except OSError as error:  # Auto classes refuse to be made
        return str(error)
    except TypeError:
        return "arguments are missing"
    return X.__name__


@check("any")
def protocols(X):
    @typing.runtime_checkable
    class Loader(typing.Protocol):
        def from_pretrained(self): ...

    kinds = [getattr(typing, name) for name in typing.__all__ if name.startswith("Supports")]
    return isinstance(X, Loader), [isinstance(X, kind) for kind in kinds], isinstance(X, AbstractContextManager)


@check("any")
def no_such_attribute(X):
    return X.no_such


@check("any")
def equality(X):
    R = original(X)
    return X == R, R == X, X != R, hash(X) == hash(R), {X: 1}[R], {R: 1}[X], len({X, R}), X in [R], R in (X,), X == 1


@check("auto")
def same_by_every_way(X):
    import transformers

    module = sys.modules[X.__module__]
    return getattr(transformers, X.__name__) is X, getattr(module, X.__name__) is X


@check("any")
def subscription(X):
    return X[int]


@check("any")
def size(X):
    return len(X)


@check("any")
def iteration(X):
    return iter(X)


@check("any")
def membership(X):
    return 1 in X


@check("any")
def arithmetic(X):
    return X + 1


@check("any")
def order(X):
    return X < X


@check("any")
def context_manager(X):
    with X:
        pass


@check("any")
def conversion(X):
    return int(X)


@check("any")
def abc_registration(X):
    class Kind(ABC): ...  # noqa: B024

    Kind.register(X)
    return issubclass(original(X), Kind)


@check("any")
def weak_references(X):
    return weakref.ref(X)() is X, weakref.WeakKeyDictionary({X: 1})[X], X in weakref.WeakSet([X])


@check("any")
def copies(X):
    return copy.copy(X) is X, copy.deepcopy(X) is X, copy.deepcopy({"a": [X]})["a"][0] is X


@check("any")
def class_pattern(X):
    match 1:
        case X():
            return "one"
        case _:
            return "other"


@check("any")
def value_pattern(X):
    class Place:
        pass

    Place.X = X
    match X:
        case Place.X:
            return "found"


@check("auto")
def call(X):
    return X()


@check("auto")
def call_with_arguments(X):
    return X(1, a=2)


@check("any")
def type_call(X):
    return type("N", (X,), {}).__bases__


@check("any")
def type_of_class_body(X):
    return object.__reduce_ex__(object.__new__(original(X)), 2)[0]


@check("any")
def new_object(X):
    return type(X.__new__(X))
