"""The files that a call wants, made present: in the store, and in the cache folder that the caller means."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ...errors import IPFSAccelerateError, VerificationError
from ...fetch import progress
from ...hf_cache import layout as hub_cache
from ...hf_cache.export import fill, mark_missing
from ...hf_cache.refs import is_others_word
from ...hf_cache.share import share
from ...hub import headers
from ...hub.breaker import is_hub_breaker_open
from ...hub.client import cache_folder
from ...patching import refusals
from ...patching.calls import is_local_only, is_store, note_learnt, revision_of
from ...store import layout, leases, scan
from ...store.resolution import Resolution
from ...store.store import Store
from .requests import Call
from .serving import resolve

ANY_NAME = "?"  # no file's: asks whether the whole listing is known


@dataclass(frozen=True)
class Known:
    """What is known of the files of a call: `missing` ones the commit has not, of `unknown` ones no authority knows."""

    resolution: Resolution
    missing: set[str]
    unknown: list[str]


def look_up(call: Call, paths: list[str]) -> Known:
    """Resolve a call, and tell its files apart. Raises Unresolved."""
    asked = call.asked
    found = call.storage.look_up(resolve(call), paths, token=asked.token, local_only=is_local_only(asked))
    note_learnt(found[0])
    return Known(*found)


def is_seen(call: Call, path: str) -> bool:
    """Return whether the cache that is meant shows the file, in any commit if none is named."""
    asked = call.asked
    snapshots = os.path.expanduser(f"{asked.cache_dir or cache_folder()}/{layout.repo_folder(asked.repo_id)}/snapshots")
    commits = [asked.revision] if layout.is_commit(asked.revision) else scan.names(Path(snapshots))
    return any(os.path.lexists(f"{snapshots}/{commit}/{path}") for commit in commits)


def find_settled(call: Call, path: str) -> tuple[Resolution, dict[str, Path]] | None:
    """A file of a named commit that the cache shows, verified, though no listing of the commit is kept: as plain does,
    it is given without a question.
    """
    asked, store, revision = call.asked, call.storage.store, call.asked.revision or ""
    if asked.fresh or asked.commit is not None or call.local_dir is not None or not layout.is_commit(revision):
        return None
    if os.path.exists(f"{store.root}/{layout.tree_path(asked.repo_id, revision)}") or not is_seen(call, path):
        return None
    try:
        here = resolve(call.here)
    except IPFSAccelerateError:
        return None
    entry = here.tree.files.get(path)
    found = entry and store.find(here.repo_id, here.commit, path, entry)
    if not found:
        return None
    refusals.raise_standing(call.storage, here, [path], asked.token)
    leases.note_use([found])
    return here, {path: found}


def is_refused(call: Call, resolution: Resolution, path: str) -> bool:
    """Return whether the Hub, while it answers, does not show a file of a closed repo to this caller.

    From the user's own cache plain gives what is there to every caller; for any other place it asks the Hub.
    """
    if resolution.public is not False or is_hub_breaker_open() or is_local_only(call.asked):
        return False
    deadline = call.storage.settings.timeout
    named = headers.ask_file_commit(resolution.repo_id, resolution.commit, path, call.asked.token, deadline)
    return named is None


def is_refused_elsewhere(call: Call, resolution: Resolution, path: str) -> bool:
    """Return whether `is_refused` holds, and the call means another place than the user's own cache."""
    elsewhere = call.asked.cache_dir is not None or call.local_dir is not None
    return elsewhere and is_refused(call, resolution, path)


def make_present(call: Call, resolution: Resolution, paths: list[str]) -> dict[str, Path]:
    """The files in the store, by path. Raises Unavailable, VerificationError, StoreError."""
    asked = call.asked
    refusals.raise_standing(call.storage, resolution, paths, asked.token)
    local_only = is_local_only(asked)
    force = asked.fresh and not local_only
    try:
        with progress.drawn_as(call.named.get("tqdm_class")):
            present = call.storage.make_present(
                resolution, paths, token=asked.token, local_only=local_only, force=force
            )
    except VerificationError as error:
        refusals.remember(call.storage, resolution, paths, error)
        raise
    refusals.forget(call.storage, resolution, paths)
    return present


