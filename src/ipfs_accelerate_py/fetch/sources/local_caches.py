"""Other Hugging Face caches on this machine: read only, linked from, never written to."""

from __future__ import annotations

import os
from pathlib import Path

from ...errors import SourceError
from ...store import layout
from ...store.stat_cache import VerifiedFiles
from ...store.writer import NotWritten, Receiver
from . import Wanted


class LocalCaches:
    """Serves a blob from the first of the caches that has it."""

    name = label = "lower tier"
    is_patient = False

    def __init__(self, caches: tuple[Path, ...], verified: VerifiedFiles | None = None) -> None:
        self.caches, self.verified = caches, verified

    def prepare(self) -> None:
        pass

    def fetch(self, wanted: Wanted, receiver: Receiver) -> str:
        blob = layout.blob_path(wanted.repo_id, wanted.entry.etag)
        for cache in self.caches:
            # huggingface_hub 2.x keeps a symlink here to a blob that repos share: link to what it points to.
            found = Path(os.path.realpath(cache / blob))
            if found.is_file():
                try:
                    known = self.verified is not None and self.verified.is_known(wanted.entry.etag, found.stat())
                    receiver.adopt(found, known=known)
                except NotWritten:
                    raise
                except OSError as error:
                    raise SourceError(f"{found} cannot be read: {error}") from error
                return str(cache)
        raise SourceError("not in the caches of this machine")
