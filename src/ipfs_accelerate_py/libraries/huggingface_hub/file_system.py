"""`HfFileSystem`: a whole file is served as by `hf_hub_download`; an opened one only if it is here already.

An opened file may be read by ranges: gigabytes are not fetched for that.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...errors import IPFSAccelerateError, Unavailable, VerificationError
from ...hub.breaker import is_hub_breaker_open
from ...patching.calls import parameters_of
from ...patching.fallback import stand_aside
from ...store.resolution import Resolution
from . import local_dir, presence, serving
from .requests import Call

_NONE_GIVEN = object()  # None itself is an error of the caller's, which the original makes known
_FULLY_READ = 0  # the block size of an opened file that is streamed and not read by ranges


def get_file(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Serves `HfFileSystem.get_file(rpath, lpath)`, where it is to write a plain file."""
    named = dict(zip(parameters_of(wrapped), args, strict=False)) | kwargs
    target, callback = named.get("lpath"), named.get("callback", _NONE_GIVEN)
    plain = isinstance(target, str) and named.get("outfile") is None and _is_the_clients(callback)
    if (
        not plain
        or len(args) > len(parameters_of(wrapped))
        or not _may_be_written(target)
        or set(named) - {"rpath", "lpath", "callback", "outfile", "revision"}
    ):
        return wrapped(*args, **kwargs)

    def prepare() -> Callable[[], None] | None:
        found = _read(instance, named["rpath"], named.get("revision"))
        ours = None if found is None else _bring(*found)
        if ours is None:
            return None
        _write(ours, Path(str(target)))
        return lambda: _report(callback, ours.stat().st_size)

    return serving.attempt(prepare, wrapped, args, kwargs)


def _report(callback: Any, size: int) -> None:
    if callback is not _NONE_GIVEN:
        callback.set_size(size)
        callback.relative_update(size)


def open(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Serves `HfFileSystem._open`: what the original opens reads the bytes that are here."""
    named = dict(zip(parameters_of(wrapped), args, strict=False)) | kwargs
    if named.get("mode", "rb") != "rb":
        return wrapped(*args, **kwargs)
    try:
        found = _read(instance, named["path"], named.get("revision"))
        ours = None if found is None else _find_here(*found)
    except VerificationError:
        raise
    except Exception:  # the original says it better
        ours = None
    if ours is None:
        if not is_hub_breaker_open():
            return wrapped(*args, **kwargs)
        with stand_aside():  # answers about a file whose bytes no source has would only delay plain's error
            return wrapped(*args, **kwargs)
    block_size = named.get("block_size")
    opened = wrapped(*args, **kwargs)
    if (instance.block_size if block_size is None else block_size) == _FULLY_READ:
        opened.read = _Stream(opened, ours)
    elif opened.size == ours.stat().st_size:  # else it has just been told of another commit
        opened.cache.fetcher = _Ranges(ours)
    return opened


class _Ranges:
    """Reads ranges of a file, as the Hub would give them."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self, start: int, end: int) -> bytes:
        with self._file.open("rb") as stream:
            stream.seek(start)
            return stream.read(end - start)


class _Stream:
    """Reads on from where an opened file is, as the stream of the Hub would give it."""

    def __init__(self, opened: Any, file: Path) -> None:
        self._opened, self._file = opened, file

    def __call__(self, length: int = -1) -> bytes:
        with self._file.open("rb") as stream:
            stream.seek(self._opened.loc)
            out = stream.read(length)
        self._opened.loc += len(out)
        return out


def _may_be_written(target: Any) -> bool:
    """Return whether it is a file, or nothing yet: a device, a pipe, a folder, a link to nowhere are the original's."""
    return os.path.isfile(target) or not os.path.lexists(target)


def _write(ours: Path, target: Path) -> None:
    """A new file in one step; one that is there keeps its other names, its owner and its mode, as with the original."""
    if not target.exists():
        local_dir.copy_file(ours, target)
    elif not target.samefile(ours):
        with ours.open("rb") as source, target.open("wb") as stream:
            shutil.copyfileobj(source, stream, 1 << 20)


def _is_the_clients(callback: Any) -> bool:
    from fsspec.callbacks import NoOpCallback, TqdmCallback

    return callback is _NONE_GIVEN or isinstance(callback, NoOpCallback | TqdmCallback)


def _read(instance: Any, path: str, revision: str | None) -> tuple[Call, str] | None:
    """The call of `hf_hub_download` that means the same file, and the file's path in the repo."""
    from huggingface_hub import file_download

    place = instance.resolve_path(path, revision=revision)
    if not getattr(place, "path_in_repo", ""):
        return None
    named = {
        "repo_type": place.repo_type,
        "revision": place.revision,
        "endpoint": instance.endpoint,
        "token": instance.token,
    }
    call = serving.read(file_download.hf_hub_download, (place.repo_id, place.path_in_repo), named)
    return None if call is None else (call, place.path_in_repo)


def _bring(call: Call, path: str) -> Path | None:
    """The file in the store; None for what is no file of the commit."""
    known = presence.look_up(call, [path])
    if path not in known.resolution.tree or presence.is_refused(call, known.resolution, path):
        return None
    return presence.make_present(call, known.resolution, [path])[path]


def _find_here(call: Call, path: str) -> Path | None:
    """The file in the store, if it is there; no source is asked for its bytes, and the Hub not without need."""
    try:
        if _find(call, serving.resolve(call.here), path) is None:
            return None
        resolution = serving.resolve(call)
        return None if presence.is_refused(call, resolution, path) else _find(call, resolution, path)
    except (IPFSAccelerateError, Unavailable):
        return None


def _find(call: Call, resolution: Resolution, path: str) -> Path | None:
    entry = resolution.tree.files.get(path)
    if entry is None:
        return None
    return call.storage.store.find(resolution.repo_id, resolution.commit, path, entry) or call.storage.store.find_blob(
        resolution.repo_id, entry
    )
