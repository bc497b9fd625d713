"""Joining a fleet: what an invitation is, and what a wrong one changes, which is nothing."""

from __future__ import annotations

import dataclasses

import pytest

from ipfs_accelerate_py.fleet.invitation import read_invitation, write_invitation
from ipfs_accelerate_py.fleet.keys import make_key

pytestmark = pytest.mark.timeout(300)


def test_the_invitation_is_the_one_line_on_stdout(machine):
    a = machine("a")
    done = a.hook("fleet", "init", "lab", "--no-start", "-q", *a.places())
    assert done.returncode == 0 and done.stderr == ""
    words = done.stdout.split()
    assert words[:3] == ["ipfs-accelerate", "fleet", "join"] and len(words) == 4
    assert read_invitation(words[3]).name == "lab"
    assert not a.fleet("status", code=1)["agent"]


@pytest.mark.parametrize(
    ("change", "message"),
    {
        "cut": (lambda text: text[:-9], "is not whole"),
        "one letter": (lambda text: text[:40] + ("A" if text[40] != "A" else "B") + text[41:], "is not whole"),
        "no invitation": (lambda text: "hello", "no invitation"),
        "newer": (lambda text: text.replace("fleet1", "fleet9"), "version 9"),
        "empty": (lambda text: " ", "no invitation"),
    }.values(),
    ids=["cut", "one letter", "no invitation", "newer", "empty"],
)
def test_a_bad_invitation_changes_nothing(machine, change, message):
    a, b = machine("a"), machine("b")
    text = a.init("--no-start")["invitation"]
    done = b.hook("fleet", "join", change(text), *b.places())
    assert done.returncode == 1 and message in done.stderr and "Hint: " in done.stderr, done.stderr
    assert not b.folder.repo.exists() and not list(b.store.glob(".fleet*"))


def test_an_invitation_broken_over_lines(machine):
    a, b = machine("a"), machine("b")
    text = a.init("--no-start")["invitation"]
    b.fleet("join", text[:50] + "\n  " + text[50:90] + "\r\n" + text[90:], "--no-start", *b.places())
    assert b.folder.read().key == a.folder.read().key


def test_a_machine_of_another_fleet_is_told_so(machine):
    """The addresses are right, the key is not: Kubo would only drop the connection."""
    a, b = machine("a"), machine("b")
    a.init("lab")
    other = dataclasses.replace(read_invitation(a.fleet("invite")["invitation"]), key=make_key())
    done = b.hook("fleet", "join", write_invitation(other), *b.places())
    assert "it is in another fleet" in done.stderr and a.address in done.stderr, done.stderr
    a_status = a.fleet("status")
    assert b.peer not in [member["peer"] for member in a_status["members"]]


def test_joining_again_and_another_fleet(machine):
    a, b, c = machine("a"), machine("b"), machine("c")
    a.init("lab", "--no-start")
    c.init("other", "--no-start")
    text = a.fleet("invite")["invitation"]
    b.fleet("join", text, "--no-start", *b.places())
    peer = b.peer
    b.fleet("join", text, "--no-start", *b.places())
    assert b.peer == peer
    done = b.hook("fleet", "join", c.fleet("invite")["invitation"], *b.places())
    assert done.returncode == 1 and "in the fleet 'lab' already" in done.stderr and "fleet leave" in done.stderr
    assert b.fleet("leave")["fleet"] == "lab"
    b.fleet("join", c.fleet("invite")["invitation"], "--no-start", *b.places())
    assert b.folder.read().name == "other"
