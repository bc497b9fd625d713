"""What transformers itself would say or choose where it is not asked."""

from __future__ import annotations

import sys

from ...hub import client
from .names import HUB


def cache_folder() -> str:
    """Where plain transformers keeps what is loaded without a `cache_dir`."""
    # 4.57 has a name of its own for it, and a variable of old
    return str(getattr(sys.modules.get(HUB), "TRANSFORMERS_CACHE", None) or client.cache_folder())


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
    """What `cached_files` says of files that must be there, where no source that has them can be reached."""
    raise OSError(
        f"We couldn't connect to '{endpoint}' to load the files, and couldn't find them in the cached files.\nCheck "
        "your internet connection or see how to run the library in offline mode at "
        "'https://huggingface.co/docs/transformers/installation#offline-mode'."
    )
