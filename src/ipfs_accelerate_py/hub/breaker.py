"""A Hub that was unwell a moment ago is not waited for, while anybody else can say."""

from __future__ import annotations

import time

from .client import endpoint

REST = 30.0  # seconds that a silent Hub is not asked
_until: dict[str, tuple[float, str | None, bool]] = {}  # endpoint -> until when, why, and is it no Hub that answers


def hub_is_resting() -> bool:
    """Was the Hub unwell a moment ago?"""
    return time.monotonic() < _until.get(endpoint(), (0.0, None, False))[0]


def why_hub_rests() -> str | None:
    """The client's own words where the Hub could not be reached a moment ago; None if it was silent, or is well."""
    return _until[endpoint()][1] if hub_is_resting() else None


def is_no_hub() -> bool:
    """Was what answered in the Hub's place, a moment ago, something else: a sign-in page of a network, for example?"""
    return hub_is_resting() and _until[endpoint()][2]


def begin_rest(why: str | None = None, *, no_hub: bool = False) -> None:
    """The Hub was silent, or said nothing that could be used; `why` if it could not be reached."""
    _until[endpoint()] = (time.monotonic() + REST, why, no_hub)


def end_rest() -> None:
    """The Hub has answered again."""
    _until.pop(endpoint(), None)


def forget() -> None:
    """Forget that it was unwell."""
    _until.clear()
