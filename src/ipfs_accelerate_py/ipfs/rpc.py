"""The RPC API of an IPFS node: this file and `rpc_errors` alone know `ipfshttpclient`.

Every call has two time limits: to connect (`timeouts.CONNECT_NEAR` on loopback and private networks), and an idle
timeout. Calls beyond what ipfshttpclient 0.7 offers go through its `_request`, as do streamed bytes, because `cat()`
keeps them all in memory and hides a broken stream, and because its default chunk size is slow.
RPC reference: https://docs.ipfs.tech/reference/kubo/rpc/
"""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import SettingsError, SourceDown, SourceError
from ..net import timeouts
from ..net.addresses import is_private_address
from ..session import session
from .address import socket_path
from .rpc_errors import NO_RPC, NodeBreaker, explain

TCP = "/ip4/127.0.0.1/tcp/80"  # the address for a client of a unix socket: it connects to the socket all the same
MAX_ANSWER = 16 << 20  # bytes of one answer that is not a file's
# As in `cid`, and, with the options of `add`, all of it: what is not given follows the node's own `Import.*`.
_RECIPE = {
    "cid-version": "1",
    "hash": "sha2-256",
    "max-file-links": "1024",
    "inline": "false",
    "cid-base": "base32",
    "progress": "false",
}


class _Named(io.BytesIO):
    """Bytes with a name: a node adds what has none, but puts it nowhere."""

    name = "file"


