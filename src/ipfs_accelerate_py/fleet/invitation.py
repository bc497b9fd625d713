"""The invitation to a fleet: one line of text with the swarm key and the addresses of members. It is a secret.

`ipfs-fleet1:` and, in base64url without padding, a JSON object packed by zlib, then the first 6 bytes of its SHA-256.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from dataclasses import dataclass, field

from ..errors import FleetError
from . import keys
from .members import Member, check_url, say
from .naming import MOST

PREFIX = "ipfs-fleet1:"
_ANY_PREFIX = re.compile(r"ipfs-fleet([0-9]+):")
_CHECK = 6  # bytes
_LIMIT = 1 << 16  # bytes, unpacked
_CONTACTS = 16
_AGAIN = "copy the whole line that 'fleet invite' prints, on a machine that is in the fleet"


@dataclass(frozen=True)
class Invitation:
    """What a machine needs to join: the fleet's name, its swarm key, and some members with their addresses.

    `contacts`: URLs at which some member's agent answers, whichever it is.
    """

    name: str
    key: bytes = field(repr=False)
    members: tuple[Member, ...]
    trust: str = "hub"
    contacts: tuple[str, ...] = ()

    @property
    def fleet_name(self) -> str:
        """What the fleet is called on the machine that joins; an older machine may have given it no name."""
        return self.name if self.name.strip() else keys.fleet_id(self.key)


def write_invitation(invitation: Invitation) -> str:
    """The invitation as one line."""
    document = {
        "name": invitation.name,
        "key": invitation.key.hex(),
        "trust": invitation.trust,
        "members": [member.to_dict() for member in invitation.members],
        **({"contacts": list(invitation.contacts)} if invitation.contacts else {}),
    }
    packed = zlib.compress(json.dumps(document, separators=(",", ":")).encode(), 9)
    return PREFIX + base64.urlsafe_b64encode(packed + _digest(packed)).decode().rstrip("=")


def read_invitation(text: str) -> Invitation:
    """The invitation in a text; white space in it, as mail programs put it there, is left out. FleetError."""
    line = re.sub(r"\s+", "", text).strip("'\"<>`")
    match = _ANY_PREFIX.match(line)
    if match is None:
        raise FleetError(f"this is no invitation to a fleet: it does not begin with {PREFIX}", _AGAIN)
    if match[0] != PREFIX:
        raise FleetError(
            f"this invitation is of version {match[1]}, and this program reads version 1",
            "install the version of ipfs_accelerate_py that the machine has which made it",
        )
    try:
        body = line[len(PREFIX) :]
        data = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise FleetError("this invitation is not whole, or has a character in it that none has", _AGAIN) from None
    packed, check = data[:-_CHECK], data[-_CHECK:]
    if _digest(packed) != check:
        raise FleetError("this invitation is not whole, or was changed: its check sum is wrong", _AGAIN)
    try:
        unpacking = zlib.decompressobj()
        document = json.loads(unpacking.decompress(packed, _LIMIT))
        key = bytes.fromhex(document["key"])
        if len(key) != keys.SIZE:
            raise ValueError("the key is of a wrong size")
        members = tuple(Member.from_dict(row) for row in document["members"])
        contacts = tuple(check_url(url) for url in list(document.get("contacts", ()))[:_CONTACTS])
        return Invitation(say(document["name"], MOST), key, members, str(document.get("trust", "hub")), contacts)
    except (ValueError, KeyError, TypeError, zlib.error, RecursionError) as error:
        raise FleetError(f"this invitation cannot be read: {error}", _AGAIN) from error


def _digest(packed: bytes) -> bytes:
    return hashlib.sha256(packed).digest()[:_CHECK]
