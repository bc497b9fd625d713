"""`snapshot_download`: the chosen files of a commit, made present before the original looks for them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...errors import Unavailable
from ...fleet import heed
from ...hub.client import makes_folders_on_the_way
from ...patching.calls import is_local_only
from ...store import layout
from ...store.resolution import Resolution
from . import local_dir, presence
from .requests import Call
from .serving import door, run_checked


@door
def snapshot_download(call: Call) -> Callable[[], Any] | None:
    """Serves `huggingface_hub.snapshot_download`."""
    local_only, target = is_local_only(call.asked), call.local_dir
    workers = call.named.get("max_workers")
    if (local_only and (call.asked.fresh or target is not None)) or (workers is not None and workers < 1):
        return None
    with heed.patient():
        resolution = presence.look_up(call, [presence.ANY_NAME]).resolution
    if presence.is_refused_elsewhere(call, resolution, next(iter(resolution.tree.files), "README.md")):
        return functools.partial(_run_original, call, resolution)
    if not resolution.tree.complete:  # of a very large repo only the Hub has the whole listing
        return None if local_only else functools.partial(_run_original, call, resolution)
    chosen = _choose(call, resolution)
    try:
        present = presence.make_present(call, resolution, chosen)
    except Unavailable as error:
        return None if local_only else functools.partial(_run_original, call, resolution, error)
    served: dict[str, Any] = {**call.named, "revision": resolution.commit, "force_download": False}
    if target is not None:
        asked = os.path.expanduser(os.fspath(call.named["local_dir"]))
        if ".." in Path(asked).parts and makes_folders_on_the_way():
            os.makedirs(asked, exist_ok=True)
        local_dir.place(call, target, resolution, present)
        presence.keep_ref(call, resolution)
        # Given a commit whose listing it has kept, the original finds all there, and asks for nothing.
        if presence.keep_listing(local_dir.own_folder(target), resolution):
            return lambda: call.wrapped(**served)
        _draw_bar(call, chosen)
        return lambda: str(target)
    cache_dir = presence.place(call, resolution, present, ())
    repo = Path(cache_dir).expanduser() / layout.repo_folder(resolution.repo_id)
    if not chosen:
        presence.keep_ref(call, resolution)
    kept = presence.keep_listing(repo, resolution)
    # Told to stay off the network as a whole, the client still goes through the files of a commit whose listing it has.
    looks = not local_only or (not call.asked.local_only and layout.is_commit(call.asked.revision))
    if kept and looks:
        return lambda: call.wrapped(**{**served, "cache_dir": cache_dir})
    if not local_only:
        _draw_bar(call, chosen)
    if not chosen:
        return lambda: str(repo / "snapshots" / resolution.commit)
    return lambda: call.wrapped(**{**served, "cache_dir": cache_dir, "local_files_only": True})


def _draw_bar(call: Call, chosen: list[str]) -> None:
    """The bar over all files, which lines of the client below 2 do not draw where they ask for nothing."""
    from huggingface_hub.utils import tqdm  # type: ignore[attr-defined]
    from tqdm.contrib.concurrent import thread_map  # type: ignore[import-untyped]

    named: dict[str, Any] = {key: call.named[key] for key in ("max_workers", "tqdm_class") if call.named.get(key)}
    thread_map(str, chosen, **{"desc": f"Fetching {len(chosen)} files", "tqdm_class": tqdm, **named})


def _choose(call: Call, resolution: Resolution) -> list[str]:
    """The files that the caller's patterns let through, by the client's own filter."""
    from huggingface_hub.utils import filter_repo_objects  # type: ignore[attr-defined]

    allow, ignore = call.named.get("allow_patterns"), call.named.get("ignore_patterns")
    return list(filter_repo_objects(resolution.tree.files, allow_patterns=allow, ignore_patterns=ignore))


def _run_original(call: Call, resolution: Resolution, error: Unavailable | None = None) -> str:
    return run_checked(call, resolution, error, _files_in)


def _files_in(folder: str) -> list[str]:
    return [str(file) for file in Path(folder).rglob("*") if file.is_file()]
