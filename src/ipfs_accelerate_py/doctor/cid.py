"""CIDs of small raw blocks (https://github.com/multiformats/cid)."""

from __future__ import annotations

import base64
import hashlib


def raw_cid(data: bytes) -> str:
    """CIDv1 of a raw block: by it a node finds who has the block."""
    return _text(b"\x01\x55\x12\x20" + hashlib.sha256(data).digest())


def identity_cid(data: bytes) -> str:
    """CIDv1 that carries the bytes in itself: whoever answers needs no peer."""
    return _text(b"\x01\x55\x00" + bytes([len(data)]) + data)


def _text(cid: bytes) -> str:
    return "b" + base64.b32encode(cid).decode().lower().rstrip("=")
