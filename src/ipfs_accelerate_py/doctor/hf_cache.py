"""Whether what is loaded can be left in the Hugging Face cache, where programs without the hook find it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ..config.forms import users_cache
from ..config.settings import Settings
from ..files import existing
from ..store.store import Store
from .check import Check, Result, good
from .folders import file_system, scratch_of

_SILENT = "see whether that file system answers (df, mount), or set IPFS_ACCELERATE_SHARE to off"


def check_of(settings: Settings) -> Check:
    """The check `left for others`. That it cannot be is no failure: all that is loaded through the hook works."""
    cache = users_cache().absolute()
    return Check("left for others", lambda: check_left(settings.home, cache, settings.share), _SILENT)


def check_left(home: Path, cache: Path, share: str) -> Result:
    """Link a file of the store into the cache, as a load does, and take it away again."""
    if share == "off":
        return good("IPFS_ACCELERATE_SHARE is off: what is loaded is in the store alone")
    store, where = Store(home), existing(cache)
    linked = where / f".ipfs_accelerate-{os.getpid()}-{os.urandom(4).hex()}.incomplete"
    with store.writing(), scratch_of(store) as scratch:
        (scratch / "file").write_bytes(b"doctor")
        try:
            os.link(scratch / "file", linked)
        except OSError as error:
            return good(
                f"programs without the hook do not find what is loaded: no links from {file_system(home)} to {cache} "
                f"on {file_system(cache)} ({error.strerror})",
                "make that cache writable and put the store on its file system: "
                "set HF_HOME, which moves both, and leave IPFS_ACCELERATE_HOME unset",
            )
        finally:
            with contextlib.suppress(OSError):
                linked.unlink()
    return good(f"what is loaded can be linked into {cache}")