def place(call: Call, resolution: Resolution, present: Mapping[str, Path], missing: Collection[str]) -> str:
    """Let the cache that the caller means show the files as plain would have left them there.

    Returns the `cache_dir` in which they are: that cache, or the store, where the cache cannot be written or lies on
    another file system (a copy of a large model is not made for it).
    """
    storage, asked = call.storage, call.asked
    named_by = revision_of(asked, asked.commit)
    if not is_store(storage, asked.cache_dir):
        if present:
            fill(Store(call.cache), storage.store, resolution, present, named_by)
        else:
            keep_ref(call, resolution)
        mark_missing(Store(call.cache), resolution, missing)
        return str(asked.cache_dir)
    folder = cache_folder()
    if (
        asked.cache_dir is None
        and storage.settings.share == "on"
        and _share(call, folder, resolution, present, missing)
    ):
        return folder
    mark_missing(storage.store, resolution, missing)
    return str(storage.get_cache_dir())


def _share(
    call: Call, folder: str, resolution: Resolution, present: Mapping[str, Path], missing: Collection[str]
) -> bool:
    """Leave the files in the user's own cache; return whether it shows the right ones."""
    storage, asked = call.storage, call.asked
    deadline, named_by = storage.settings.timeout, revision_of(asked, asked.commit)
    if len(present) == 1 and not asked.fresh and layout.is_commit(named_by):  # of one file nothing else is left there
        ((path, ours),) = present.items()
        if _shows(call, folder, resolution, path, ours):
            return True
    share(storage.store, folder, resolution, present, missing, named_by, replace=asked.fresh, deadline=deadline)
    wrong = [path for path in present if not _shows(call, folder, resolution, path, present[path])]
    if wrong:  # of another's making, and damaged; or there can be no links
        share(storage.store, folder, resolution, wrong, (), named_by, replace=True, deadline=deadline)
    return all(_shows(call, folder, resolution, path, present[path]) for path in wrong)


def _shows(call: Call, folder: str, resolution: Resolution, path: str, ours: Path) -> bool:
    """Return whether the cache shows our file under this name, or another one that was read and is right."""
    name = layout.snapshot_path(resolution.repo_id, resolution.commit, path)
    try:
        if os.path.samefile(f"{folder}/{name}", ours):
            return True
    except OSError:
        return False
    return _is_right(call, folder, resolution, path)


def is_wrong(call: Call, resolution: Resolution, path: str) -> bool:
    """Return whether the cache that the caller means shows a file under this name that is not the commit's."""
    shown = call.cache / layout.snapshot_path(resolution.repo_id, resolution.commit, path)
    return shown.is_file() and not _is_right(call, str(call.cache), resolution, path)


def _is_right(call: Call, folder: str, resolution: Resolution, path: str) -> bool:
    theirs = Store(Path(folder))
    theirs.is_ours, theirs.stat_cache = False, call.storage.store.stat_cache
    return theirs.find(resolution.repo_id, resolution.commit, path, resolution.tree.files[path]) is not None


def keep_ref(call: Call, resolution: Resolution) -> None:
    """Leave the commit of a branch in the cache that the caller means, where no file is left there with it."""
    revision, repo_id = revision_of(call.asked, call.asked.commit), resolution.repo_id
    if layout.is_commit(revision):
        return
    if not is_others_word(call.cache, call.storage.store, repo_id, revision, resolution.commit):
        with suppress(OSError):  # as plain, which warns of nothing worse than that
            hub_cache.write(call.cache / layout.ref_path(repo_id, revision), resolution.commit.encode())


def keep_listing(folder: Path, resolution: Resolution) -> bool:
    """Leave the listing of the commit where the client looks for it; False where its line keeps none."""
    if not hub_cache.keeps_listings() or not resolution.tree.complete:
        return False
    listing = folder / "trees" / f"{resolution.commit}.json"
    if not listing.exists():
        hub_cache.write(listing, hub_cache.listing(resolution.tree))
    return True
