"""A class in annotations, generics and dispatch by type."""

from __future__ import annotations

import functools
import typing

from . import auto_classes, base_classes, registry
from .classes import original

CHECKS, check = registry()
SUBJECTS = {"any": lambda: {**auto_classes(), **base_classes()}}


@check("any")
def in_generics(X):
    return list[X], dict[str, X], type[X], typing.Optional[X], X | None, None | X, X | int | str, typing.Union[X, int]  # noqa: UP007, UP045


@check("any")
def arguments_of_generics(X):
    return typing.get_args(X | None) == (X, type(None)), typing.get_args(list[X])[0] is X, (X | None) == (None | X)


@check("any")
def hints(X):
    def function(a: X, b: typing.Optional[X], c: "X | None") -> list[X]: ...  # noqa: UP037, UP045

    return typing.get_type_hints(function, localns={"X": X})


@check("any")
def type_variable(X):
    return typing.TypeVar("T", bound=X).__bound__, typing.TypeVar("S", X, int).__constraints__


@check("any")
def generic_base(X):
    class Box(typing.Generic[typing.TypeVar("T")]): ...

    return Box[X].__args__ == (X,), typing.NamedTuple("Pair", [("x", X)]).__annotations__


@check("any")
def dispatch(X):
    R = original(X)

    @functools.singledispatch
    def name(value):
        return "other"

    @name.register(X)
    def _(value):
        return "ours"

    class Own(R):
        def __init__(self): ...

    return name(Own()), name(1), name.dispatch(R)(1), name.dispatch(X)(1)


@check("any")
def dispatch_by_annotation(X):
    @functools.singledispatch
    def name(value):
        return "other"

    def ours(value):
        return "ours"

    ours.__annotations__["value"] = X
    name.register(ours)
    return name.dispatch(original(X))(1)
