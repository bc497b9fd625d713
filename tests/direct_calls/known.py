"""Differences that were decided, each with its reason."""

from __future__ import annotations

import re
from typing import NamedTuple

from .call import Call


class Known(NamedTuple):
    """`calls`: a regular expression on the call's text; `field`: what differs, as `seen` names it."""

    calls: str
    field: str
    reason: str


KNOWN: list[Known] = []


def is_known(call: Call, field: str) -> bool:
    return any(re.search(each.calls, str(call)) and each.field == field for each in KNOWN)
