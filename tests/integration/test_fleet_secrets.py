"""Invitations that come by file or variable, as a container gets them: they do not show, and can be said again."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ipfs_accelerate_py.fleet import keys
from ipfs_accelerate_py.fleet.invitation import Invitation, read_invitation, write_invitation
from tests.support.fleet import modes, move_to_another_address

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("way", ["file", "standard input", "argument"])
def test_the_invitation_does_not_show(machine, way):
    """`--write` prints nothing of it, and its file is for its owner alone; join takes it from there."""
    a, b = machine("a"), machine("b")
    path = a.home / "invitation"
    path.write_text("of another fleet")
    path.chmod(0o644)
    done = a.hook("fleet", "init", "lab", "--no-start", "--write", str(path), *a.places())
    assert done.returncode == 0 and str(path) in done.stdout and "ipfs-fleet1" not in done.stdout + done.stderr
    assert modes(a.home)["invitation"] == 0o600
    text = path.read_text()
    assert read_invitation(text).name == "lab"
    shown = a.fleet("invite", "--write", str(path))
    assert shown == {"invitation": None, "written": str(path)} and modes(a.home)["invitation"] == 0o600
    if way == "standard input":
        words = [sys.executable, "-m", "ipfs_accelerate_py.hook", "fleet", "join", "-", "--no-start", *b.places()]
        subprocess.run(words, input=text, env=b.environment, cwd=b.home, check=True, capture_output=True, text=True)
    else:
        b.fleet("join", f"@{path}" if way == "file" else text, "--no-start", *b.places())
    assert b.folder.read().key == a.folder.read().key


def test_init_can_be_said_again(machine):
    """With its name, by a container with the same volume; what would change the fleet is refused."""
    a = machine("a")
    made = a.init("lab", "--no-start")
    again = a.init("lab", "--no-start")
    assert (made["made"], again["made"]) == (True, False)
    assert read_invitation(made["invitation"]).key == read_invitation(again["invitation"]).key
    move_to_another_address(a)
    assert a.address in a.init("lab", "--no-start")["url"]
    for words, message in (
        (["lab", "--trust", "members"], "whose trust is 'hub'"),
        (["other"], "in the fleet 'lab' already"),
        ([], "in the fleet 'lab' already"),
    ):
        assert message in a.fleet("init", *words, "--no-start", *a.places(), code=1)
    assert a.folder.read().key == read_invitation(made["invitation"]).key
    a.fleet("start")
    move_to_another_address(a)
    assert "runs at another address" in a.fleet("init", "lab", *a.places(), code=1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["join", "@/no/such/file"], "cannot be read"),
        (["init", "--no-start", "--address", ":80"], "is no NAME"),
        (["init", "--no-start", "--address", "a:b"], "is no NAME"),
        (["init", "--no-start", "--address", "a b"], "is no host name"),
        (["init", "--no-start", "--announce", "http://a"], "is no host name"),
    ],
)
def test_bad_words_change_nothing(machine, words, message):
    a = machine("a")
    done = a.hook("fleet", *words, *a.places())
    assert done.returncode == 1 and message in done.stderr and "Hint: " in done.stderr, done.stderr
    assert not a.folder.repo.exists()


@pytest.mark.parametrize("where", ["a folder", "no folder"])
def test_an_invitation_that_cannot_be_written(machine, where):
    """The fleet stands, and the message says how to get the invitation."""
    a = machine("a")
    path = a.home if where == "a folder" else a.home / "no" / "file"
    message = a.fleet("init", "lab", "--no-start", "--write", str(path), *a.places(), code=1)
    assert str(path) in message and "Hint: " in message
    assert a.folder.read().name == "lab" and a.home.is_dir()


def test_invitations_without_contacts_read_as_before():
    """One that another version wrote has none of them, and one with a contact that is no URL is refused."""
    key = keys.make_key()
    plain = write_invitation(Invitation("lab", key, ()))
    assert read_invitation(plain).contacts == ()
    with pytest.raises(Exception, match="cannot be read"):
        read_invitation(write_invitation(Invitation("lab", key, (), contacts=("file:///etc/passwd",))))
