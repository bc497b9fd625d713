"""One opened store with its settings: what the hook, the commands and a user's program ask for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from .config.forms import users_cache
from .config.settings import Settings, read_settings, read_switch
from .fetch.retrieval import Retrieval
from .log import get_logger
from .resolve import resolver
from .resolve.absence import find_missing, is_seen, names_seen
from .session import Recent, session
from .store import vouchers
from .store.resolution import Resolution
from .store.store import Store
from .store.tree import Tree


class Noted(Recent[tuple[str, str, str, str], bool]):
    """(store, repo id, commit, path) of what this process has offered to the publisher: once is enough."""

    def __init__(self) -> None:
        super().__init__(100_000)


class StorageWrapper:
    """The store of the settings as they were when it was opened."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.home)

    @property
    def is_distributed(self) -> bool:
        """Return whether models may come from other machines: not with STORAGE_FORCE_LOCAL=1, nor when switched off."""
        return read_switch().on and not self.settings.force_local

    def get_cache_dir(self) -> Path:
        """The store's folder, in the Hugging Face cache layout."""
        return self.settings.home

    def resolve(
        self,
        repo_id: str,
        revision: str | None,
        *,
        token: str | bool | None = None,
        local_only: bool = False,
        fresh: bool = False,
    ) -> Resolution:
        """The commit and tree of a revision; None is `main`. With `local_only` only this machine is asked, with `fresh`
        the Hub is.

        Raises UnsafeName, LockFileError, or Unresolved where no authority knows.
        """
        local_only = local_only or self.settings.force_local
        return resolver.resolve(
            self.store,
            self.settings,
            repo_id,
            revision,
            on_closed=self._on_closed,
            token=token,
            local_only=local_only,
            fresh=fresh,
        )

    def note_commit(self, repo_id: str, revision: str | None, commit: str, *, token: str | bool | None) -> None:
        """The Hub has just named the commit of a revision, in answer to a question of the program's own."""
        resolver.note_commit(self.store, repo_id, revision, commit, token)

    def note_listing(
        self, repo_id: str, revision: str | None, answer: tuple[Tree, bool], asked_at: int, *, token: str | bool | None
    ) -> None:
        """The same, with the whole listing and whether anybody may read the repo; see `resolver.note_listing`."""
        resolver.note_listing(
            self.store, self.settings, repo_id, revision, answer, asked_at, on_closed=self._on_closed, token=token
        )

    def is_remembered(self, repo_id: str, revision: str | None, *, token: str | bool | None) -> bool:
        """Return whether `resolve` would answer at once, from what was learnt a moment ago."""
        return resolver.is_remembered(self.store, repo_id, revision, token)

    def forget_resolution(self, repo_id: str) -> None:
        """The Hub has just said what contradicts the resolution that is remembered."""
        resolver.forget_resolutions(repo_id)

    def _on_closed(self, repo_id: str) -> None:
        """The Hub does not show the repo to everybody: what was published of it is taken back."""
        from .publish.outbox import withdraw_closed

        withdraw_closed(self.store, self.settings)(repo_id)

    def look_up(
        self, resolution: Resolution, paths: Iterable[str], *, token: str | bool | None, local_only: bool
    ) -> tuple[Resolution, set[str], list[str]]:
        """What is known of files of a commit: the resolution, maybe with more in it; those that the commit is known
        not to have; and those of which it is not known. For the latter a slow Hub is waited for once more.
        """
        paths = list(paths)
        while True:
            missing = self._find_missing(resolution, paths)
            unknown = [path for path in paths if path not in resolution.tree and path not in missing]
            if not unknown or local_only or self.settings.force_local:
                return resolution, missing, unknown
            learnt = resolver.learn_listing(self.store, self.settings, resolution, token, self._on_closed)
            if learnt.tree is resolution.tree:
                return learnt, missing, unknown
            resolution = learnt

    def _find_missing(self, resolution: Resolution, paths: list[str]) -> set[str]:
        if all(path in resolution.tree for path in paths):
            return set()
        caches = (*self.settings.lower, users_cache())
        return find_missing(self.store, caches, resolution, paths)

    def is_seen(self, resolution: Resolution, paths: Iterable[str], cache_dir: str | None) -> bool:
        """Return whether the cache that plain would look into shows each of these files, or marks it as missing."""
        cache = (users_cache() if not cache_dir else Path(os.path.expanduser(cache_dir)),)
        there = [path for path in paths if not is_seen(cache, resolution, path)]
        return len(find_missing(self.store, cache, resolution, there)) == len(there)

    def names_seen(self, resolution: Resolution) -> set[str]:
        """The names that this machine shows in the commit, verified or not."""
        roots = (self.store.root, *self.settings.lower, users_cache())
        return names_seen(roots, resolution)

    def make_present(
        self,
        resolution: Resolution,
        paths: Iterable[str],
        *,
        token: str | bool | None = None,
        local_only: bool = False,
        force: bool = False,
    ) -> dict[str, Path]:
        """The named files, verified: path in the repo -> path of the file. Leaves a note for the publisher.

        With `local_only` nothing comes from beyond this machine; with `force` what is here is fetched anew. Raises
        Unavailable where no source has a file, VerificationError where all that was offered is wrong, StoreError.
        """
        retrieval = Retrieval(self.store, self.settings, resolution, token=token, local_only=local_only, force=force)
        present = retrieval.make_present(paths)
        if present:
            vouchers.note(self.store, resolution.repo_id, resolution.commit, vouchers.shown(resolution))
        noted, key = session.part(Noted), (str(self.store.root), resolution.repo_id, resolution.commit)
        new = [path for path in present if (*key, path) not in noted]
        if new and not local_only:
            for path in new:
                where = (*key, path)
                noted[where] = True
            try:
                from .publish.outbox import leave_note

                leave_note(self.store, self.settings, resolution, list(present))
            except Exception as error:
                get_logger().debug("not noted for publishing: %s", error)
        return present


class Opened:
    """The store that was opened last; every call of a library asks for it."""

    wrapper: StorageWrapper | None = None


def get_storage_wrapper() -> StorageWrapper:
    """The store as the settings name it now; a setting that cannot be used counts as not given, and is warned of."""
    settings, opened = read_settings(), session.part(Opened)
    wrapper = opened.wrapper
    if wrapper is None or wrapper.settings is not settings:  # the settings are another object when anything has changed
        wrapper = opened.wrapper = StorageWrapper(settings)
    return wrapper
