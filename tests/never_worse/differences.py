"""Where two answers differ, in a few lines for people."""

from __future__ import annotations

from typing import Any

LONGEST = 300


def describe(plain: dict[str, Any], hooked: dict[str, Any]) -> list[str]:
    """Values, errors and log lines that one side has and the other has not."""
    found = list(_differing("value", plain["value"], hooked["value"]))
    if plain["error"] != hooked["error"]:
        found += [f"plain raises {_short(plain['error'])}", f"hooked raises {_short(hooked['error'])}"]
    found += [f"plain alone says {_short(line)}" for line in plain["said"] if line not in hooked["said"]]
    found += [f"hooked alone says {_short(line)}" for line in hooked["said"] if line not in plain["said"]]
    return found


def _differing(where: str, plain: Any, hooked: Any):  # type: ignore[no-untyped-def]
    if isinstance(plain, dict) and isinstance(hooked, dict):
        for key in sorted({*plain, *hooked}):
            yield from _differing(f"{where}.{key}", plain.get(key), hooked.get(key))
    elif plain != hooked and plain is not None and hooked is not None:
        yield f"{where}: plain {_short(plain)}, hooked {_short(hooked)}"
    elif plain != hooked:
        yield f"{where}: only {'plain' if hooked is None else 'hooked'} has one"


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST else text[:LONGEST] + " ..."
