"""The modules, their specs and loaders. Reloading comes last."""

from __future__ import annotations

import copy
import importlib
import importlib.resources
import importlib.util
import inspect
import pickle
import pkgutil
import pydoc
import sys
import types

from . import registry

CHECKS, check = registry()


def modules():
    """A module of Auto* classes, modules with base classes and functions, and one that nobody touches."""
    names = (
        "transformers",
        "transformers.models.auto",
        "transformers.models.auto.modeling_auto",
        "transformers.models.auto.configuration_auto",
        "transformers.modeling_utils",
        "transformers.utils.hub",
        "transformers.models.bert.modeling_bert",
    )
    return {name: (importlib.import_module(name),) for name in names}


def reloaded():
    names = ("transformers.utils.hub", "transformers.models.auto.modeling_auto")
    return {name: (sys.modules[name],) for name in names}


SUBJECTS = {"module": modules, "once": lambda: {"transformers": ()}, "reloaded": reloaded}


@check("module")
def module_kind(m):
    return isinstance(m, types.ModuleType), inspect.ismodule(m), bool(m), repr(m), str(m), hash(m) == hash(m)


@check("module")
def module_type(m):
    return type(m)


@check("module")
def module_names(m):
    names = ("__name__", "__package__", "__file__", "__doc__", "__path__", "__cached__")
    return [getattr(m, name, None) for name in names]


@check("module")
def module_contents(m):
    return dir(m), list(vars(m)) if m.__name__ != "transformers" else sorted(vars(m))


@check("module")
def module_classes(m):
    return [name for name, value in sorted(vars(m).items()) if inspect.isclass(value)]


@check("module")
def module_functions(m):
    return [name for name, value in sorted(vars(m).items()) if inspect.isfunction(value)]


@check("module")
def module_spec(m):
    spec = m.__spec__
    return repr(spec), spec.origin, spec.parent, spec.has_location, spec.cached, spec.submodule_search_locations


@check("module")
def module_loader(m):
    loader = m.__loader__
    return type(loader), repr(loader), loader == m.__spec__.loader, loader is m.__spec__.loader, dir(loader)


@check("module")
def module_loader_answers(m):
    loader, name = m.__loader__, m.__name__
    data = loader.get_data(m.__file__)
    code = loader.get_code(name)
    return loader.is_package(name), len(data), code.co_filename, len(loader.get_source(name)), loader.get_filename(name)


@check("module")
def module_resources(m):
    reader = m.__loader__.get_resource_reader(m.__name__)
    return type(reader), sorted(reader.contents())[:5]


@check("module")
def module_found_again(m):
    found = importlib.util.find_spec(m.__name__)
    return found is m.__spec__, type(found.loader), isinstance(found.loader, importlib.abc.InspectLoader)


@check("module")
def module_source(m):
    return len(inspect.getsource(m)), inspect.getfile(m), inspect.getmodule(m) is m


@check("module")
def module_help(m):
    return pydoc.render_doc(m) if m.__name__ != "transformers" else None


@check("module")
def module_attribute_missing(m):
    return m.no_such_name


@check("module")
def module_attribute_set(m):
    m.own_mark = 1
    seen = m.own_mark, vars(m)["own_mark"]
    del m.own_mark
    return seen, hasattr(m, "own_mark")


@check("module")
def pickled_module(m):
    return pickle.dumps(m)


@check("module")
def copied_module(m):
    return copy.copy(m) is m


@check("once")
def found_without_loading():
    """What a packager's tool sees of a module that nobody has imported."""
    name = "transformers.models.auto.video_processing_auto"
    sys.modules.pop(name, None)
    spec = importlib.util.find_spec(name)
    loader = spec.loader
    return repr(spec), repr(loader), loader.get_filename(name), loader.is_package(name)


@check("once")
def loader_before_loading():
    spec = importlib.util.find_spec("transformers.models.auto.video_processing_auto")
    return type(spec.loader)


@check("once")
def loaded_by_hand():
    name = "transformers.models.auto.video_processing_auto"
    spec = importlib.util.find_spec(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return repr(module), repr(module.__spec__), type(module.__loader__), name in sys.modules, module.AutoVideoProcessor


@check("once")
def files_of_the_package():
    here = importlib.resources.files("transformers.models.auto")
    data = pkgutil.get_data("transformers.models.auto", "__init__.py")
    names = sorted(each.name for each in here.iterdir() if each.name.endswith(".py"))
    return names, (here / "__init__.py").read_bytes() == data


@check("once")
def submodules_listed():
    import transformers.models.auto as auto

    return [(row.name, row.ispkg) for row in pkgutil.iter_modules(auto.__path__)]


@check("once")
def kinds_in_sys_modules():
    kinds = {name: type(module) for name, module in sys.modules.items() if name.partition(".")[0] == "transformers"}
    return {name: kind for name, kind in kinds.items() if ".auto." not in name}


@check("once")
def star_import():
    names = {}
    exec("from transformers.models.auto.modeling_auto import *", names)
    return sorted(names)


@check("reloaded")
def module_reloaded(m):
    """Names stay, classes are new, the spec and the loader are plain ones again."""
    before = {name for name, value in vars(m).items() if inspect.isclass(value) and value.__module__ == m.__name__}
    old = {name: getattr(m, name) for name in before}
    again = importlib.reload(m)
    after = {name for name, value in vars(m).items() if inspect.isclass(value) and value.__module__ == m.__name__}
    loaders = type(m.__loader__), m.__loader__ is m.__spec__.loader
    return again is m, before == after, [name for name in sorted(before) if getattr(m, name) is old[name]], loaders


@check("reloaded")
def pickled_after_reloading(m):
    found = [value for value in vars(m).values() if inspect.isclass(value) and value.__module__ == m.__name__]
    return [pickle.loads(pickle.dumps(cls)) is cls for cls in found[:5]]


@check("reloaded")
def imported_anew(m):
    del sys.modules[m.__name__]
    again = importlib.import_module(m.__name__)
    return again is m, type(again.__loader__), sorted(vars(again)) == sorted(vars(m))
