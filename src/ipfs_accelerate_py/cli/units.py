"""Times, sizes and models as people write them on a command line."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError

_SECONDS = {"h": 3600, "d": 86400, "w": 7 * 86400}
_BYTES = {"": 1, "b": 1} | {
    f"{letter}{infix}b": base**power
    for power, letter in enumerate("kmgtp", 1)
    for infix, base in (("", 1000), ("i", 1024))
}
_MOST = 2.0**80  # larger numbers are mistakes, and some are infinite as floats


def read_age(text: str) -> float:
    """`30d` -> seconds."""
    number, unit = _split(text)
    if number is None or unit not in _SECONDS:
        raise ArgumentTypeError(f"{text!r} is no age: give a number with h, d or w, such as 12h, 30d or 2w")
    return number * _SECONDS[unit]


def read_size(text: str) -> int:
    """`50GB` -> bytes; kB, MB, GB, TB, PB are powers of 1000, KiB and so on of 1024."""
    number, unit = _split(text)
    if number is None or unit not in _BYTES:
        raise ArgumentTypeError(
            f"{text!r} is no size: give a number with kB, MB, GB, TB, KiB, MiB, GiB or TiB, or bytes"
        )
    return int(number * _BYTES[unit])


def read_repo(text: str) -> str:
    """`org/name` or `org/name@revision`, as it is."""
    if text.endswith("@"):
        raise ArgumentTypeError(f"{text!r} names no revision: write {text + 'v1.0'!r} for one, or {text[:-1]!r}")
    return text


def _split(text: str) -> tuple[float | None, str]:
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)", text.strip().lower())
    if match is None or float(match[1]) > _MOST:
        return None, ""
    return float(match[1]), match[2]
