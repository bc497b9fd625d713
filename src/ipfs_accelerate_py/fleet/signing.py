"""Requests between agents are signed: who does not have the fleet's key is told nothing.

The header is `Authorization: Fleet1 peer=<peer id> time=<seconds since 1970> nonce=<hex> mac=<hex>`; the mac is
HMAC-SHA256 over method, target (path and query), peer, time, nonce and the SHA-256 of the body, by a key derived from
the swarm key. A signature counts once, and within a window of the receiver's clock; a sender whose clock is off learns
that clock from the refusal and signs by it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections.abc import Callable

from ..errors import FleetError
from . import keys

SCHEME = "Fleet1"
TIME_HEADER = "Fleet-Time"  # of a refusal for the clock: the receiver's time
WINDOW = 30.0  # seconds that a signature counts, before and after its time
_FARTHEST = 36 * 3600.0  # seconds that a clock may be off: more than any time zone
_PURPOSE = "requests"
_NONCES = 200_000  # that are remembered; beyond that within a window everything is refused
_FORM = re.compile(
    r"Fleet1 peer=(\w{40,70}) time=([0-9]{1,12}(?:\.[0-9]{1,6})?) nonce=([0-9a-f]{32}) mac=([0-9a-f]{64})"
)


class Refused(FleetError):
    """A request that is not answered. `reason`: unsigned, stranger, clock, replayed or busy."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def read_offset(told: str | None) -> float | None:
    """How much the clock is ahead that a refusal tells of, in seconds; None where nothing is to be signed by it.

    A signature for a far day could be kept until then by whoever is at the address of a member.
    """
    try:
        offset = float(told or "") - time.time()
    except ValueError:
        return None
    return offset if abs(offset) < _FARTHEST else None


class Signer:
    """Signs the requests of a machine. `offset`: how much the clocks of others are ahead, in seconds."""

    def __init__(self, swarm_key: bytes, peer: str) -> None:
        self._key, self.peer = keys.derive(swarm_key, _PURPOSE), peer

    def sign(self, method: str, target: str, body: bytes = b"", offset: float = 0.0) -> str:
        """The value of the header Authorization."""
        moment, nonce = f"{time.time() + offset:.3f}", secrets.token_hex(16)
        mac = _mac(self._key, method, target, self.peer, moment, nonce, body)
        return f"{SCHEME} peer={self.peer} time={moment} nonce={nonce} mac={mac}"


class Guard:
    """Checks the signatures of requests that come in. For many threads."""

    def __init__(self, swarm_key: bytes, clock: Callable[[], float] = time.time) -> None:
        self._key, self._clock = keys.derive(swarm_key, _PURPOSE), clock
        self._nonces: dict[str, float] = {}  # nonce -> when its signature does not count any more
        self._pruned = clock()
        self._lock = threading.Lock()

    def now(self) -> float:
        """The time by which signatures are checked, in seconds since 1970."""
        return self._clock()

    def check(self, header: str | None, method: str, target: str, body: bytes = b"") -> str:
        """The peer id of the member that has signed; Refused."""
        match = _FORM.fullmatch(header or "")
        if match is None:
            raise Refused("unsigned", "the request is not signed by a member of this fleet")
        peer, moment, nonce, mac = match.groups()
        if not hmac.compare_digest(mac, _mac(self._key, method, target, peer, moment, nonce, body)):
            raise Refused("stranger", "the request is signed with the key of another fleet")
        now = self._clock()
        if abs(float(moment) - now) > WINDOW:
            raise Refused("clock", f"the sender's clock differs by {float(moment) - now:+.0f} s")
        with self._lock:
            if nonce in self._nonces:
                raise Refused("replayed", "the request was sent before")
            if len(self._nonces) >= _NONCES or abs(now - self._pruned) > WINDOW:
                self._pruned = now
                self._nonces = {each: until for each, until in self._nonces.items() if until >= now}
            if len(self._nonces) >= _NONCES:
                raise Refused("busy", "too many requests within half a minute")
            self._nonces[nonce] = float(moment) + WINDOW
        return peer


def _mac(key: bytes, *parts: str | bytes) -> str:
    *texts, body = parts
    assert isinstance(body, bytes)
    message = "\n".join([SCHEME, *map(str, texts), hashlib.sha256(body).hexdigest()])
    return hmac.new(key, message.encode(), hashlib.sha256).hexdigest()
