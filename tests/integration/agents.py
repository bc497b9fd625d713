"""What the tests of agents share: repos in a store, requests as they are on the wire, and where a client puts bytes."""

from __future__ import annotations

import contextlib
import hashlib
import random
import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

from ipfs_accelerate_py.fleet.client import blob_target
from ipfs_accelerate_py.fleet.signing import Signer
from ipfs_accelerate_py.store import layout
from ipfs_accelerate_py.store.entry import Entry
from ipfs_accelerate_py.store.store import Store
from ipfs_accelerate_py.store.visibility import remember_access
from tests.support.agent import KEY, peer_id

OPEN, CLOSED, UNKNOWN = "org/open", "org/closed", "org/unknown"
CONTENT = random.Random(14).randbytes(3_000_017)  # the same in each worker, whose tests are named by its hash


def entry_of(content: bytes) -> Entry:
    return Entry(len(content), "e" * 40, hashlib.sha256(content).hexdigest())


ENTRY = entry_of(CONTENT)


def folder_of(repo_id: str) -> str:
    return layout.repo_folder(repo_id)


def blob(store: Store, repo_id: str = OPEN, etag: str = ENTRY.etag) -> Path:
    return store.path(layout.blob_path(repo_id, etag))


def fill(store: Store) -> None:
    """The same file in a repo that is proven public, in one that is known not to be, and in one that is unknown."""
    for repo_id in (OPEN, CLOSED, UNKNOWN):
        with store.receive(repo_id, ENTRY) as writer:
            writer.write(CONTENT)
            writer.finish(blob(store, repo_id))
    remember_access(store, OPEN, True)
    remember_access(store, CLOSED, False)


def target(repo_id: str = OPEN, etag: str = ENTRY.etag, size: int = ENTRY.size) -> str:
    return blob_target(folder_of(repo_id), etag, size)


def signed(
    method: str, path: str, body: bytes = b"", headers: str = "", key: bytes = KEY, offset: float = 0.0
) -> bytes:
    """A request of a member as it is on the wire; no client has changed its path."""
    signature = Signer(key, peer_id(2)).sign(method, path, body, offset)
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {signature}\r\n{length}{headers}"
    return head.encode() + b"Connection: close\r\n\r\n" + body


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), 10)


def send(url: str, request: bytes) -> bytes:
    """All that comes back until the end of the connection."""
    answer = bytearray()
    with connect(url) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it is not read to its end
            connection.sendall(request)
        with contextlib.suppress(ConnectionResetError):
            while data := connection.recv(1 << 20):
                answer += data
    return bytes(answer)


def status_of(answer: bytes) -> int:
    match = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    return int(match[1]) if match else 0


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def get(agent, path, headers=""):
    return send(agent.url, signed("GET", path, headers=headers))


def header(answer, name):
    head = answer.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    return next((line.partition(": ")[2] for line in head if line.lower().startswith(f"{name.lower()}:")), None)


class Taken:
    """Takes bytes as they come."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray(data)

    @property
    def size(self) -> int:
        return len(self.data)

    def begin(self, giver: str) -> int:
        return self.size

    def start(self) -> None:
        self.data.clear()

    def write(self, data: bytes) -> None:
        self.data += data
