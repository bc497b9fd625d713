"""Switching on and off: the finder, what is patched, blocks, and a status that is true when it is asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from . import state
from .config.switch import is_true, read_switch
from .stats import stats

if TYPE_CHECKING:
    from .patching.library import Door, Library
    from .status import DoorState, Status


def activate(origin: str) -> bool:
    """Install the hook if the environment allows it, and serve loads everywhere; True if it is installed.

    Cheap until transformers is imported. Never raises. `origin`: import, startup, apply.
    """
    try:
        if state.switches.disabled and origin != "apply":
            return False
        if not _is_allowed():
            return False
        state.switches.everywhere, state.switches.disabled = True, False
        _install()
        return True
    except Exception as error:
        cause = f"{type(error).__name__}: {error}"
        if cause not in state.switches.reported:  # after a failure each import of a module of transformers tries again
            state.switches.reported.add(cause)
            from .log import get_logger

            get_logger().warning("not activated: %s", cause)
        return False


def _is_allowed() -> bool:
    switch = read_switch()
    if switch.on:
        return True
    if switch.variable == "CI":
        _note("CI environment detected, disabling transformers patching")
    else:
        _note("Transformers patching disabled via environment variable")
    return False


def _note(text: str) -> None:
    """A line at INFO: at once where it is sure to be shown, else before the next line of ours.

    The settings file may ask for it as well, and to look there costs more than all the rest of an activation.
    """
    logging = sys.modules.get("logging")
    is_there = logging is not None and hasattr(logging, "getLogger")  # another thread may be about to import it
    if os.environ.get("IPFS_ACCELERATE_LOG") or (
        is_there and logging.getLogger(__package__).isEnabledFor(logging.INFO)  # type: ignore[union-attr]
    ):
        from .log import get_logger

        get_logger().info(text)
    elif text not in state.switches.unsaid:
        state.switches.unsaid.append(text)


def _install() -> None:
    from .hook import finder
    from .libraries import find_libraries

    libraries = find_libraries()
    if finder.installed() is None:
        _note("Auto-patching transformers for distributed storage...")
        if is_true(os.environ.get("STORAGE_FORCE_LOCAL")):
            _note("Using local filesystem (distributed storage disabled)")
    there = [library for library in libraries if library.name in sys.modules]
    if there:
        # Before the finder is there: afterwards another thread that imports transformers may be importing this too, and
        # wait for our package, which may still be executing its `__init__` here. importlib would hand out half of it.
        from .patching import registry
    if any(not library.everywhere for library in there):
        from .patching import class_proxies  # noqa: F401
    for library in libraries:
        finder.install(library)
    loaded = [library for library in libraries if library.name in sys.modules]
    if loaded:
        from .patching import registry

        if hasattr(registry, "patch_loaded"):
            for library in loaded:
                registry.patch_loaded(library)
        else:  # another thread is importing it, waits for us, and will do this then
            state.switches.patch_later = True


def apply() -> bool:
    """Switch on, also after `disable()`; False where the environment says no."""
    return activate("apply")


def restore() -> bool:
    """Put every original back and take the finder away; True if there was something to take away."""
    from .hook import finder

    was_there = is_applied()
    state.switches.everywhere = False
    finder.uninstall()
    if registry := sys.modules.get(f"{__package__}.patching.registry"):
        registry.restore_all()
    return was_there


def disable() -> bool:
    """`restore()`, and stay off until `apply()` (blocks still work)."""
    state.switches.disabled = True
    return restore()


def is_applied() -> bool:
    """Return whether the hook is installed in this process."""
    finder = sys.modules.get(f"{__package__}.hook.finder")
    return finder is not None and finder.installed() is not None


def should_patch() -> bool:
    """Return whether the environment allows the hook, at this moment."""
    return read_switch().on


@contextmanager
def distributed_models(enabled: bool = True) -> Iterator[None]:
    """A block in which models are loaded through us (or, with `enabled=False`, are not).

    Blocks nest; the innermost counts. An asyncio task started inside is inside, a thread started inside is not
    (context variables). The environment's off beats the block. Also usable as a decorator.
    """
    if enabled and read_switch().on:
        _install()
    token = state.block.set(enabled)
    try:
        yield
    finally:
        state.block.reset(token)


def describe_doors() -> dict[str, DoorState]:
    """Each door of a library -> its state.

    `in place`, `not yet imported`, `open` (imported, not patched), `not needed` (by this version), or `not found`.
    Not found means that the installed version has no such name: 4.57 has no `resolve_revision` and `hf_api`, and 5 no
    longer needs the ones outside of `transformers.utils.hub`. If a `from_pretrained` is not found, the loads of such
    classes are served at `transformers.utils.hub.cached_files`; if that is not found, they are not served at all.
    """
    from .libraries import find_libraries

    return {
        door.name: _state_of(door, library) for library in find_libraries() for door in library.doors if door.wrapper
    }


def _state_of(door: Door, library: Library) -> DoorState:
    from .status import DoorState

    module = sys.modules.get(door.module)
    if module is None:
        return DoorState.NOT_YET_IMPORTED
    names = vars(module)
    owner = next((names[each] for each in door.owners if each in names), None) if door.owners else module
    value = None if owner is None else vars(owner).get(door.attribute)
    if value is None:
        return DoorState.NOT_FOUND
    registry = sys.modules.get(f"{__package__}.patching.registry")
    if registry is not None and registry.is_replacement(value):
        return DoorState.IN_PLACE
    return DoorState.OPEN if library.needs(door) else DoorState.NOT_NEEDED


def get_status() -> dict[str, Any]:
    """What is true at this moment, as JSON has it; see the keys below.

    `enabled`: a load here and now would go through us. `applied`: our hooks are in place. `patched_classes`:
    `["transformers.AutoModel", ...]`. `should_patch`, `reason`, `variable`: what the environment says, and which
    variable says it. `store`: the folder. `node`: the RPC address, or None. `served`: source ->
    `{"files": number, "bytes": number}` of this process. `vouched`: repo -> commit -> the authorities for the
    bytes of its loads in this process: "hub", "lock file", "publisher <name>", "memory" (what this machine has kept of
    their answers), or "nobody": those files were not verified. `liars`: sources that gave wrong bytes to this process
    -> what they did. `doors`: a door of a library -> its state: "in place", "not yet imported", "open", "not needed" or
    "not found".
    """
    return read_status().to_dict()


def read_status() -> Status:
    """The same as one value."""
    from .config.settings import read_settings
    from .errors import SettingsError
    from .ipfs.address import node_address
    from .status import Status

    switch = read_switch()
    settings = read_settings()
    try:
        address = None if settings.force_local else node_address(settings.node)
    except SettingsError:
        address = None
    registry = sys.modules.get(f"{__package__}.patching.registry")
    enabled = is_applied() and state.is_enabled()
    reason, vouched = switch.reason, stats().vouched
    if switch.on and not enabled:
        reason = (
            "disabled by disable()" if state.switches.disabled else "not applied" if not is_applied() else switch.reason
        )
    return Status(
        enabled=enabled,
        applied=is_applied(),
        patched_classes=registry.patched_classes() if registry else [],
        should_patch=switch.on,
        reason=reason,
        variable=switch.variable,
        store=str(settings.home),
        node=address,
        served={name: {"files": files, "bytes": size} for name, (files, size) in stats().served.items()},
        vouched={repo: {commit: sorted(by) for commit, by in commits.items()} for repo, commits in vouched.items()},
        liars=dict(stats().liars),
        doors=describe_doors(),
    )
