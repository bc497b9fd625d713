"""The members of a fleet as a machine knows them, and which of them is to answer for a repo.

There is no list of members that counts: each machine tells the others what it knows, and a later word about a member
replaces an earlier one. A member that was not seen for a while is remembered, since it may come back.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeGuard

AT_MOST = 10_000  # members that are remembered; those not seen for the longest time are forgotten first
ALIVE = 20.0  # seconds since a member was heard of, within which it counts as there
_OLDEST = 1e9  # seconds: no word about a member is older
_PEER = re.compile(r"[1-9A-HJ-NP-Za-km-z]{40,70}")
_URL = re.compile(r"http://[^/\s?#@]{1,260}")


def check_url(url: Any) -> str:
    """The URL of an agent; ValueError where it is none."""
    if not isinstance(url, str) or not _URL.fullmatch(url):
        raise ValueError("the URL of an agent cannot be used")
    return url


@dataclass(frozen=True)
class Member:
    """A machine of the fleet. `peer`: the peer id of its Kubo; `agent`: the URL of its agent; `swarm`: multiaddrs.

    `seen`: when it was heard of last, in seconds since 1970 by the clock of this machine. Machines tell each other the
    age of what they know, since their clocks may differ.
    """

    peer: str
    name: str = ""
    agent: str = ""
    swarm: tuple[str, ...] = ()
    version: str = ""
    seen: float = 0.0

    def to_dict(self, now: float | None = None) -> dict[str, Any]:
        """For JSON, with the `age` of what is known in place of `seen`."""
        row = asdict(self)
        row["age"] = round(max(0.0, (time.time() if now is None else now) - row.pop("seen")), 3)
        return row

    @classmethod
    def from_dict(cls, row: Mapping[str, Any], now: float | None = None) -> Member:
        """A member as another machine, or a file written at `now`, tells of it; ValueError for what is none."""
        try:
            peer, agent, swarm = row["peer"], row.get("agent", ""), row.get("swarm", ())
            age = min(max(0.0, float(row.get("age", 0.0))), _OLDEST)
            seen = (time.time() if now is None else now) - age
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError("it is no member") from error
        if not is_peer(peer):
            raise ValueError("a member has no peer id")
        if not isinstance(agent, str) or (agent and not _URL.fullmatch(agent)):
            raise ValueError("the URL of a member's agent cannot be used")
        if not isinstance(swarm, list | tuple) or not all(isinstance(address, str) for address in swarm):
            raise ValueError("the addresses of a member cannot be used")
        name, version = say(row.get("name", ""), 64), say(row.get("version", ""), 32)
        return cls(peer, name, agent, tuple(address[:300] for address in swarm[:16]), version, seen)


def say(text: object, limit: int) -> str:
    """What another machine tells, for people: a terminal takes some characters for orders."""
    return "".join(char for char in str(text)[:limit] if char.isprintable())


class Members:
    """The other members, by their peer ids. `own`: the peer id of this machine, which is never in it."""

    def __init__(self, own: str, rows: Iterable[Member] = ()) -> None:
        self.own = own
        self._rows: dict[str, Member] = {}
        self.merge(rows)

    def __iter__(self) -> Iterator[Member]:
        return iter(list(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, peer: str) -> Member | None:
        """A member by its peer id."""
        return self._rows.get(peer)

    def merge(self, rows: Iterable[Member]) -> bool:
        """Take over newer rows; return whether a member came, or has another address."""
        news, now = False, time.time()
        for row in rows:
            if row.peer == self.own:
                continue
            known = self._rows.get(row.peer)
            if known is None or known.seen > now or row.seen > known.seen:  # our clock may have been ahead
                news |= known is None or (known.agent, known.swarm) != (row.agent, row.swarm)
                self._rows[row.peer] = row
        if len(self._rows) > AT_MOST:
            kept = sorted(self._rows.values(), key=lambda member: member.seen, reverse=True)[:AT_MOST]
            self._rows = {member.peer: member for member in kept}
        return news

    def note_seen(self, peer: str) -> None:
        """It was heard of just now."""
        if peer in self._rows:
            self._rows[peer] = replace(self._rows[peer], seen=time.time())

    def note_lost(self, peer: str) -> None:
        """It did not answer: it does not count as there until it is heard of again."""
        known = self._rows.get(peer)
        if known is not None:
            self._rows[peer] = replace(known, seen=min(known.seen, time.time() - ALIVE))

    def forget(self, peer: str) -> None:
        """It has left the fleet."""
        self._rows.pop(peer, None)

    def alive(self) -> list[Member]:
        """The members that were heard of lately. Where the clock has gone back, those from before were so just now."""
        now = time.time()
        for member in self:
            if member.seen > now:
                self._rows[member.peer] = replace(member, seen=now)
        return [member for member in self if member.seen > now - ALIVE]


def is_peer(text: object) -> TypeGuard[str]:
    """Return whether this has the form of a peer id."""
    return isinstance(text, str) and _PEER.fullmatch(text) is not None


def rank(key: str, peers: Iterable[str]) -> list[str]:
    """The peers in the order in which they answer for a key: all machines that know the same peers say the same.

    Rendezvous hashing: https://en.wikipedia.org/wiki/Rendezvous_hashing
    """
    return sorted(peers, key=lambda peer: hashlib.sha256(f"{key}\0{peer}".encode()).digest())
