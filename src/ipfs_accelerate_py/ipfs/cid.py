"""The CID of a file by the pinned recipe: CIDv1, sha2-256, raw leaves of 1 MiB, 1024 links a node, balanced.

This is what `ipfs add --cid-version=1 --raw-leaves --chunker=size-1048576 --max-file-links=1024` gives
(`unixfs-v1-2025`, https://specs.ipfs.tech/ipips/ipip-0499/), computed without a node.
Formats: https://ipld.io/specs/codecs/dag-pb/spec/ and https://specs.ipfs.tech/unixfs/
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

LEAF = 1 << 20
LINKS = 1024
_RAW, _DAG_PB = 0x55, 0x70


def to_text(cid: bytes) -> str:
    """A CID of version 1 in base32: https://github.com/multiformats/cid#how-does-it-work."""
    return "b" + base64.b32encode(cid).decode().lower().rstrip("=")


def raw_cid(content: bytes) -> str:
    """The CID of a small raw block by its sha2-256."""
    return to_text(b"\x01\x55\x12\x20" + hashlib.sha256(content).digest())


def identity_cid(content: bytes) -> str:
    """The CID that carries a block of at most 127 bytes in itself: no peer is needed to resolve it."""
    return to_text(b"\x01\x55\x00" + bytes([len(content)]) + content)


@dataclass(frozen=True)
class _Block:
    """A block: its CID, the bytes of the file below it, and the bytes of all blocks below and with it."""

    cid: bytes
    size: int
    total: int


class CIDHash:
    """Takes the bytes of one file in order; `text` gives its CID in base32."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._levels: list[list[_Block]] = [[]]

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        self._pending += data
        while len(self._pending) >= LEAF:
            self._add_leaf(bytes(self._pending[:LEAF]))
            del self._pending[:LEAF]

    def text(self) -> str:
        """The CID of all bytes so far; nothing can be added afterwards."""
        if self._pending or not any(self._levels):
            self._add_leaf(bytes(self._pending))
            self._pending.clear()
        blocks: list[_Block] = []
        for level in self._levels:
            blocks = [*level, *blocks] if not blocks else [*level, _node(blocks)]
        while len(blocks) > 1:
            blocks = [_node(blocks[start : start + LINKS]) for start in range(0, len(blocks), LINKS)]
        return to_text(blocks[0].cid)

    def _add_leaf(self, data: bytes) -> None:
        block = _Block(_cid(_RAW, data), len(data), len(data))
        for level in self._levels:
            if len(level) < LINKS:
                level.append(block)
                return
            full = _node(level)
            level[:] = [block]
            block = full
        self._levels.append([block])


def cid_of(data: bytes) -> str:
    """The CID of a file with this content."""
    found = CIDHash()
    found.update(data)
    return found.text()


def _node(blocks: list[_Block]) -> _Block:
    size = sum(block.size for block in blocks)
    links = b"".join(
        _bytes_field(2, _bytes_field(1, block.cid) + _bytes_field(2, b"") + _number_field(3, block.total))
        for block in blocks
    )
    file = _number_field(1, 2) + _number_field(3, size) + b"".join(_number_field(4, block.size) for block in blocks)
    data = links + _bytes_field(1, file)
    return _Block(_cid(_DAG_PB, data), size, len(data) + sum(block.total for block in blocks))


def _cid(codec: int, data: bytes) -> bytes:
    return bytes((1, codec, 0x12, 0x20)) + hashlib.sha256(data).digest()


def _bytes_field(number: int, data: bytes) -> bytes:
    return bytes((number << 3 | 2,)) + _varint(len(data)) + data


def _number_field(number: int, value: int) -> bytes:
    return bytes((number << 3,)) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))
