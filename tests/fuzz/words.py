"""Targets of what gateways bring of a publisher's tree: signed records and blocks."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timezone
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ipfs_accelerate_py.errors import SourceError
from ipfs_accelerate_py.ipfs import ipns
from ipfs_accelerate_py.ipfs.unixfs import BlockReader

from .target import Target

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
LIMIT = 100_000


def varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def item(kind: int, value: bytes) -> bytes:
    """A CBOR text (3) or bytes (2)."""
    return bytes([kind << 5 | 24, len(value)]) + value


class RecordTarget(Target):
    """Records, half of them signed by the name itself after they were changed: a signature does not make them good."""

    name, allowed, share = "signed records", (SourceError,), 1.0

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.key = Ed25519PrivateKey.generate()
        public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        raw = b"\0" + varint(36) + field(1, 1) + field(2, public)
        number, self.peer = int.from_bytes(raw, "big"), ""
        while number:
            number, digit = divmod(number, 58)
            self.peer = BASE58[digit] + self.peer
        self.peer = "1" + self.peer
        pairs = {"Value": b"/ipfs/bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"}
        pairs |= {"Validity": b"2126-01-01T00:00:00.000000000Z"}
        data = b"\xa4" + b"".join(item(3, name.encode()) + item(2, value) for name, value in pairs.items())
        data += item(3, b"Sequence") + b"\x05" + item(3, b"TTL") + b"\x1b" + (5 * 10**9).to_bytes(8, "big")
        self.seeds = (data, self._sign(data))

    def _sign(self, data: bytes) -> bytes:
        return field(8, self.key.sign(b"ipns-signature:" + data)) + field(9, data)

    def run(self, data: bytes) -> bool:
        signed = self._sign(data) if data[:1] == b"\xa4" else data
        value, sequence = ipns.read_record(self.peer, signed, NOW)
        assert value.startswith("/ipfs/") and isinstance(sequence, int)
        return True


class BlockTarget(Target):
    """A folder's and a file's blocks; the CIDs that ask for them are those of the changed ones."""

    name, allowed, share = "blocks", (SourceError,), 1.0

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.blocks: dict[bytes, bytes] = {}
        leaf, small = self._cid(0x55, b"words" * 100), self._cid(0x55, b"")
        file = field(2, field(1, leaf) + field(2, b"") + field(3, 500)) * 2 + field(1, field(1, 2) + field(3, 1000))
        inline = field(1, field(1, 2) + field(2, b"inline") + field(3, 6))
        wide = field(2, field(1, small)) * 300 + field(1, field(1, 2))
        rows = field(2, field(1, self._cid(0x70, file)) + field(2, b"refs") + field(3, 1100))
        self.seeds = (rows + field(1, field(1, 1)), file, inline, wide)

    def _cid(self, codec: int, data: bytes) -> bytes:
        digest = hashlib.sha256(data).digest()
        self.blocks[digest] = data
        return bytes((1, codec, 0x12, 32)) + digest

    def run(self, data: bytes) -> bool:
        digest = hashlib.sha256(data).digest()
        blocks = {**self.blocks, digest: data}

        def get(cid: str) -> bytes:
            raw = base64.b32decode(cid[1:].upper() + "=" * (-len(cid[1:]) % 8))
            if raw[4:] not in blocks:
                raise SourceError("there is no such block")
            return blocks[raw[4:]]

        # a folder in which the changed block is a file, and one that is the changed block
        outer = field(2, field(1, bytes((1, 0x70, 0x12, 32)) + digest) + field(2, b"refs")) + field(1, field(1, 1))
        root = data if self.mutator.random.random() < 0.3 else outer
        blocks[hashlib.sha256(root).digest()] = root
        found = BlockReader(get).read(self._text(0x70, root), "refs", LIMIT)
        assert len(found) <= LIMIT
        return True

    def _text(self, codec: int, data: bytes) -> str:
        raw = bytes((1, codec, 0x12, 32)) + hashlib.sha256(data).digest()
        return "b" + base64.b32encode(raw).decode().lower().rstrip("=")
