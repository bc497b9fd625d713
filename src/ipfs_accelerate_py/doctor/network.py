"""The Hub and the clock: one anonymous request serves both."""

from __future__ import annotations

import email.utils
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..config.settings import Settings
from ..net.http import HTTPReader
from .check import Check, Result, bad, good

IDLE = 8.0  # seconds that the Hub gets for its answer
FAR_OFF = 300.0  # seconds: signatures and certificates begin to fail
_ENDPOINT = "see whether the network is up, and HF_ENDPOINT and HTTPS_PROXY are right; HF_HUB_OFFLINE=1 forbids it"


def checks(settings: Settings) -> list[Check]:
    """`hub` and `clock`."""
    answer = _HubAnswer()
    return [
        Check("hub", lambda: check_hub(settings, answer), _ENDPOINT, IDLE + 7),
        Check("clock", lambda: check_clock(settings, answer), "set the clock: sudo timedatectl set-ntp true", 22),
    ]


@dataclass
class _Asked:
    status: int
    body: Any
    seconds: float
    date: str | None
    at: float  # our own time, in the middle of the request


class _HubAnswer:
    """Asks the Hub once, by its own client, when first called; gives the answer, or the error, to all checks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answer: _Asked | Exception | None = None

    def get(self) -> _Asked | Exception:
        with self._lock:
            if self._answer is None:
                try:
                    self._answer = self._ask()
                except Exception as error:  # its lines differ in their errors: requests, httpx
                    self._answer = error
            return self._answer

    def _ask(self) -> _Asked:
        from huggingface_hub import constants, get_session

        session: Any = get_session()
        began, at = time.monotonic(), time.time()
        answer = session.get(f"{constants.ENDPOINT}/api/models", params={"limit": "1"}, timeout=IDLE)
        seconds = time.monotonic() - began
        try:
            body = answer.json()
        except ValueError:
            body = None
        return _Asked(answer.status_code, body, seconds, answer.headers.get("Date"), at + seconds / 2)


def _why_silent(settings: Settings) -> str | None:
    from huggingface_hub import constants

    if settings.force_local:
        return "not asked: STORAGE_FORCE_LOCAL is set"
    return "not asked: offline mode (HF_HUB_OFFLINE)" if constants.HF_HUB_OFFLINE else None


def check_hub(settings: Settings, answer: _HubAnswer) -> Result:
    """Check that the Hub answers without a token, and in time."""
    from huggingface_hub import constants

    endpoint = constants.ENDPOINT
    if silent := _why_silent(settings):
        return good(f"{endpoint} {silent}")
    asked = answer.get()
    if isinstance(asked, Exception):
        return bad(f"{endpoint} does not answer: {type(asked).__name__}: {asked}", _ENDPOINT)
    if asked.status == 429:
        return bad(f"{endpoint} answered 429: too many requests from this address", "wait some minutes and repeat")
    if asked.status != 200:
        return bad(f"{endpoint} answered {asked.status}", _ENDPOINT)
    if not isinstance(asked.body, list):
        return bad(f"what answers at {endpoint} is not a Hub", "set HF_ENDPOINT to https://huggingface.co, or unset it")
    if asked.seconds > settings.timeout:
        return good(
            f"{endpoint} answers, but only after {asked.seconds:.1f} s; others are asked after {settings.timeout:g} s",
            "set IPFS_ACCELERATE_TIMEOUT higher to wait for it",
        )
    return good(f"{endpoint} answers in {asked.seconds * 1000:.0f} ms")


def check_clock(settings: Settings, answer: _HubAnswer) -> Result:
    """Compare our time with the Hub's, else with a gateway's."""
    for name, date, at in _dates(settings, answer):
        try:
            theirs = email.utils.parsedate_to_datetime(date).timestamp()
        except (TypeError, ValueError):
            continue
        off = at - theirs
        if abs(off) > FAR_OFF:
            return bad(
                f"this machine's clock is {abs(off) / 60:.0f} minutes {'ahead of' if off > 0 else 'behind'} {name}",
                "set the clock: sudo timedatectl set-ntp true",
            )
        return good(f"within {max(1, round(abs(off)))} s of {name}")
    if _why_silent(settings):
        return good("not tested: offline, no server is asked for the time")
    return bad("not tested: neither the Hub nor a gateway gave the time", "mend 'hub' first")


def _dates(settings: Settings, answer: _HubAnswer) -> Iterator[tuple[str, str, float]]:
    """(name of a server, its Date header, our time then)"""
    if not _why_silent(settings):
        asked = answer.get()
        if not isinstance(asked, Exception) and asked.date:
            yield "the Hub", asked.date, asked.at
    if settings.force_local:
        return
    for url in settings.gateways[:2]:
        before = time.time()
        try:
            date = HTTPReader(url, 3.0).look("/ipfs/bafkqaaa").headers.get("Date")
        except OSError:
            continue
        if date:
            yield f"gateway {url}", date, (before + time.time()) / 2
