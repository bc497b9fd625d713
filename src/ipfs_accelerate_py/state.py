"""What this process remembers: who may load through us, which blocks are open, what was served.

Nothing here holds a thread, a socket or a lock, so that `fork` is safe at any moment.
"""

from __future__ import annotations

from contextvars import ContextVar

from .config.switch import read_switch

# The innermost `distributed_models()` block of this thread or task: True, False, or None outside of any.
block: ContextVar[bool | None] = ContextVar("ipfs_accelerate_block", default=None)

# Whether loads outside of blocks go through us: set by activation and `apply()`, cleared by `disable()`.
everywhere = False

# `disable()` keeps us off until `apply()`.
disabled = False

# Set when activation met a half imported `registry`: the thread that imports it patches what was loaded before.
patch_later = False

# Lines at INFO that wait for the log to be set up: see `activation`.
unsaid: list[str] = []

# source name -> [files, bytes] that it supplied in this process
served: dict[str, list[int]] = {}

# repo id -> commit -> who vouched for what was loaded of it in this process: "hub", "lock file", ..., "nobody"
vouched: dict[str, dict[str, list[str]]] = {}

# sources that gave wrong bytes: not asked again by this process. name -> what it did
liars: dict[str, str] = {}


def is_enabled() -> bool:
    """Would a load here and now go through us? Asked at every call."""
    switch = read_switch()
    if not switch.on:
        return False
    inside = block.get()
    if inside is not None:
        return inside
    return everywhere and not switch.scoped


def take_unsaid() -> list[str]:
    """The lines that wait for the log; they wait no longer."""
    taken, unsaid[:] = list(unsaid), []
    return taken


def count(source: str, size: int) -> None:
    """Add one file of `size` bytes to what `source` has supplied."""
    entry = served.setdefault(source, [0, 0])
    entry[0] += 1
    entry[1] += size
