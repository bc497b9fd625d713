"""Looks at transformers as users, debuggers and other libraries do; prints one line of JSON per check.

    python probe.py

It knows nothing of the hook: test_probe.py runs it with and without, and compares. It makes the models that it loads
in the current folder, so two runs in two folders print the same.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def text(value: object) -> str:
    """What a value looks like, without addresses and in an order of its own where it has none."""
    if isinstance(value, dict):
        return "{" + ", ".join(sorted(f"{text(key)}: {text(what)}" for key, what in value.items())) + "}"
    if isinstance(value, set | frozenset):
        return "{" + ", ".join(sorted(map(text, value))) + "}"
    if isinstance(value, tuple | list):
        return ("list(" if isinstance(value, list) else "tuple(") + ", ".join(map(text, value)) + ")"
    shown = value if isinstance(value, str) else repr(value)
    shown = re.sub(r"\b[0-9a-f]{32}\b", "ID", shown)  # of the session
    return re.sub(r"0x[0-9a-f]{6,}", "0x", shown).replace(os.getcwd(), "HERE")


def outcome(function, *args) -> str:
    """The value, or the kind and text of the error."""
    try:
        return text(function(*args))
    except Exception as error:
        return f"{type(error).__module__}.{type(error).__qualname__}: {text(str(error))}"


def main() -> None:
    sys.path.append(str(ROOT))
    from tests.process.checks import checks, make_models

    make_models(Path("models"))
    for label, function, args in checks():
        print(json.dumps([label, outcome(function, *args)]), flush=True)


if __name__ == "__main__":
    main()