class RPC:
    """The API at a multiaddr. Every method raises SourceError, with a hint, if it fails."""

    def __init__(self, address: str, idle_timeout: float, authorization: str | None = None) -> None:
        self.address = address
        self._authorization = authorization
        self.idle_timeout = idle_timeout
        self._client: Any = None

    def _timeout(self, idle_timeout: float | None = None) -> tuple[float, float]:
        connect = timeouts.CONNECT_NEAR if is_private_address(self.address) else max(self.idle_timeout, 1.0)
        return connect, idle_timeout or self.idle_timeout

    def prepare(self) -> None:
        """Import and open the client; nothing is asked."""
        self._open()

    def _open(self) -> Any:
        if why := session.part(NodeBreaker).why(self.address):
            raise SourceDown(*why)
        if self._client is None:
            try:
                client = _import_client().Client(TCP if socket_path(self.address) else self.address)
            except Exception as error:
                raise SettingsError(
                    f"IPFS_ACCELERATE_NODE={self.address!r} is not the address of an RPC API",
                    "give a multiaddr such as /ip4/127.0.0.1/tcp/5001 or a URL such as http://127.0.0.1:5001",
                ) from error
            # A proxy for the outer world must not stand between us and the node of this machine.
            client._client._session_props["trust_env"] = False
            headers = {"Accept-Encoding": "identity"}
            client._client._session_props["headers"] = headers | (
                {"Authorization": self._authorization} if self._authorization else {}
            )
            client._client._session_props["hooks"] = {"response": [self._refuse_strange]}
            if path := socket_path(self.address):
                from .unix_socket import UnixAdapter

                # the second where a program has imported ipfshttpclient before us, with its own copy of requests
                both = dict.fromkeys(("http://", "http+ip4://"), UnixAdapter(path))
                client._client._session_props["adapters"] = both
            self._client = client
        return self._client

    def ask(self, command: str, *args: str, idle_timeout: float | None = None, **options: Any) -> list[dict[str, Any]]:
        """One RPC call; the JSON objects of the answer."""
        client = self._open()
        wait = self._timeout(idle_timeout)
        opts = {key.replace("_", "-"): str(value).lower() for key, value in options.items()}
        opts.setdefault("timeout", f"{wait[1]:g}s")
        closables: list[Any] = []
        data = bytearray()
        end = time.monotonic() + 2 * (wait[1] + timeouts.NODE_GRACE)  # an answer that drips is never silent
        try:
            closables, chunks = client._client._request(
                "POST",
                command,
                [("stream-channels", "true"), *opts.items(), *(("arg", arg) for arg in args)],
                auth=None,
                data=b"",
                headers=None,
                timeout=(wait[0], wait[1] + timeouts.NODE_GRACE),
                chunk_size=1 << 16,
            )
            for chunk in chunks:
                data += chunk
                if len(data) > MAX_ANSWER or time.monotonic() > end:
                    raise SourceError(f"the node at {self.address} answers {command} without an end")
            return list(_documents(bytes(data)))
        except Exception as error:
            raise self._explain(command, error) from error
        finally:
            for closable in closables:
                closable.close()

    def _refuse_strange(self, response: Any, **_: Any) -> None:
        """SourceError for what no node does: a redirect, or a compressed answer, which may be large when unpacked."""
        if response.is_redirect:
            raise SourceError(f"what listens at {self.address} redirects to another address", NO_RPC)
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise SourceError(f"what listens at {self.address} packs its answers", NO_RPC)
        if not response.ok:  # the client reads the whole of an error
            response._content, response._content_consumed = response.raw.read(1 << 16), True

    def stream(
        self, path: str, offset: int = 0, idle_timeout: float | None = None, *, offline: bool = False
    ) -> Iterator[bytes]:
        """The bytes at an IPFS path from `offset` on, as they come. Short data can look like an end: check the hash.

        `offline`: only what the node has itself.
        """
        options = {"offset": str(offset)} if offset else {}
        options |= {"offline": "true"} if offline else {}
        client = self._open()
        try:
            closables, chunks = client._client._request(
                "POST",
                "cat",
                [("arg", path), ("progress", "false"), *options.items()],
                auth=None,
                data=b"",
                headers=None,
                timeout=self._timeout(idle_timeout),
                chunk_size=1 << 20,
            )
        except Exception as error:
            raise self._explain("cat", error) from error
        try:
            yield from chunks
        except GeneratorExit:
            raise
        except Exception as error:  # requests' and urllib3's errors of a stream that breaks
            raise SourceError(f"the node at {self.address} broke off: {type(error).__name__}") from error
        finally:
            for closable in closables:
                closable.close()

    def add(self, content: Path | bytes, *, nocopy: bool = False, to: str | None = None) -> str:
        """Add a file by the pinned recipe, not pinned; its CID. `to`: the MFS path that becomes it, in the same call.

        Kubo keeps its garbage collector away until that path holds the file (0.43 and newer). It does not report if the
        path could not be made: look whether it is there.
        """
        client = self._open()
        named = _Named(content) if isinstance(content, bytes) else str(content.absolute())
        try:
            answer = client.add(
                named,
                nocopy=nocopy,
                pin=False,
                raw_leaves=True,
                trickle=False,
                chunker="size-1048576",
                opts=_RECIPE | ({} if to is None else {"to-files": to}),
                timeout=self._timeout(timeouts.NODE_ADD),
            )
        except Exception as error:
            raise self._explain("add", error) from error
        return str(answer["Hash"])

    def put_block(self, data: bytes) -> None:
        """Store a raw block."""
        client = self._open()
        try:
            client.block.put(
                io.BytesIO(data),
                opts={"cid-codec": "raw", "mhtype": "sha2-256"},
                timeout=self._timeout(),
            )
        except Exception as error:
            raise self._explain("block/put", error) from error

    def _explain(self, command: str, error: Exception) -> SourceError:
        return explain(error, command, self.address, has_login=self._authorization is not None)


def _import_client() -> Any:
    """Import ipfshttpclient without its own copy of requests, which makes urllib3 2 warn at every call."""
    variable = "PY_IPFS_HTTP_CLIENT_PATCH_REQUESTS"
    ours = variable not in os.environ
    if ours:
        os.environ[variable] = "no"
    try:
        import ipfshttpclient

        return ipfshttpclient
    finally:
        if ours:
            os.environ.pop(variable, None)


def _documents(data: bytes) -> Iterator[dict[str, Any]]:
    """The JSON objects in an answer, which stand one after the other. ValueError, RecursionError."""
    text, at, decoder = data.decode(), 0, json.JSONDecoder()
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        row, at = decoder.raw_decode(text, at)
        if isinstance(row, dict):
            yield row
