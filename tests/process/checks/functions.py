"""The functions through which transformers reaches the Hub, and its shared client."""

from __future__ import annotations

import copy
import inspect
import pickle
import pydoc
import sys
import types
import typing
from unittest import mock

from . import hub_functions, registry

CHECKS, check = registry()


def hub_client():
    """transformers 5 shares one client."""
    from transformers.utils import hub

    return {"hf_api": (hub.hf_api(),)} if hasattr(hub, "hf_api") else {}


SUBJECTS = {"function": hub_functions, "client": hub_client}


@check("function")
def kind(f):
    return isinstance(f, types.FunctionType), inspect.isfunction(f), callable(f), inspect.isroutine(f), bool(f)


@check("function")
def function_type(f):
    return type(f)


@check("function")
def function_names(f):
    names = ("__name__", "__qualname__", "__module__", "__doc__", "__defaults__", "__kwdefaults__", "__annotations__")
    return repr(f), [getattr(f, name) for name in names]


@check("function")
def function_source(f):
    return str(inspect.signature(f)), inspect.getsource(f), inspect.getfile(f), f.__code__.co_name


@check("function")
def function_help(f):
    return pydoc.render_doc(f)


@check("function")
def function_contents(f):
    return dir(f), sorted(vars(f))


@check("function")
def function_hints(f):
    return typing.get_type_hints(f)


@check("function")
def function_copies(f):
    return copy.copy(f) is f, copy.deepcopy(f) is f, pickle.loads(pickle.dumps(f)) is f, pickle.dumps(f)


@check("function")
def function_equality(f):
    return f == f, {f: 1}[f], f in [f], getattr(sys.modules[f.__module__], f.__name__) is f


@check("function")
def function_called_wrongly(f):
    return f(1, 2, 3, 4, 5, 6, 7, 8, 9, no_such_word=1)


@check("function")
def function_mocked(f):
    with mock.patch(f"{f.__module__}.{f.__name__}", return_value=1) as patch:
        seen = getattr(sys.modules[f.__module__], f.__name__) is patch
    return seen, getattr(sys.modules[f.__module__], f.__name__) is f, mock.create_autospec(f) is not None


@check("client")
def client_kind(api):
    from huggingface_hub import HfApi

    return isinstance(api, HfApi), repr(api), str(api), sorted(vars(api)), dir(api), api.__class__, bool(api)


@check("client")
def client_type(api):
    return type(api)


@check("client")
def client_copies(api):
    return [vars(made) == vars(api) for made in (copy.copy(api), copy.deepcopy(api), pickle.loads(pickle.dumps(api)))]


@check("client")
def client_method(api):
    return repr(api.model_info), str(inspect.signature(api.model_info)), api.model_info.__name__, api.model_info.__doc__


@check("client")
def client_is_shared(api):
    from transformers.utils import hub

    return hub.hf_api() is api, api == api, {api: 1}[api]
