"""transformers, as the hook knows it: each door with what serves it."""

from __future__ import annotations

from ...patching.library import ClassDoors, Door, Library
from . import names

_LOAD = "ipfs_accelerate_py.patching.from_pretrained:load"
_FILES = f"{__package__}.file_doors"
_NAMES = f"{__package__}.name_doors"


def _method(place: tuple[str, str, str], wrapper: str) -> Door:
    module, owner, attribute = place
    return Door(module, (owner,), attribute, wrapper, below=names.STRAYS_BELOW)


LIBRARY = Library(
    names.NAME,
    (
        *(Door(names.HUB, (), function, f"{_FILES}:{function}") for function in names.FILE_FUNCTIONS),
        *(Door(names.HUB, (), function, f"{_NAMES}:{function}") for function in names.NAME_FUNCTIONS),
        Door(names.HUB, (), names.CLIENT_FUNCTION, f"{__package__}.client:hf_api"),
        *(Door(module, classes, "from_pretrained", _LOAD) for module, classes in names.BASE_CLASSES.items()),
        *(
            Door(module, (), function, f"{_NAMES}:{function}")
            for module, functions in names.STRAY_FUNCTIONS.items()
            for function in functions
        ),
        _method(names.MISTRAL_REGEX, f"{_NAMES}:patch_mistral_regex"),
        _method(names.PEFT_ADAPTER, f"{_FILES}:load_adapter"),
    ),
    ClassDoors(names.AUTO, "Auto", _LOAD),
    names.TESTED,
)
