"""Mirrors: folders in our layout behind any fsspec URL (`file://`, `s3://`, `https://`). Bytes only: no authority.

https://filesystem-spec.readthedocs.io/en/latest/ . Which package a scheme needs is in fsspec's own table of hints.
Web servers are read as gateways are: fsspec takes the answer to a range into memory, however long it is.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from ...config.forms import without_secrets
from ...errors import SettingsError, SourceDown, SourceError
from ...net import timeouts
from ...net.http import HTTPReader, prepare
from ...store import layout
from ...store.writer import Writer
from . import FileRequest, Kind
from .mirror_errors import read_error

# Bytes of one read, which is a request of its own at S3: small until it is seen how long one takes, since nothing of it
# is seen on its way. Those of a fast mirror grow, and those of a slow one shrink.
_SMALLEST, _FIRST, _LARGEST = 1 << 14, 1 << 16, 4 << 20
# What a scheme needs besides fsspec, for the hint.
_PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "az": "adlfs", "sftp": "paramiko"}


class Mirror:
    """One mirror: `<url>/models--org--name/snapshots/<commit>/<file>`; nothing else of the layout need be there."""

    kind = Kind.MIRROR
    own_pace = None

    def __init__(self, url: str) -> None:
        self.url = url
        self.label = f"mirror {without_secrets(url)}"
        self._scheme = url.partition("://")[0]
        self._step = _FIRST

    @property
    def is_web(self) -> bool:
        return self._scheme in ("http", "https")

    def prepare(self) -> None:
        if self.is_web:
            prepare()
        else:
            self.file_system()

    def fetch(self, request: FileRequest, writer: Writer) -> str:
        path = layout.snapshot_path(request.repo_id, request.commit, request.path)
        if self.is_web:
            self._reader().copy(f"/{quote(path)}", writer, request.entry.size, self.label)
            return self.label
        at = writer.size
        with contextlib.closing(self._open(path, writer.entry.size)) as file:
            try:
                self._copy(file, writer)
                return self.label
            except SourceError:
                if not at or writer.size > at:
                    raise
        # Nothing came from the middle on: a server without ranges can still give the whole.
        with contextlib.closing(self._open(path, writer.entry.size)) as file:
            writer.start()
            self._copy(file, writer)
        return self.label

    def _reader(self) -> HTTPReader:
        try:
            parts = urlsplit(self.url)
            if not parts.hostname or parts.port == 0:
                raise ValueError("it names no host")
            return HTTPReader(self.url, timeouts.IDLE_MIRROR, roams=True)
        except ValueError as error:
            raise self._bad_url(error) from error

    def _open(self, path: str, size: int) -> Any:
        system, root = self.file_system()
        try:
            found = system.open(f"{root}/{path}", "rb", cache_type="none", block_size=_LARGEST)
            known = getattr(found, "size", None)
        except Exception as error:  # every backend has errors of its own
            down = read_error(error, self._scheme) or self._why_refused(error, system, f"{root}/{path}")
            if down is not None:
                raise down from error
            if self._scheme in ("file", "local") and not Path(root).is_dir():
                raise SourceDown(f"there is no folder {root}", "see whether the disk is mounted") from error
            raise SourceError(f"it did not give the file: {type(error).__name__}: {error}") from error
        if isinstance(known, int) and known > size:
            found.close()
            raise SourceError(f"it reports {known} bytes for the file, more than its {size}")
        return found

    def _why_refused(self, error: Exception, system: Any, path: str) -> SourceDown | None:
        """The reason of a refusal: S3 answers a request for the size with a bare 403, for a byte with the reason."""
        if self._scheme == "s3" and isinstance(error, PermissionError):
            try:
                system.cat_file(path, start=0, end=1)
            except Exception as reason:
                return read_error(reason, self._scheme)
        return None

    def _copy(self, file: Any, writer: Writer) -> None:
        at = writer.begin(self.label)
        try:
            if at:
                file.seek(at)
        except Exception:
            writer.start()
            writer.begin(self.label)
            file.seek(0)
        while data := self._read(file):
            writer.write(data)
        if writer.size < writer.entry.size:
            raise SourceError(f"it broke off after {writer.size} of {writer.entry.size} bytes")

    def _read(self, file: Any) -> bytes:
        step, began = self._step, time.monotonic()
        try:
            data = bytes(file.read(step))
        except Exception as error:
            raise SourceError(f"it broke off: {type(error).__name__}: {error}") from error
        took = time.monotonic() - began
        if took > 2.0:
            self._step = max(step // 2, _SMALLEST)
        elif len(data) == step and took < 0.6:
            self._step = min(step * (4 if took < 0.15 else 2), _LARGEST)
        return data

    def file_system(self) -> tuple[Any, str]:
        """The fsspec file system and the path below it; SettingsError names what is wrong with the URL."""
        import fsspec

        try:
            system, root = fsspec.core.url_to_fs(self.url)
        except ImportError as error:
            package = _PACKAGES.get(self._scheme)
            hint = f"pip install {package}" if package else str(error)
            raise SettingsError(f"{self.label} needs a package that is not installed", hint) from error
        except ValueError as error:
            raise self._bad_url(error) from error
        except Exception as error:
            raise SourceError(f"it cannot be opened: {type(error).__name__}: {error}") from error
        return system, root.rstrip("/")

    def _bad_url(self, error: ValueError) -> SettingsError:
        return SettingsError(
            f"IPFS_ACCELERATE_MIRRORS: {without_secrets(self.url)!r} cannot be used: {error}",
            "give fsspec URLs such as file:///mnt/models, s3://bucket/models or https://host/models",
        )
