"""Make named files of a commit present in the store: from the sources where they are absent, every byte verified."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path

from ..config.forms import users_cache
from ..config.settings import Settings
from ..errors import SettingsError, SourceDown, Unavailable, VerificationError
from ..files import say_size
from ..hf_cache import unlisted
from ..hub.client import is_offline
from ..ipfs.rpc_errors import LoginRefused
from ..log import get_logger, warn_once
from ..net.futures import submit
from ..stats import stats
from ..store import layout, leases, locks, partial
from ..store.resolution import Resolution
from ..store.store import Store
from ..store.tree import Entry
from ..store.verify import Mismatch
from . import claims
from .hedge import HedgedFetch
from .plan import Plan
from .sources import FileRequest, Kind, Source, report_corrupt

_ALONE = "only this machine was asked, because STORAGE_FORCE_LOCAL or local_files_only is set"
_OFFLINE = "the Hub was not asked, because HF_HUB_OFFLINE is set"
_AT_ONCE = 4  # files fetched side by side, for the shards of a large model
_LOOK = 1.0  # seconds; Windows notices Ctrl-C between two waits only


class Retrieval:
    """Fetches the files of one resolution. `local_only`: from this machine alone."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        resolution: Resolution,
        *,
        token: str | bool | None = None,
        local_only: bool = False,
        force: bool = False,
    ) -> None:
        self.store, self.settings, self.resolution = store, settings, resolution
        self.token, self.force = token, force
        self.local_only = local_only or settings.force_local

    # a warm load, which fetches nothing, goes without these
    @functools.cached_property
    def _plan(self) -> Plan:
        return Plan(self.store, self.settings, self.resolution, self.token, self.local_only, self.force)

    @functools.cached_property
    def _stopped(self) -> threading.Event:
        return threading.Event()

    def make_present(self, paths: Iterable[str]) -> dict[str, Path]:
        """The visible files by path, fetched where they were not; those the commit does not have are left out.

        Raises Unavailable (no source has the bytes now), VerificationError (only wrong bytes), StoreError.
        """
        known = self.resolution.tree.files
        request = [path for path in dict.fromkeys(paths) if path in known]
        present: dict[str, Path] = {}
        absent = []
        repo_id, commit = self.resolution.repo_id, self.resolution.commit
        leases.take(self.store, repo_id, commit)
        for path in request:
            # A blob that no commit shows yet is linked under its lock: `gc` might be about to remove it.
            found = None if self.force else self.store.find(repo_id, commit, path, known[path])
            if found is None:
                absent.append(path)
            else:
                present[path] = found
        if len(absent) > 1:
            present.update(self._fetch_all(absent))
        elif absent:
            present[absent[0]] = self._fetch(absent[0])
        leases.note_use(present.values())
        return {path: present[path] for path in request}

    def _fetch_all(self, paths: list[str]) -> dict[str, Path]:
        """Side by side, by threads that an interpreter does not wait for when it ends."""
        _ = self._plan, self._stopped  # one for all the threads
        waiting, running, found = paths[::-1], dict[str, Future[Path]](), dict[str, Path]()
        ended = threading.Event()
        try:
            while waiting or running:
                while waiting and len(running) < _AT_ONCE:
                    path = waiting.pop()
                    running[path] = submit(functools.partial(self._fetch, path))
                    running[path].add_done_callback(lambda done: ended.set())
                ended.wait(_LOOK)
                ended.clear()
                for path in [path for path, fetching in running.items() if fetching.done()]:
                    found[path] = running.pop(path).result()
        except BaseException:  # of one file, or Ctrl-C: the others are not waited for
            self._stopped.set()
            raise
        return found

    def _find(self, path: str, entry: Entry) -> Path | None:
        repo_id, commit = self.resolution.repo_id, self.resolution.commit
        found = self.store.find(repo_id, commit, path, entry)
        if found is None and self.store.find_blob(repo_id, entry):
            return self.store.link(repo_id, commit, path, entry)
        return found

    def _fetch(self, path: str) -> Path:
        repo_id, entry = self.resolution.repo_id, self.resolution.tree.files[path]
        started = time.monotonic()
        with contextlib.ExitStack() as held:
            if entry.sha256:  # the client's own call may be fetching it: see `libraries.huggingface_hub.straight`
                held.enter_context(locks.hold_for_listed(self.store, repo_id, path, self._users_cache(), self._stopped))
            held.enter_context(locks.hold(self.store, repo_id, entry.etag, self._stopped))
            found = None if self.force else self._find(path, entry)  # another process may have been quicker
            if found is not None:
                return found
            if entry.hint and not entry.sha256:
                self._refuse_other_checksum(path)
            with claims.ended_with(layout.repo_folder(repo_id), entry.etag):
                giver, source = self._ask_sources(path, entry)
            visible = self.store.link(repo_id, self.resolution.commit, path, entry)
        stats().count(source, entry.size)
        seconds = time.monotonic() - started
        get_logger().info("%s %s: %s from %s in %.2f s", repo_id, path, say_size(entry.size), giver, seconds)
        return visible

    def _refuse_other_checksum(self, path: str) -> None:
        """Unavailable if a cache names the blob of a file by a checksum of a mirror's own: it cannot be verified."""
        visible = layout.snapshot_path(self.resolution.repo_id, self.resolution.commit, path)
        for cache in self.settings.lower:
            with contextlib.suppress(OSError):
                if (cache / visible).is_file() and unlisted.check_by_name(self.store, cache / visible) is None:
                    raise Unavailable(f"{self.resolution.repo_id}: it is not known what {path} must be")

    def _ask_sources(self, path: str, entry: Entry) -> tuple[str, str]:
        repo_id, commit = self.resolution.repo_id, self.resolution.commit
        request = FileRequest(repo_id, commit, path, entry, self.token)
        blob = self.store.path(layout.blob_path(repo_id, entry.etag))
        partial.clean_scratch(self.store.own_folder)
        partial.remove_old(blob.parent)
        hedged = HedgedFetch(self.store, request, self.settings.timeout, self._complain, self._stopped)
        leftovers = () if self.force else self._find_leftovers(blob, entry)
        with hedged.run(self._plan.for_file(entry), leftovers) as found:
            if found is not None:
                giver, source, writer = found
                try:
                    with self.store.writing():
                        writer.finish(blob)
                        if (status := blob.stat()).st_nlink > 1 or self.store.stat_cache.is_noted(entry.etag):
                            self.store.stat_cache.remember(entry.etag, status)
                    return giver, source.kind.value
                except Mismatch as mismatch:
                    hedged.wrong.append((source.label, mismatch))
                    report_corrupt(source.label, path, mismatch)
        if hedged.wrong:
            names, last = ", ".join(name for name, _ in hedged.wrong), hedged.wrong[-1][1]
            raise VerificationError(
                f"{repo_id}: {path} was not loaded, because what was offered is not the file that commit "
                f"{commit} has: expected {last.expected}, got {last.actual} (asked: {names})",
                "the bytes are damaged on the way or at their source; remove the damaged copy if it is a cache of "
                "this machine, else try again or ask the operator of the source",
            )
        reasons = "; ".join(hedged.reasons) or "no source was asked"
        hint = _ALONE if self.local_only else _OFFLINE if is_offline() else hedged.hint
        raise Unavailable(f"{repo_id}: no source has {path} now ({reasons})", hint, hedged.hub_error, hedged.no_hub)

    def _find_leftovers(self, blob: Path, entry: Entry) -> Iterator[Path]:
        """What dead processes have left of a blob: ours, and those of the client in the user's own cache."""
        yield from partial.find_parts(blob.parent, entry.etag)
        if (cache := self._users_cache()) is not None:
            yield from partial.find_parts((cache / blob.relative_to(self.store.root)).parent, entry.etag)

    def _users_cache(self) -> Path | None:
        """The Hugging Face cache of this user, if it is read at all."""
        cache = users_cache()
        return cache if cache in self.settings.lower else None

    def _complain(self, source: Source, error: Exception) -> None:
        # A source that the user has named and that is down is worth a warning; that a peer lacks a file is not.
        hint = getattr(error, "hint", None)
        text = f"{error}; {hint}" if hint else str(error)
        if source.kind is Kind.NODE:
            named = bool(hint) and (self.settings.node not in ("auto", "off") or isinstance(error, LoginRefused))
        else:
            named = source.kind in (Kind.GATEWAY, Kind.MIRROR) and (isinstance(error, SettingsError | SourceDown))
            text = f"{source.label}: {text}"
        if not (named and warn_once(f"{text}; going on without it")):
            get_logger().debug("%s: %s", source.label, text)
