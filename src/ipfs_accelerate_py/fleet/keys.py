"""The swarm key of a fleet: it closes the swarm, and from it the keys of everything else that is for members only.

Format of the file: https://github.com/libp2p/specs/blob/master/pnet/Private-Networks-PSK-V1.md
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

SIZE = 32  # bytes
_FORM = re.compile(rb"\s*/key/swarm/psk/1\.0\.0/\s*/base16/\s*([0-9a-fA-F]{64})\s*")


def make_key() -> bytes:
    """A new swarm key."""
    return secrets.token_bytes(SIZE)


def format_key(key: bytes) -> bytes:
    """A swarm key as Kubo's file `swarm.key` holds it."""
    return b"/key/swarm/psk/1.0.0/\n/base16/\n" + key.hex().encode() + b"\n"


def parse_key(text: bytes) -> bytes:
    """The swarm key in a file `swarm.key`; ValueError where it holds none."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("it is no swarm key in the form /key/swarm/psk/1.0.0/, /base16/, 64 hex digits")
    return bytes.fromhex(match[1].decode())


def derive(key: bytes, purpose: str) -> bytes:
    """A key for one purpose, 32 bytes, which does not tell the swarm key."""
    return hmac.new(key, b"ipfs_accelerate_py " + purpose.encode(), hashlib.sha256).digest()


def fleet_id(key: bytes) -> str:
    """What identifies a fleet in messages, 12 hex digits: no secret."""
    return derive(key, "fleet id").hex()[:12]


def page_token(key: bytes) -> str:
    """What lets a browser of this machine see the page of its agent, 32 hex digits: a secret."""
    return derive(key, "page").hex()[:32]
