"""Mirrors: folders in our layout behind any fsspec URL (`file://`, `s3://`, `https://`). Bytes only, never words.

https://filesystem-spec.readthedocs.io/en/latest/ . Which package a scheme needs is in fsspec's own table of hints.
"""

from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import quote

from ...errors import SettingsError, SourceError
from ...settings import without_password
from .. import layout
from ..receiver import Receiver
from . import Wanted

_CHUNK = 4 << 20
# What a scheme needs besides fsspec, for the hint.
_PACKAGES = {"s3": "s3fs", "http": "aiohttp", "https": "aiohttp", "gs": "gcsfs", "az": "adlfs", "sftp": "paramiko"}


class Mirror:
    """One mirror: `<url>/models--org--name/snapshots/<commit>/<file>`; nothing else of the layout need be there."""

    name = "mirror"
    is_patient = False

    def __init__(self, url: str) -> None:
        self.url = url
        self.label = f"mirror {without_password(url)}"

    def prepare(self) -> None:
        self.file_system()

    def fetch(self, wanted: Wanted, receiver: Receiver) -> str:
        path = layout.snapshot_path(wanted.repo_id, wanted.commit, wanted.path)
        at = receiver.size
        with contextlib.closing(self._open(path, receiver.entry.size)) as file:
            try:
                self._copy(file, receiver)
                return self.label
            except SourceError:
                if not at or receiver.size > at:
                    raise
        # Nothing came from the middle on: a server without ranges can still give the whole.
        with contextlib.closing(self._open(path, receiver.entry.size)) as file:
            receiver.start()
            self._copy(file, receiver)
        return self.label

    def _open(self, path: str, size: int) -> Any:
        system, root = self.file_system()
        if self.url.startswith(("http://", "https://")):
            path = quote(path)
        try:
            found = system.open(f"{root}/{path}", "rb", cache_type="none", block_size=_CHUNK)
            known = getattr(found, "size", None)
        except Exception as error:  # each backend has errors of its own
            raise SourceError(f"it did not give the file: {type(error).__name__}: {error}") from error
        if isinstance(known, int) and known > size:
            found.close()
            raise SourceError(f"it says that the file has {known} bytes, which are more than its {size}")
        return found

    def _copy(self, file: Any, receiver: Receiver) -> None:
        at = receiver.begin(self.label)
        try:
            if at:
                file.seek(at)
        except Exception:
            receiver.start()
            receiver.begin(self.label)
            file.seek(0)
        while data := self._read(file):
            receiver.write(data)
        if receiver.size < receiver.entry.size:
            raise SourceError(f"it broke off after {receiver.size} of {receiver.entry.size} bytes")

    @staticmethod
    def _read(file: Any) -> bytes:
        try:
            return bytes(file.read(_CHUNK))
        except Exception as error:
            raise SourceError(f"it broke off: {type(error).__name__}: {error}") from error

    def file_system(self) -> tuple[Any, str]:
        """The fsspec file system and the path below it; SettingsError names what is wrong with the URL."""
        import fsspec

        scheme = self.url.partition("://")[0]
        try:
            system, root = fsspec.core.url_to_fs(self.url)
        except ImportError as error:
            package = _PACKAGES.get(scheme)
            hint = f"pip install {package}" if package else str(error)
            raise SettingsError(f"{self.label} needs a package that is not installed", hint) from error
        except ValueError as error:
            raise SettingsError(
                f"IPFS_ACCELERATE_MIRRORS: {without_password(self.url)!r} cannot be used: {error}",
                "give fsspec URLs such as file:///mnt/models, s3://bucket/models or https://host/models",
            ) from error
        except Exception as error:
            raise SourceError(f"it cannot be opened: {type(error).__name__}: {error}") from error
        return system, root.rstrip("/")
