"""Each parameter of each function with values of the wrong type. Which parameters: the client's own signatures."""

from __future__ import annotations

import inspect

from .call import Call, write
from .files import FILE, REPO
from .words import METHODS

VALUES = ("None", "7", "''", "b'x'")
FUNCTIONS = {
    "hf_hub_download": FILE,
    "snapshot_download": REPO,
    "try_to_load_from_cache": FILE,
    "get_cached_repo_tree": REPO,
}


def type_calls() -> list[Call]:
    import huggingface_hub

    made = []
    named = [(name, getattr(huggingface_hub, name, None), base) for name, base in FUNCTIONS.items()]
    named += [(f"api.{name}", getattr(huggingface_hub.HfApi, name, None), base) for name, base in METHODS.items()]
    for name, function, base in named:
        if function is None:
            continue
        for parameter in inspect.signature(function).parameters:
            values = VALUES if parameter != "self" else ()
            made += [Call(write(name, base, {parameter: value})) for value in values]
    return made
