"""HTTP over a unix socket, for `requests`: ipfshttpclient's own way warns at every call with urllib3 2."""

from __future__ import annotations

import socket
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError


class _Connection(HTTPConnection):
    def __init__(self, path: str, **options: Any) -> None:
        super().__init__("localhost", **options)
        self._path = path

    def _new_conn(self) -> socket.socket:
        found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            found.settimeout(self.timeout if isinstance(self.timeout, int | float) else None)
            found.connect(self._path)
        except TimeoutError as error:
            found.close()
            raise ConnectTimeoutError(self, f"{self._path} does not answer") from error
        except OSError as error:
            found.close()
            raise NewConnectionError(self, f"{self._path}: {error}") from error
        return found


class _Pool(HTTPConnectionPool):
    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def _new_conn(self) -> Any:
        return _Connection(self._path, timeout=self.timeout.connect_timeout)


class UnixAdapter(HTTPAdapter):
    """Sends every request to the socket at a path, whatever host its URL names."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        return _Pool(self._path)

    get_connection = get_connection_with_tls_context  # its name before requests 2.32
