"""Whether loads go through us at this moment: the switches of the program, and its blocks.

Nothing here holds a thread, a socket or a lock, so that `fork` is safe at any moment.
"""

from __future__ import annotations

from contextvars import ContextVar

from .config.switch import read_switch

# The innermost `distributed_models()` block of this thread or task: True, False, or None outside of any.
block: ContextVar[bool | None] = ContextVar("ipfs_accelerate_block", default=None)

# While our own code calls a function of huggingface_hub that a door stands for: the original is meant.
own_call: ContextVar[bool] = ContextVar("ipfs_accelerate_own_call", default=False)


class Switches:
    """What was switched by the program."""

    def __init__(self) -> None:
        self.everywhere = False  # whether loads outside of blocks go through us: by activation, `apply()`, `disable()`
        self.disabled = False  # `disable()` keeps us off until `apply()`
        self.patch_later = False  # activation met a half imported `registry`: the thread that imports it goes on
        self.unsaid: list[str] = []  # lines at INFO that wait for the log to be set up: see `activation`
        self.reported: set[str] = set()  # why activation failed


switches = Switches()


def is_enabled() -> bool:
    """Return whether a load here and now would go through us. Called at every load."""
    switch = read_switch()
    if not switch.on:
        return False
    inside = block.get()
    if inside is not None:
        return inside
    return switches.everywhere and not switch.scoped


class calling_originals:  # noqa: N801 - used as a function; a generator takes three times as long
    """While our own code calls the library: none of our doors serves it."""

    def __enter__(self) -> None:
        self._token = own_call.set(True)

    def __exit__(self, *error: object) -> None:
        own_call.reset(self._token)


def take_unsaid() -> list[str]:
    """The lines that wait for the log; they wait no longer."""
    taken, switches.unsaid = switches.unsaid, []
    return taken
