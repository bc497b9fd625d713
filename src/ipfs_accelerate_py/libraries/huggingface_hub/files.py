"""`hf_hub_download`: one file, made present before the original looks for it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...errors import Unavailable
from ...hub.breaker import is_hub_breaker_open
from ...patching import refusals
from ...patching.calls import is_local_only
from ...store.resolution import Resolution
from . import local_dir, presence, straight
from .absence import say_missing
from .presence import Known
from .requests import Call, path_in_repo
from .serving import attempt, door, run_checked


@door
def hf_hub_download(call: Call) -> Callable[[], Any] | None:
    """Serves `huggingface_hub.hf_hub_download`."""
    path = path_in_repo(call.named)
    local_only = is_local_only(call.asked)
    if path is None or (local_only and (call.asked.fresh or call.local_dir is not None)):
        return None
    if straight.is_the_way(call, path):
        served = functools.partial(attempt, functools.partial(_serve, call, path), call.wrapped, (), call.named)
        return functools.partial(straight.fetch, call, path, served)
    return _serve(call, path)


def _serve(call: Call, path: str) -> Callable[[], Any] | None:
    """Settle the commit, make the file present, and show it to the original; None for the original alone."""
    local_only = is_local_only(call.asked)
    if (settled := presence.find_settled(call, path)) is not None:
        return _show(call, *settled)
    known = presence.look_up(call, [path])
    resolution = known.resolution
    if known.unknown:
        return None if local_only else functools.partial(_run_original, call, resolution)
    if presence.is_refused_elsewhere(call, resolution, path):
        return functools.partial(_run_original, call, resolution)
    if known.missing:
        return _missing(call, known, path)
    try:
        present = presence.make_present(call, resolution, [path])
    except Unavailable as error:
        return None if local_only else functools.partial(_run_original, call, resolution, error)
    if call.local_dir is not None:
        local_dir.place(call, call.local_dir, resolution, present)
        return lambda: call.wrapped(**{**call.named, "revision": resolution.commit, "force_download": False})
    return _show(call, resolution, present)


def _show(call: Call, resolution: Resolution, present: Mapping[str, Path]) -> Callable[[], Any]:
    """The original, told where it finds the file."""
    cache_dir = presence.place(call, resolution, present, ())
    served = {"cache_dir": cache_dir, "revision": resolution.commit, "local_files_only": True, "force_download": False}
    return lambda: call.wrapped(**{**call.named, **served})


def _missing(call: Call, known: Known, path: str) -> Callable[[], Any] | None:
    """The commit has no such file: marked as plain does, and said by the client's own error."""
    refusals.raise_standing(call.storage, known.resolution, [], call.asked.token)
    closed = known.resolution.public is False and not is_hub_breaker_open()  # then the Hub may refuse to say even this
    if is_local_only(call.asked) or closed:
        return None
    if call.local_dir is None:
        presence.place(call, known.resolution, {}, [path])
    else:
        local_dir.prepare(call.local_dir, path)
    return functools.partial(say_missing, call, known.resolution.commit)


def _run_original(call: Call, resolution: Resolution, error: Unavailable | None = None) -> str:
    return run_checked(call, resolution, error, lambda file: [file])
