"""transformers: the names of its doors, as data, for the lines 4.57 and 5.

A door that an installed version does not have is passed over; `after_exec` is asked for the modules named here only.
"""

from __future__ import annotations

import sys
from types import ModuleType

name = "transformers"
TESTED = ((4, 57), (6, 0))  # from, below

AUTO = "transformers.models.auto."

# module -> classes whose `from_pretrained` concrete classes inherit
BASE_CLASSES = {
    "transformers.modeling_utils": ("PreTrainedModel",),
    "transformers.configuration_utils": ("PreTrainedConfig", "PretrainedConfig"),
    "transformers.tokenization_utils_base": ("PreTrainedTokenizerBase",),
    "transformers.processing_utils": ("ProcessorMixin",),
    "transformers.feature_extraction_utils": ("FeatureExtractionMixin",),
    "transformers.image_processing_base": ("ImageProcessingMixin",),
    "transformers.video_processing_utils": ("VideoProcessorMixin", "BaseVideoProcessor"),
    "transformers.generation.configuration_utils": ("GenerationConfig",),
}

# The submodule through which transformers reaches the Hub, and its functions.
HUB = "transformers.utils.hub"
HUB_FUNCTIONS = (
    *("cached_files", "list_repo_templates", "has_file", "resolve_revision", "hf_api"),
    *("hf_hub_download", "snapshot_download"),
)

# A few places ask past that submodule, 4.57 the Hub and both lines the cache: module -> functions of huggingface_hub's
STRAY_FUNCTIONS = {
    "transformers.dynamic_module_utils": ("try_to_load_from_cache",),
    "transformers.tokenization_utils_base": ("list_repo_files",),
    "transformers.pipelines": ("model_info",),
}
# ... and inside these methods: by an import, and through peft
STRAY_METHODS = {
    "transformers.tokenization_utils_base": (("PreTrainedTokenizerBase", "_patch_mistral_regex"),),
    "transformers.integrations.peft": (("PeftAdapterMixin", "load_adapter"),),
}

# What HfApi sends its requests by, commits from the second module. `HUB` imports both. A program that writes to the Hub
# loads its own new words next.
CLIENT_FUNCTIONS = {
    "huggingface_hub.hf_api": ("get_session",),
    "huggingface_hub._commit_api": ("get_session", "http_backoff"),
}

# Every door outside of `AUTO`: module, names of its owner (any one will do; empty: the module itself), attribute.
DOORS = (
    *((HUB, (), function) for function in HUB_FUNCTIONS),
    *((module, (), function) for module, functions in CLIENT_FUNCTIONS.items() for function in functions),
    *((module, classes, "from_pretrained") for module, classes in BASE_CLASSES.items()),
    *((module, (), function) for module, functions in STRAY_FUNCTIONS.items() for function in functions),
    *((module, (cls,), method) for module, methods in STRAY_METHODS.items() for cls, method in methods),
)

# The package itself has no door: it is here because it puts another object in its place, see hook.loader.
_WANTED = frozenset({name, HUB, *BASE_CLASSES, *STRAY_FUNCTIONS, *STRAY_METHODS})


def has_strays(version: str) -> bool:
    """Does this version ask the Hub past `transformers.utils.hub`?"""
    return version.startswith("4.")


def wants(fullname: str) -> bool:
    """Is this module one to look after?"""
    return fullname in _WANTED or fullname.startswith(AUTO)


def module_type(fullname: str) -> type[ModuleType] | None:
    """The proxy module for the Auto* classes."""
    if not fullname.startswith(AUTO):
        return None
    from ...patching.registry import ProxyModule

    return ProxyModule


def after_exec(module: ModuleType) -> None:
    """Put our wrappers into the doors of a module that was just executed."""
    if module.__name__ == name:
        return
    from ... import state
    from ...hook.finder import installed
    from ...patching.registry import patch_loaded, patch_module

    if installed() is None:  # taken away between the module's look-up and its execution
        return

    patch_module(module)
    if state.patch_later:
        state.patch_later = False
        patch_loaded()


def cache_folder() -> str:
    """Where plain transformers keeps what is loaded without a `cache_dir`."""
    from huggingface_hub import constants

    # 4.57 has a name of its own for it, and a variable of old
    return str(getattr(sys.modules.get(HUB), "TRANSFORMERS_CACHE", None) or constants.HF_HUB_CACHE)


def say_missing(repo_id: str, revision: str, subfolder: str, missing: list[str]) -> None:
    """What `cached_files` of 4.57 says of files that must be there, once the Hub has told it that they are not.

    From a cache alone it says less. A lone config.json may be missing.
    """
    first, *more = missing
    if not more and first == f"{subfolder}/config.json".lstrip("/"):
        return
    named = f"files named {(*missing,)}" if more else f"a file named {first}"
    where = f"https://huggingface.co/{repo_id}/tree/{revision}"
    raise OSError(f"{repo_id} does not appear to have {named}. Checkout '{where}' for available files.")


def say_no_connection(endpoint: str) -> None:
    """What `cached_files` says of files that must be there, where nobody can be reached who has them."""
    raise OSError(
        f"We couldn't connect to '{endpoint}' to load the files, and couldn't find them in the cached files.\nCheck "
        "your internet connection or see how to run the library in offline mode at "
        "'https://huggingface.co/docs/transformers/installation#offline-mode'."
    )
