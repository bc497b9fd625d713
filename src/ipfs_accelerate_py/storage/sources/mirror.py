"""Mirrors: folders in our layout behind any fsspec URL (`file://`, `s3://`, `https://`). Bytes only, never words.

https://filesystem-spec.readthedocs.io/en/latest/ . Which package a scheme needs is in fsspec's own table of hints.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ...errors import SettingsError, SourceDown, SourceError
from ...setting_forms import without_password
from .. import layout
from ..receiver import Receiver
from . import Wanted

_CHUNK = 4 << 20
# What a scheme needs besides fsspec, for the hint.
_PACKAGES = {"s3": "s3fs", "http": "aiohttp", "https": "aiohttp", "gs": "gcsfs", "az": "adlfs", "sftp": "paramiko"}
# How the backends' clients name "nobody answered", besides the built-in ConnectionError and TimeoutError:
# aiohttp (http, gs), botocore (s3), azure-core (az).
_NOBODY = {"ClientConnectionError", "HTTPClientError", "ServiceRequestError", "gaierror"}
# What is said about the mirror as a whole: by a web server, and by S3
# (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
_OUT_OF_ORDER = {429, 502, 503}
_NO_USE = {"NoSuchBucket", "SlowDown"}


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
            if (down := _why_down(error)) is not None:
                raise SourceDown(down) from error
            if self.url.startswith(("file://", "local://")) and not Path(root).is_dir():
                raise SourceDown(f"there is no folder {root}", "see whether the disk is mounted") from error
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


def _why_down(error: BaseException) -> str | None:
    """What shows that nobody is there at all; None where it is about this file alone.

    fsspec says FileNotFoundError for most failures: what the client had met is behind it.
    """
    for each in _causes(error):
        names = {kind.__name__ for kind in type(each).__mro__}
        if isinstance(each, ConnectionError | TimeoutError) or names & _NOBODY:
            return f"it does not answer: {type(each).__name__}"
        if (status := getattr(each, "status", None)) in _OUT_OF_ORDER:
            return f"it answered {status}"
        response = getattr(each, "response", None)
        if isinstance(response, dict) and (code := response.get("Error", {}).get("Code")) in _NO_USE:
            return f"it answered {code}"
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
