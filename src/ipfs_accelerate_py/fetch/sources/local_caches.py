"""Other Hugging Face caches on this machine: read only, linked from, never written to."""

from __future__ import annotations

import os
from pathlib import Path

from ...errors import SourceError
from ...store import layout
from ...store.stat_cache import StatCache
from ...store.writer import NotWritten, Writer
from . import FileRequest, Kind


class LocalCaches:
    """Serves a blob from the first of the caches that has it."""

    kind = Kind.LOCAL_CACHES
    label = "lower tier"
    own_pace = None

    def __init__(self, caches: tuple[Path, ...], stat_cache: StatCache | None = None) -> None:
        self.caches, self.stat_cache = caches, stat_cache

    def prepare(self) -> None:
        pass

    def fetch(self, request: FileRequest, writer: Writer) -> str:
        blob = layout.blob_path(request.repo_id, request.entry.etag)
        for cache in self.caches:
            # huggingface_hub 2.x keeps a symlink here to a blob that repos share: link to what it points to.
            found = Path(os.path.realpath(cache / blob))
            if found.is_file():
                try:
                    known = self.stat_cache is not None and self.stat_cache.is_known(request.entry.etag, found.stat())
                    writer.adopt(found, known=known)
                except NotWritten:
                    raise
                except OSError as error:
                    raise SourceError(f"{found} cannot be read: {error}") from error
                return str(cache)
        raise SourceError("not in the caches of this machine")
