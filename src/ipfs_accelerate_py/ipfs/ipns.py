"""What an IPNS name points to, by a signed record, whatever source brings it.

Only the second signature counts, which covers all that is used. Format: https://specs.ipfs.tech/ipns/ipns-record/
"""

from __future__ import annotations

from datetime import datetime, timezone

from ..errors import SettingsError, SourceError
from .unixfs import decode_peer_id, read_fields

MAX_BYTES = 10 << 10  # what the format allows
_ED25519 = 1


def read_record(name: str, raw: bytes, now: datetime) -> tuple[str, int]:
    """The `/ipfs/<cid>` of a record and its sequence number; SourceError unless `name` itself has signed it.

    SettingsError where the package that checks signatures is missing.
    """
    try:
        key = public_key(name)
        fields = dict(read_fields(raw)) if len(raw) <= MAX_BYTES else {}
        signature, data = fields.get(8), fields.get(9)
        if not isinstance(signature, bytes) or not isinstance(data, bytes):
            raise ValueError("it has no signature of version 2")
        _check(key, signature, b"ipns-signature:" + data)
        entries = _read_map(data)
        until = _text(entries.get("Validity")).rstrip("Z").partition(".")[0]
        if datetime.fromisoformat(until).replace(tzinfo=timezone.utc) < now:
            raise ValueError("it is no longer valid")
        value, sequence = _text(entries.get("Value")), entries.get("Sequence", 0)
        if not value.startswith("/ipfs/") or not isinstance(sequence, int):
            raise ValueError(f"it points to {value[:60]!r}")
        return value, sequence
    except (ValueError, TypeError) as error:
        raise SourceError(f"the record of {name} cannot be used: {error}") from error


def public_key(name: str) -> bytes:
    """The Ed25519 key that a peer id or IPNS name holds; ValueError for names that hold none."""
    code, digest = decode_peer_id(name)
    fields = dict(read_fields(digest)) if code == 0 else {}
    key = fields.get(2)
    if fields.get(1) != _ED25519 or not isinstance(key, bytes) or len(key) != 32:
        raise ValueError("its name holds no Ed25519 key")
    return key


def _check(key: bytes, signature: bytes, message: bytes) -> None:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError as error:
        raise SettingsError(
            "publishers can be asked through gateways only where their signatures can be checked",
            "pip install cryptography, or run an IPFS node on this machine",
        ) from error
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        raise ValueError("its signature is wrong") from None


def _text(value: object) -> str:
    if not isinstance(value, bytes):
        raise ValueError("a value of another kind than the format has")
    return value.decode("ascii")


def _read_map(data: bytes) -> dict[str, int | bytes]:
    """A flat DAG-CBOR map of text to numbers and bytes, which is all that a record has; ValueError."""
    kind, count, at = _head(data, 0)
    if kind != 5 or count > 32:
        raise ValueError("its data are no map")
    found: dict[str, int | bytes] = {}
    for _ in range(count):
        kind, size, at = _head(data, at)
        if kind != 3 or at + size > len(data):
            raise ValueError("a key is no text")
        key, at = data[at : at + size].decode("utf-8"), at + size
        kind, number, at = _head(data, at)
        if kind == 0:
            found[key] = number
        elif kind == 2 and at + number <= len(data):
            found[key], at = data[at : at + number], at + number
        else:
            raise ValueError(f"the value of {key!r} is of another kind than the format has")
    return found


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """The major type and the number of a CBOR item, and the place behind them (RFC 8949, section 3)."""
    if at >= len(data):
        raise ValueError("its data are cut off")
    kind, low = data[at] >> 5, data[at] & 31
    if low < 24:
        return kind, low, at + 1
    width = {24: 1, 25: 2, 26: 4, 27: 8}.get(low)
    if width is None or at + 1 + width > len(data):
        raise ValueError("its data are cut off")
    return kind, int.from_bytes(data[at + 1 : at + 1 + width], "big"), at + 1 + width
