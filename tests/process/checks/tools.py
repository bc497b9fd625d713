"""What the standard library's tools see, and what subclasses and patches do."""

from __future__ import annotations

import functools
import inspect
import pickle
import pydoc
import types

from . import auto_classes, base_classes, registry
from .classes import original

CHECKS, check = registry()
SUBJECTS = {
    "auto": auto_classes,
    "any": lambda: {**auto_classes(), **base_classes()},
}


class Meta(type):
    def __new__(cls, name, bases, body):
        if "refused" in body:
            raise ValueError(f"no {name} with {bases}")
        return super().__new__(cls, name, bases, body)


class Mixin:
    pass


# -- pickle -----------------------------------------------------------------------------------------------------------


@check("any")
def pickled_class(X):
    return [pickle.loads(pickle.dumps(X, protocol)) is X for protocol in range(6)], pickle.dumps(X)


@check("any")
def pickled_in_python(X):
    return pickle._loads(pickle._dumps({"x": X}))["x"] is X


@check("any")
def pickled_original(X):
    return pickle.loads(pickle.dumps(original(X))) is X


@check("any")
def pickled_method(X):
    method = pickle.loads(pickle.dumps(X.from_pretrained))
    return method == X.from_pretrained, method.__qualname__, pickle.dumps(X.from_pretrained)


@check("auto")
def pickled_other_method(X):
    name = next(name for name in ("from_config", "register", "for_model") if hasattr(X, name))
    return pickle.loads(pickle.dumps(getattr(X, name))) == getattr(X, name)


@check("any")
def pickled_partial(X):
    loaded = pickle.loads(pickle.dumps(functools.partial(X.from_pretrained, "a", b=1)))
    return loaded.func == X.from_pretrained, loaded.args, loaded.keywords


# -- inspect and help -------------------------------------------------------------------------------------------------


@check("any")
def signatures(X):
    method = X.from_pretrained
    return str(inspect.signature(X)), str(inspect.signature(method)), inspect.getfullargspec(method)


@check("any")
def sources(X):
    return inspect.getsource(X), inspect.getsourcelines(X)[1], inspect.getsource(X.from_pretrained)


@check("any")
def places(X):
    return inspect.getmodule(X), inspect.getfile(X), inspect.getsourcefile(X), inspect.getmodule(X.from_pretrained)


@check("any")
def documentation(X):
    return inspect.getdoc(X), inspect.getdoc(X.from_pretrained), inspect.getcomments(X)


@check("any")
def kinds(X):
    predicates = [name for name in dir(inspect) if name.startswith("is") and name != "iskeyword"]
    called = X.from_pretrained
    return [(name, getattr(inspect, name)(X), getattr(inspect, name)(called)) for name in predicates]


@check("any")
def members(X):
    return [name for name, _ in inspect.getmembers(X)], [row[:2] for row in inspect.classify_class_attrs(X)]


@check("any")
def unwrapped(X):
    return inspect.unwrap(X) is X, inspect.getmro(X)


@check("any")
def static_attributes(X):
    found = inspect.getattr_static(X, "from_pretrained")
    return isinstance(found, classmethod), inspect.getattr_static(X, "__doc__") == X.__doc__


@check("any")
def static_type(X):
    return type(inspect.getattr_static(X, "from_pretrained"))


@check("any")
def help_text(X):
    return pydoc.render_doc(X), pydoc.render_doc(X.from_pretrained)


@check("any")
def help_as_html(X):
    return pydoc.html.document(X)


# -- the method -------------------------------------------------------------------------------------------------------


@check("any")
def method(X):
    called = X.from_pretrained
    return repr(called), called.__name__, called.__qualname__, called.__module__, called.__doc__, called.__self__ == X


@check("any")
def method_type(X):
    return type(X.from_pretrained) is types.MethodType, isinstance(X.from_pretrained, types.MethodType)


@check("any")
def method_equality(X):
    return X.from_pretrained == X.from_pretrained, hash(X.from_pretrained) == hash(X.from_pretrained)


@check("any")
def method_attributes(X):
    return dir(X.from_pretrained)


@check("any")
def method_wraps(X):
    @functools.wraps(X.from_pretrained)
    def own(*args, **kwargs): ...

    return own.__name__, own.__doc__, str(inspect.signature(own)), functools.update_wrapper(lambda: 0, X).__name__


# -- subclasses -------------------------------------------------------------------------------------------------------


@check("any")
def subclass(X):
    class Own(X): ...

    return Own.__bases__ == (X,), Own.__mro__, issubclass(Own, X), Own in X.__subclasses__()


@check("any")
def namespace_of_a_subclass(X):
    class Own(X): ...

    return sorted(vars(Own))


@check("any")
def subclass_with_another_base(X):
    class First(X, Mixin): ...

    class Last(Mixin, X): ...

    return First.__mro__, Last.__mro__


@check("any")
def subclass_of_itself_twice(X):
    class Own(X, original(X)): ...


@check("any")
def subclass_with_a_metaclass(X):
    class Own(X, metaclass=Meta): ...

    return type(Own), Own.__mro__


@check("any")
def subclass_refused_by_its_metaclass(X):
    class Own(X, metaclass=Meta):
        refused = True


@check("any")
def subclass_keywords(X):
    class Own(X, no_such_keyword=1): ...


@check("any")
def init_subclass(X):
    seen = []

    class Hooked:
        def __init_subclass__(cls, **kwargs):
            seen.append((cls.__name__, kwargs))

    class Own(Hooked, X, a=1): ...

    return seen


@check("any")
def new_class(X):
    return types.new_class("N", (X,)).__mro__, types.resolve_bases((X,)) == (X,)


@check("any")
def super_with_the_class_named(X):
    return super(X, X).__thisclass__ == X
