"""Both sides of each call, compared."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

from .call import Call
from .files import cache_calls, file_calls, snapshot_calls
from .filesystem import filesystem_calls
from .identity import identity_calls
from .known import is_known
from .seen import Seen
from .side import WARM, Side
from .types import type_calls
from .words import word_calls

LONG = 400
WARM_HOME = Call(WARM, "cold")  # what all warm homes are made by
NOT_COMPARED = ("requests", "seconds")


def all_calls() -> list[Call]:
    """Every call once, in one order."""
    made = [*identity_calls(), *file_calls(), *snapshot_calls(), *cache_calls(), *word_calls(), *filesystem_calls()]
    by_text = {str(call): call for call in type_calls()}
    by_text |= {str(call): call for call in made}
    return list(by_text.values())


def short_calls() -> list[Call]:
    """The identities, and each twelfth of the others."""
    calls, identities = all_calls(), identity_calls()
    return [*identities, *calls[len(identities) :: 12]]


def measure(calls: list[Call], folder: Path, hooked: bool) -> dict[Call, Seen]:
    side = Side(folder, hooked)
    try:
        return {call: side.run(call) for call in calls} | {WARM_HOME: side.warm}
    finally:
        side.stop()


def differences(call: Call, plain: Seen, hooked: Seen) -> dict[str, tuple[str, str]]:
    """What differs, by field, unless that is known."""
    found = {}
    for field in dict.fromkeys([*plain, *hooked]):
        first, second = plain.get(field), hooked.get(field)
        if field not in NOT_COMPARED and first != second and not is_known(call, field):
            found[field] = _parts(first, second)
    return found


def _parts(first: Any, second: Any) -> tuple[str, str]:
    """The two, or what only one of them has where they are long."""
    if isinstance(first, dict) and isinstance(second, dict):
        only = {key: value for key, value in first.items() if second.get(key) != value}
        other = {key: value for key, value in second.items() if first.get(key) != value}
        first, second = only, other
    texts = [each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in (first, second)]
    if max(map(len, texts)) > LONG:
        texts = _near(*texts)
    return texts[0], texts[1]


def _near(first: str, second: str) -> list[str]:
    """Both from a little before the first difference on."""
    match = difflib.SequenceMatcher(None, first[:5000], second[:5000], autojunk=False).find_longest_match()
    at = 0
    for at, (one, other) in enumerate(zip(first, second, strict=False)):  # noqa: B007
        if one != other:
            break
    start = max(0, at - 80) if match.size else 0
    return [f"...{text[start : start + LONG]}" for text in (first, second)]
