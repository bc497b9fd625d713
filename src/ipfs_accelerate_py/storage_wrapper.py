"""One opened store with its settings: what the hook, the commands and a user's program ask for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .log import get_logger
from .settings import Settings, read_settings, read_switch
from .storage import resolver
from .storage.resolver import Resolution
from .storage.retrieval import Retrieval
from .storage.store import Store

# (store, repo id, commit, path) of what this process has offered to the publisher: once is enough
_noted: set[tuple[str, str, str, str]] = set()


class StorageWrapper:
    """The store of the settings as they were when it was opened."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.home)

    @property
    def is_distributed(self) -> bool:
        """May models come from beyond this machine? Not with STORAGE_FORCE_LOCAL=1, nor when switched off."""
        return read_switch().on and not self.settings.force_local

    def get_cache_dir(self) -> Path:
        """The store's folder, in the Hugging Face cache layout."""
        return self.settings.home

    def resolve(
        self, repo_id: str, revision: str | None, *, token: str | bool | None = None, local_only: bool = False
    ) -> Resolution:
        """The commit and tree of a revision (see `storage.resolver`)."""
        local_only = local_only or self.settings.force_local
        return resolver.resolve(self.store, self.settings, repo_id, revision, token=token, local_only=local_only)

    def make_present(
        self,
        resolution: Resolution,
        paths: Iterable[str],
        *,
        token: str | bool | None = None,
        local_only: bool = False,
        force: bool = False,
    ) -> dict[str, Path]:
        """The named files, verified (see `storage.retrieval`); leaves a note for the publisher."""
        retrieval = Retrieval(self.store, self.settings, resolution, token=token, local_only=local_only, force=force)
        present = retrieval.make_present(paths)
        new = {(str(self.store.root), resolution.repo_id, resolution.commit, path) for path in present} - _noted
        if new and not local_only:
            _noted.update(new)
            try:
                from .storage.outbox import leave_note

                leave_note(self.store, self.settings, resolution, list(present))
            except Exception as error:
                get_logger().debug("not noted for publishing: %s", error)
        return present


def get_storage_wrapper() -> StorageWrapper:
    """The store as the settings name it now."""
    return StorageWrapper(read_settings())
