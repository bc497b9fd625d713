"""Read a file below an IPFS root from blocks of any source: a block must hash to the CID by which it was asked for.

Formats: https://ipld.io/specs/codecs/dag-pb/spec/ , https://specs.ipfs.tech/unixfs/ , https://github.com/multiformats/cid
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator

from ..errors import SourceError
from .cid import to_text

MAX_BLOCK = 2 << 20  # bytes: what bitswap carries at most
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_RAW, _DAG_PB = 0x55, 0x70
_SHA256, _IDENTITY = 0x12, 0x00
_FOLDER, _FILE, _RAW_FILE = 1, 2, 0
_DEPTH = 8
_BLOCKS = 10_000  # that a file may have: links to empty blocks add up to no bytes, and could go on for ever


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned varint at a place, and the place behind it; ValueError if it is none."""
    value = shift = 0
    while shift < 63:
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("a number is cut off or too long")


def read_fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protobuf message, as (number, value); ValueError for what is none."""
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        if tag & 7 == 0:
            value, at = read_varint(data, at)
            yield tag >> 3, value
        elif tag & 7 == 2:
            length, at = read_varint(data, at)
            if at + length > len(data):
                raise ValueError("a field is cut off")
            yield tag >> 3, data[at : at + length]
            at += length
        else:
            raise ValueError(f"a field of wire type {tag & 7}")


def decode_base(text: str, alphabet: str) -> bytes:
    """Big-endian base58 or base36; ValueError for other characters."""
    number = 0
    for char in text:
        number = number * len(alphabet) + alphabet.index(char)
    zeros = len(text) - len(text.lstrip(alphabet[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def decode_cid(text: str) -> tuple[int, int, bytes]:
    """The codec, the hash function's code and the digest of a CID in base32, base36 or base58; ValueError."""
    if len(text) > 120:
        raise ValueError("this is too long for a CID")
    if text.startswith("Qm") and len(text) == 46:
        return _DAG_PB, *_multihash(decode_base(text, _BASE58), 0)
    if text[:1] == "b":
        raw = base64.b32decode(text[1:].upper() + "=" * (-len(text[1:]) % 8))
    elif text[:1] == "k":
        raw = decode_base(text[1:], _BASE36)
    elif text[:1] == "z":
        raw = decode_base(text[1:], _BASE58)
    else:
        raise ValueError(f"{text!r} is no CID")
    return _binary_cid(raw)


def decode_peer_id(text: str) -> tuple[int, bytes]:
    """The hash function's code and the digest of a peer id or an IPNS name in text; ValueError."""
    if text.startswith(("12D3", "Qm", "16Uiu")):
        return _multihash(decode_base(text, _BASE58), 0)
    codec, code, digest = decode_cid(text)
    if codec != 0x72:
        raise ValueError(f"{text!r} is no IPNS name")
    return code, digest


def _binary_cid(raw: bytes) -> tuple[int, int, bytes]:
    if len(raw) == 34 and raw[:2] == b"\x12\x20":
        return _DAG_PB, _SHA256, raw[2:]
    version, at = read_varint(raw, 0)
    codec, at = read_varint(raw, at)
    if version != 1:
        raise ValueError(f"a CID of version {version}")
    return codec, *_multihash(raw, at)


def _multihash(raw: bytes, at: int) -> tuple[int, bytes]:
    code, at = read_varint(raw, at)
    length, at = read_varint(raw, at)
    if len(raw) - at != length or length > 128:
        raise ValueError("a digest of the wrong length")
    return code, raw[at:]


class BlockReader:
    """Reads files below a root. `get` brings the block of a CID (given as bytes in base32); blocks are not trusted."""

    def __init__(self, get: Callable[[str], bytes]) -> None:
        self._get = get
        self._left = _BLOCKS

    def read(self, root: str, path: str, limit: int) -> bytes:
        """The bytes of the file at a path below a root CID, at most `limit`; SourceError if that cannot be."""
        self._left = _BLOCKS
        try:
            cid = decode_cid(root)
            for part in path.split("/"):
                cid = self._child(cid, part)
            return self._file(cid, limit, _DEPTH)
        except ValueError as error:
            raise SourceError(f"{path} cannot be read: {error}") from error

    def _block(self, cid: tuple[int, int, bytes]) -> bytes:
        codec, code, digest = cid
        self._left -= 1
        if self._left < 0:
            raise SourceError("it is in too many blocks")
        if code == _IDENTITY:
            return digest
        if code != _SHA256 or len(digest) != 32 or codec not in (_RAW, _DAG_PB):
            raise ValueError(f"a block of codec {codec:#x} with hash {code:#x}")
        raw = bytes((1, codec, _SHA256, 32)) + digest
        data = self._get(to_text(raw))
        if hashlib.sha256(data).digest() != digest:
            raise SourceError("a block does not match its CID")
        return data

    def _node(self, cid: tuple[int, int, bytes]) -> tuple[list[tuple[str, bytes]], bytes]:
        links, data = [], b""
        for number, value in read_fields(self._block(cid)):
            if number == 1 and isinstance(value, bytes):
                data = value
            elif number == 2 and isinstance(value, bytes):
                fields = dict(read_fields(value))
                target, name = fields.get(1), fields.get(2, b"")
                if not isinstance(target, bytes) or not isinstance(name, bytes):
                    raise ValueError("a link that is none")
                links.append((name.decode("utf-8"), target))
        return links, data

    def _child(self, cid: tuple[int, int, bytes], name: str) -> tuple[int, int, bytes]:
        links, data = self._node(cid) if cid[0] == _DAG_PB else ([], b"")
        if dict(read_fields(data)).get(1) != _FOLDER:
            raise ValueError("a part of the path is no plain folder")
        for each, target in links:
            if each == name:
                return _binary_cid(target)
        raise SourceError(f"there is no {name!r}")

    def _file(self, cid: tuple[int, int, bytes], limit: int, depth: int) -> bytes:
        if cid[0] == _RAW:
            found = self._block(cid)
        else:
            links, data = self._node(cid)
            fields = dict(read_fields(data))
            if fields.get(1) not in (_FILE, _RAW_FILE) or not depth:
                raise ValueError("it is no file")
            inline = fields.get(2, b"")
            found = inline if isinstance(inline, bytes) else b""
            for _, target in links:
                if len(found) > limit:
                    break
                found += self._file(_binary_cid(target), limit - len(found), depth - 1)
        if len(found) > limit:
            raise SourceError(f"it is larger than {limit} bytes")
        return found
