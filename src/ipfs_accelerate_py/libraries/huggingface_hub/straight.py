"""A large file of which this machine knows nothing, and that only the Hub can give: the client's own call gets it.

The listing, which comes first elsewhere, would be a request more than plain's, and an answer's time. The client asks
for the file's hash as well, and names the blob by it; so what has come is read and compared before the caller gets it.
https://huggingface.co/docs/huggingface_hub/guides/manage-cache#understand-caching
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ...config.forms import users_cache
from ...config.settings import Settings
from ...errors import IPFSAccelerateError, StoreError
from ...fetch.sources import Kind
from ...files import existing, make_folder
from ...fleet.folder import FleetFolder
from ...hf_cache import unlisted
from ...hub.breaker import is_hub_breaker_open, open_hub_breaker
from ...hub.unwell import is_not_cached, is_unwell
from ...ipfs.address import node_address
from ...log import get_logger
from ...patching import calls, refusals
from ...patching.fallback import check_brought, stand_aside
from ...stats import stats
from ...store import layout, leases, locks, partial, scan, vouchers
from ...store.layout import Own
from ...store.resolution import Authority
from ...store.sidecar import blobs_folder
from ...store.store import Store
from ...store.tree import Entry
from . import presence
from .requests import Call
from .serving import resolve

# What a new repo's .gitattributes gives to LFS (https://huggingface.co/docs/hub/repositories-getting-started), and what
# gets there by its size. A name that misleads costs at most a request more.
_LARGE = re.compile(
    r".*\.(7z|arrow|bin|bz2|ckpt|ftz|gguf|gz|h5|joblib|mlmodel|model|msgpack|npy|npz|onnx|ot|parquet|pb|pickle|pkl|pth?"
    r"|rar|safetensors|tar|tflite|tgz|wasm|xz|zip|zst)",
    re.IGNORECASE | re.DOTALL,
)


def is_the_way(call: Call, path: str) -> bool:
    """Return whether nothing is known here of a file that LFS holds by its name, and only the Hub can give it."""
    storage, asked = call.storage, call.asked
    return (
        _LARGE.fullmatch(path) is not None
        and not calls.is_local_only(asked)
        and call.local_dir is None
        and asked.commit is None
        and not presence.is_seen(call, path)
        and not storage.is_remembered(asked.repo_id, asked.revision, token=asked.token)
        and (asked.cache_dir is None or not calls.is_store(storage, asked.cache_dir))
        and not is_hub_breaker_open()
        and _has_the_hub_alone(storage.settings, storage.store, call)
        and not refusals.stands(storage, asked.repo_id)
        and _knows_nothing(call, path)
        and _leaves_one_copy(storage.store, call.cache / layout.repo_folder(asked.repo_id))
    )


def fetch(call: Call, path: str, serve: Callable[[], str]) -> str:
    """Run the original, with its errors and traces, and check what it brings; `serve` where that is not right, or where
    another was at it.
    """
    try:
        with locks.hold_for_client(call.storage.store, call.asked.repo_id, path) as free:
            brought = _fetch(call, path) if free and is_the_way(call, path) else None
    except StoreError:  # there is nowhere to put a lock
        brought = None
    return serve() if brought is None else brought


def _fetch(call: Call, path: str) -> str | None:
    began = time.time()
    try:
        with stand_aside():
            brought = str(call.wrapped(**call.named))
    except Exception as error:
        _note_silence(error)
        raise
    file = Path(brought)
    right = unlisted.check_by_name(call.storage.store, file)
    if right is False:
        _remove(file, began)
        return None
    entry = unlisted.entry_by_name(file) if right else _check_by_listing(call, path, brought)
    try:
        _take_over(call.storage.store, file, entry, began)
    except (OSError, IPFSAccelerateError) as error:  # a store that cannot be written, say
        get_logger().debug("what the Hub gave was not taken over: %s", error)
    return brought


def _note_silence(error: Exception) -> None:
    """Let what is asked next wait no longer than our own budget for a Hub that has failed."""
    said = error.__cause__ if is_not_cached(error) else error
    if said is not None and is_unwell(said):
        open_hub_breaker(str(said))


def _has_the_hub_alone(settings: Settings, store: Store, call: Call) -> bool:
    """Return whether no other source is set up, and what the Hub's client leaves in its cache is to be there."""
    if settings.lock or settings.publishers or settings.gateways or settings.mirrors or settings.force_local:
        return False
    if settings.share != "on" or (settings.fleet != "off" and FleetFolder(store.root).exists()):
        return False
    if call.asked.cache_dir is None and call.cache not in settings.lower:
        return False
    named = set(settings.lower) - {call.cache, users_cache()}
    return not named and node_address(settings.node) is None


def _knows_nothing(call: Call, path: str) -> bool:
    """Return whether neither the commit's listing is here nor the file, nor bytes that the client would not take.

    It takes no file from the store, and begins anew where a process that is dead now was in the middle of one.
    """
    repo_id, store = call.asked.repo_id, call.storage.store
    try:
        here = resolve(call.here).tree
        if here.is_listing or path in here:
            return False
    except IPFSAccelerateError:
        pass
    folder = layout.repo_folder(repo_id)
    there, ours = call.cache / folder / "blobs", set(scan.names(store.root / folder / "blobs"))
    names = scan.names(there)
    if not ours <= set(names) or scan.names(blobs_folder(store.own_folder / Own.HUB, repo_id)):
        return False
    return not any(True for name in names if name.endswith(partial.SUFFIX) for _ in partial.find_parts(there, name))


def _leaves_one_copy(store: Store, repo: Path) -> bool:
    """Return whether the repo's folder in the cache can be written, on the store's file system, as links need."""
    there, here = (existing(folder) for folder in (repo, store.root))
    return there.is_dir() and os.access(there, os.W_OK) and os.stat(there).st_dev == os.stat(here).st_dev


def _take_over(store: Store, file: Path, entry: Entry | None, began: float) -> None:
    """Link a file that has been found right into the store."""
    place, status = unlisted.find_place(file), file.stat()
    if place is None or entry is None:
        return
    leases.take(store, place.repo_id, place.commit)
    blob = store.path(layout.blob_path(place.repo_id, entry.etag))
    make_folder(blob.parent)
    with suppress(FileExistsError):
        os.link(file.resolve(), blob)
    store.stat_cache.remember(entry.etag, blob.stat())  # a new name changes the time that is noted
    store.link(place.repo_id, place.commit, place.path, entry)
    vouchers.note(store, place.repo_id, place.commit, Authority.HUB.value)
    if status.st_mtime >= began:
        stats().count(Kind.HUB.value, status.st_size)


def _remove(file: Path, began: float) -> None:
    """Take wrong bytes away, which this very call has brought: a program without us would load them. What it has only
    shown under another name, and others may show as well, stays.
    """
    with suppress(OSError):
        real, blob = file.resolve(), file.parent / os.readlink(file)
        is_new = real.stat().st_mtime >= began
        for name in (file, blob, real) if is_new else (file,):
            name.unlink(missing_ok=True)


def _check_by_listing(call: Call, path: str, brought: str) -> Entry | None:
    """A mirror's own names tell nothing of the bytes; its listing may, and what it says the file is is returned.

    Raises VerificationError.
    """
    try:
        resolution = presence.look_up(call, [path]).resolution
    except IPFSAccelerateError:
        resolution = None
    check_brought([brought], None, call.storage, resolution)
    place = unlisted.find_place(Path(brought))
    if resolution is None or place is None or place.commit != resolution.commit:
        return None
    entry = resolution.tree.files.get(path)
    return None if entry is None or entry.hint else entry
