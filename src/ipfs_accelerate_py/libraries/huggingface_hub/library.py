"""huggingface_hub, as the hook knows it: each door with what serves it.

What HfApi sends its requests by, commits from the second module. A program that writes to the Hub loads its own new
words next. The same functions in other modules only read. Which versions there are is for transformers to say.
"""

from __future__ import annotations

from ...patching.library import Door, Library

_WRITES = f"{__package__}.writes"
_SENDERS = {
    "huggingface_hub.hf_api": ("get_session",),
    "huggingface_hub._commit_api": ("get_session", "http_backoff"),
}

LIBRARY = Library(
    "huggingface_hub",
    tuple(
        Door(module, (), function, f"{_WRITES}:{function}", handed_on=False)
        for module, functions in _SENDERS.items()
        for function in functions
    ),
)
