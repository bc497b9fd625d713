"""Content-addressed, verified models for unmodified Hugging Face `transformers` code.

`import ipfs_accelerate_py` switches the hook on if the environment allows it. The package is also the parent of what
the startup file and `python -m ipfs_accelerate_py.<module>` run, and those switch on for themselves, or not at all.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing would cost `hook run` time
    from typing import Any

    from .activation import distributed_models, get_status
    from .storage_wrapper import get_storage_wrapper

__version__ = "0.1.0"
__all__ = [
    "__version__",
    "auto_patch_transformers",
    "distributed_models",
    "get_status",
    "get_storage_wrapper",
]

_HOMES = {
    "distributed_models": "activation",
    "get_status": "activation",
    "get_storage_wrapper": "storage_wrapper",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for (PEP 562)."""
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    if name == "auto_patch_transformers":
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _activate_on_import() -> None:
    if getattr(sys, "_ipfs_accelerate_quiet_import", False):  # the startup file's boot module
        return
    if sys.argv[:1] and sys.argv[0].endswith(("/ipfs-accelerate", "\\ipfs-accelerate.exe")):  # the console script
        return
    if sys.argv[:1] == ["-m"] and any(arg.startswith(f"{__name__}.") for arg in sys.orig_argv):  # one of our programs
        return
    from .activation import activate

    activate("import")


_activate_on_import()
