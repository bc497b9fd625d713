"""The circuit breaker of the Hub: one that failed a moment ago is not waited for while another authority knows."""

from __future__ import annotations

from typing import NamedTuple

from ..net import timeouts
from ..net.breaker import Breaker
from ..session import session
from .client import endpoint


class Failure(NamedTuple):
    """Why the Hub is not asked.

    `why`: the client's error where it could not be reached, None if it was silent. `no_hub`: something else answered.
    """

    why: str | None
    no_hub: bool


class HubBreaker(Breaker[Failure]):
    """By endpoint."""


def is_hub_breaker_open() -> bool:
    """Return whether the Hub failed or was silent a moment ago."""
    return session.part(HubBreaker).is_open(endpoint())


def why_hub_breaker_opened() -> str | None:
    """The client's own words where the Hub could not be reached a moment ago; None if it was silent, or is well."""
    failure = session.part(HubBreaker).why(endpoint())
    return None if failure is None else failure.why


def is_no_hub() -> bool:
    """Return whether something else answered in the Hub's place a moment ago, such as a network's sign-in page."""
    failure = session.part(HubBreaker).why(endpoint())
    return failure is not None and failure.no_hub


def open_hub_breaker(why: str | None = None, *, no_hub: bool = False) -> None:
    """The Hub was silent, or said nothing that could be used; `why` if it could not be reached."""
    session.part(HubBreaker).open(endpoint(), timeouts.OPEN_DOWN, Failure(why, no_hub))


def close_hub_breaker() -> None:
    """The Hub has answered again."""
    session.part(HubBreaker).close(endpoint())
