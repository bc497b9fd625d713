"""What happens when a user, a test or another library sets attributes of a class."""

from __future__ import annotations

import copyreg
import inspect
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


KINDS = (mock.Mock, mock.MagicMock, mock.NonCallableMock, mock.NonCallableMagicMock, mock.AsyncMock)


def _mocks(X):
    """Whatever unittest.mock makes to the likeness of a class."""
    for kind in KINDS:
        yield kind(spec=X)
        yield kind(spec_set=X)
    yield mock.Mock(wraps=X, spec=X)
    for options in ({}, {"instance": True}, {"spec_set": True}, {"instance": True, "spec_set": True}):
        yield mock.create_autospec(X, **options)
    for options in ({"spec": True}, {"spec_set": True}):
        with mock.patch(f"transformers.{X.__name__}", **options) as made:
            yield made
            yield made()


@check("any")
def mock_is_an_instance(X):
    seen = [(isinstance(made, X), isinstance(made, (int, X)), isinstance(made, object)) for made in _mocks(X)]
    return seen, isinstance(mock.Mock(), X), isinstance(mock.Mock(spec=int), X)


@check("any")
def mock_is_an_instance_of_the_original(X):
    return isinstance(mock.Mock(spec=X), original(X)), isinstance(mock.Mock(spec=X), X | int)


@check("any")
def mock_of_another_class(X):
    class Own(X): ...

    class Pretender:
        __class__ = property(lambda self: X)

    return isinstance(mock.Mock(spec=Own), X), isinstance(mock.Mock(spec=X), Own), isinstance(Pretender(), X)


@check("any")
def object_without_a_class(X):
    class Nothing:
        @property
        def __class__(self):
            raise AttributeError("no class")

    class Number:
        __class__ = 3

    return isinstance(Nothing(), X), isinstance(Number(), X)


@check("any")
def class_of_a_mock(X):
    return [made.__class__ is X for made in _mocks(X)], [repr(made)[:20] for made in _mocks(X)]


def _replaced_method(X, **options):
    with mock.patch.object(X, "from_pretrained", **options) as made:
        seen = X.from_pretrained("a", revision="b") is made.return_value, made.call_args, type(made).__name__
    return seen, X.from_pretrained is made


@check("any")
def method_by_its_likeness(X):
    made = mock.create_autospec(X.from_pretrained)
    made("a")
    return _replaced_method(X, autospec=True), made.call_args


@check("any")
def method_by_a_specification(X):
    return _replaced_method(X, spec=True), _replaced_method(X, spec_set=True)


@check("any")
def signature_of_a_mocked_method(X):
    return inspect.signature(mock.create_autospec(X).from_pretrained)


@check("any")
def sealed_mock(X):
    made = mock.Mock(spec=X)
    mock.seal(made)
    return made.nothing_of_that_name


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
