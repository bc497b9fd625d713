"""What happens when a user, a test or another library sets attributes of a class."""

from __future__ import annotations

import copyreg
from unittest import mock

from . import auto_classes, base_classes, registry
from .classes import original

CHECKS, check = registry()
SUBJECTS = {"any": lambda: {**auto_classes(), **base_classes()}}


@check("any")
def attribute_set_and_deleted(X):
    R = original(X)
    X.own_mark = 1
    seen = [R.own_mark, X.own_mark, "own_mark" in vars(R), "own_mark" in dir(X)]
    del R.own_mark
    seen.append(hasattr(X, "own_mark"))
    R.own_mark = 2
    seen.append(X.own_mark)
    del X.own_mark
    return seen, hasattr(R, "own_mark")


@check("any")
def no_such_attribute_to_delete(X):
    del X.own_mark


@check("any")
def names_to_set(X):
    doc, name = X.__doc__, X.__name__
    X.__doc__, X.__name__ = "d", "n"
    seen = X.__doc__, X.__name__, original(X).__doc__, repr(X)
    X.__doc__, X.__name__ = doc, name
    return seen


@check("any")
def mocked(X):
    before = sorted(vars(X))
    with mock.patch.object(X, "from_pretrained", return_value="mocked") as patch:
        seen = X.from_pretrained("a"), patch.call_args, X.from_pretrained is patch, original(X).from_pretrained is patch
    return seen, sorted(vars(X)) == before, X.from_pretrained.__name__


@check("any")
def specified_mock(X):
    made = mock.create_autospec(X)
    return isinstance(made, type), sorted(set(dir(X)) - set(dir(made))), made.from_pretrained("a") is not None


@check("any")
def function_in_place_of_the_method(X):
    """No classmethod, as a careless patch leaves it."""
    local = vars(original(X)).get("from_pretrained")
    X.from_pretrained = len
    seen = X.from_pretrained is len, X.from_pretrained("abc"), original(X).from_pretrained is len
    X.from_pretrained = lambda *args: args
    seen += X.from_pretrained("a"), repr(type(X.from_pretrained))
    X.from_pretrained = staticmethod(lambda name: name)
    seen += (X.from_pretrained("b"),)
    X.from_pretrained = property(lambda self: 1)
    seen += (type(X.from_pretrained),)
    X.from_pretrained = None
    seen += (X.from_pretrained,)
    if local is None:
        del X.from_pretrained
    else:
        X.from_pretrained = local
    return seen, vars(original(X)).get("from_pretrained") is local


@check("any")
def pickle_registry(X):
    return X in copyreg.dispatch_table, original(X) in copyreg.dispatch_table
