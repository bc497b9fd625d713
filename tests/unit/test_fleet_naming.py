"""Which names a fleet may have, on the machine that makes it and on those that join it."""

import json
import zlib
from base64 import urlsafe_b64encode

import pytest

from ipfs_accelerate_py.errors import FleetError
from ipfs_accelerate_py.fleet.invitation import PREFIX, Invitation, _digest, read_invitation, write_invitation
from ipfs_accelerate_py.fleet.naming import MOST, check_name, own_name
from ipfs_accelerate_py.fleet.setup import make_fleet

KEY = bytes(range(32))
GOOD = ["lab", "a", "x" * MOST, "our lab", "実験室", "ü-1.local"]
# A byte of the command line that is no UTF-8 becomes half of a surrogate pair; the last two turn a line around.
BAD = ["x" * (MOST + 1), "x" * 5000, "", " ", "a\nb", "a\x00b", "\x1b[2J", "a\tb", "x\udcff", "a\u202eb", "a\u2066b"]


@pytest.mark.parametrize("name", GOOD)
def test_a_name_is_the_same_on_every_machine(name):
    check_name(name)
    assert read_invitation(write_invitation(Invitation(name, KEY, ()))).fleet_name == name


@pytest.mark.parametrize("name", BAD, ids=ascii)
def test_what_is_no_name_makes_no_fleet(tmp_path, name):
    with pytest.raises(FleetError, match="name of a fleet") as caught:
        make_fleet(tmp_path / "store", name, listen="127.0.0.1")
    assert f"1 to {MOST}" in str(caught.value.hint)
    assert len(str(caught.value)) < 200 and str(caught.value).isprintable()
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("name", BAD, ids=ascii)
def test_an_older_machine_with_any_name_can_still_invite(name):
    packed = zlib.compress(json.dumps({"name": name, "key": KEY.hex(), "members": []}).encode())
    line = PREFIX + urlsafe_b64encode(packed + _digest(packed)).decode().rstrip("=")
    check_name(read_invitation(line).fleet_name)


def test_every_name_of_a_machine_is_one(monkeypatch):
    for name in (*GOOD, *BAD):
        monkeypatch.setattr("socket.gethostname", lambda name=name: name)
        check_name(own_name())
