"""An invitation is read as it was written, or refused with what to do; nothing else comes of any text."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accelerate_py.errors import FleetError
from ipfs_accelerate_py.fleet import keys
from ipfs_accelerate_py.fleet.invitation import PREFIX, Invitation, read_invitation, write_invitation
from ipfs_accelerate_py.fleet.members import Member

PEER = "12D3KooW" + "A" * 44
SWARM = f"/ip4/10.0.0.1/tcp/4611/p2p/{PEER}"
MEMBER = Member(PEER, "first", "http://10.0.0.1:4612", (SWARM,), "1.0")
INVITATION = Invitation("lab", bytes(range(32)), (MEMBER,), "hub")
LINE = write_invitation(INVITATION)

PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=64)
BASE58 = st.text("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", min_size=40, max_size=70)
MEMBERS = st.builds(
    Member,
    BASE58,
    PRINTABLE,
    st.sampled_from(["", "http://10.0.0.1:4612", "http://[fd00::1]:1", "http://host.example:65535"]),
    st.lists(st.text(max_size=300), max_size=16).map(tuple),
    PRINTABLE.map(lambda text: text[:32]),
)
INVITATIONS = st.builds(
    Invitation,
    PRINTABLE,
    st.binary(min_size=32, max_size=32),
    st.lists(MEMBERS, max_size=8).map(tuple),
    st.sampled_from(["hub", "members"]),
)


def told(invitation):
    """What it says, without the moment at which its members were seen."""
    rows = [(row.peer, row.name, row.agent, row.swarm, row.version) for row in invitation.members]
    return invitation.name, invitation.key, invitation.trust, rows


@given(INVITATIONS)
def test_it_is_read_as_it_was_written(invitation):
    line = write_invitation(invitation)
    assert line.isascii() and line.isprintable() and " " not in line
    assert told(read_invitation(line)) == told(invitation)


@pytest.mark.parametrize("around", ["{}", "  {}\n", "'{}'", '"{}"', "<{}>", "`{}`", "\n\n{}\r\n\t"])
def test_as_people_pass_it_on(around):
    wrapped = "\n> ".join([LINE]) if around == "{}" else LINE
    assert told(read_invitation(around.format(wrapped))) == told(INVITATION)
    lines = "\r\n  ".join(LINE[at : at + 40] for at in range(0, len(LINE), 40))
    assert told(read_invitation(around.format(lines))) == told(INVITATION)


@given(st.data())
def test_no_character_of_it_can_be_another(data):
    at = data.draw(st.integers(0, len(LINE) - 1))
    char = data.draw(st.characters().filter(lambda char: char != LINE[at]))
    with contextlib.suppress(FleetError):  # or the last digit of base64 has bits that mean nothing
        assert told(read_invitation(LINE[:at] + char + LINE[at + 1 :])) == told(INVITATION)


@given(st.integers(0, len(LINE) - 1))
def test_cut_off_it_is_not_whole(length):
    with pytest.raises(FleetError):
        read_invitation(LINE[:length])


@given(st.text() | st.text().map(lambda text: PREFIX + text))
def test_any_text_is_refused_with_what_to_do(text):
    with pytest.raises(FleetError) as caught:
        read_invitation(text)
    assert caught.value.hint and caught.value.__class__ is FleetError


def forged(packed):
    """A line whose check sum is right."""
    data = packed + hashlib.sha256(packed).digest()[:6]
    return PREFIX + base64.urlsafe_b64encode(data).decode().rstrip("=")


def document(**changes):
    row = MEMBER.to_dict()
    whole = {"name": "lab", "key": "00" * 32, "trust": "hub", "members": [row], **changes}
    return {name: value for name, value in whole.items() if value is not ...}


def pack(found):
    return zlib.compress(json.dumps(found).encode())


FORGED = {
    "nothing": b"",
    "no zlib": b"{}",
    "half of it": pack(document())[:-20],
    "no JSON": zlib.compress(b"{"),
    "no text": zlib.compress(b"\xff\xfe"),
    "a bomb": zlib.compress(b"[" * (64 << 20)),
    "a bomb of spaces": zlib.compress(json.dumps(document()).encode() + b" " * (64 << 20)),
    "nested": zlib.compress(b"[" * 60_000),
    "a list": pack([]),
    "a number": pack(5),
    "null": pack(None),
    "no key": pack(document(key=...)),
    "a short key": pack(document(key="00" * 31)),
    "a long key": pack(document(key="00" * 33)),
    "no hex": pack(document(key="zz" * 32)),
    "a key that is a number": pack(document(key=5)),
    "no name": pack(document(name=...)),
    "no members": pack(document(members=...)),
    "members: null": pack(document(members=None)),
    "members: a text": pack(document(members="abc")),
    "a member: a list": pack(document(members=[[]])),
    "a member without a peer": pack(document(members=[{"agent": ""}])),
    "a member with another URL": pack(document(members=[{**MEMBER.to_dict(), "agent": "file:///etc/passwd"}])),
    "an age that is none": pack(document(members=[{**MEMBER.to_dict(), "age": 10**400}])),
}


@pytest.mark.parametrize("name", FORGED)
def test_what_is_in_it_is_not_believed(name):
    if name == "a bomb of spaces":  # what is read of it is whole
        assert read_invitation(forged(FORGED[name])).name == "lab"
        return
    with pytest.raises(FleetError) as caught:
        read_invitation(forged(FORGED[name]))
    assert caught.value.hint


def test_of_a_later_version_it_says_so():
    with pytest.raises(FleetError, match="version 2"):
        read_invitation(LINE.replace("fleet1:", "fleet2:"))


def test_no_order_for_a_terminal_is_in_its_names():
    row = {**MEMBER.to_dict(), "name": "a\x1b[31mb\u202e\n"}
    found = read_invitation(forged(pack(document(name="l\x1b]0;x\x07ab", members=[row]))))
    assert found.name.isprintable() and found.members[0].name.isprintable()


def test_its_key_is_not_shown():
    assert INVITATION.key.hex() not in repr(INVITATION) and str(INVITATION.key) not in repr(INVITATION)


@given(st.binary(min_size=32, max_size=32))
def test_a_swarm_key_is_read_as_kubo_writes_it(key):
    text = keys.format_key(key)
    assert keys.parse_key(text) == keys.parse_key(text.replace(b"\n", b"\r\n")) == keys.parse_key(text.strip()) == key
    assert keys.fleet_id(key) not in key.hex()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff" * 100,
        b"00" * 32,
        keys.format_key(bytes(32))[:-10],
        keys.format_key(bytes(32)) + b"00",
        keys.format_key(bytes(33)),
    ],
)
def test_what_is_no_swarm_key(text):
    with pytest.raises(ValueError, match="swarm key"):
        keys.parse_key(text)
