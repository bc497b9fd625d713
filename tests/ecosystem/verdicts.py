"""What the two sides of a cell have to be, and the text that says how they are not."""

from __future__ import annotations

from typing import Any

from .rows import Row
from .states import DOWN, STATES

Answer = dict[str, Any]
Cells = dict[tuple[str, str], dict[str, Answer]]
SLOWER = 2.0  # seconds that a load may take longer with the Hub down


def judge(row: Row, name: str, cells: Cells, slower: float = SLOWER) -> list[str]:
    """Return what is wrong with the hooked side of a cell; nothing where all is well."""
    hooked = cells[row.name, name].get("hooked")
    if hooked is None:
        return []
    wanted = cells[row.name, "cold"]["plain"]
    if "digest" not in wanted:
        return [f"plain itself fails cold: {say(wanted)}"]
    if STATES[name].flipped:
        return _flipped(row, hooked, wanted)
    if "digest" not in hooked:
        return [say(hooked)]
    found = [] if hooked["digest"] == wanted["digest"] else ["OTHER VALUES"]
    if name in DOWN:
        well = cells[row.name, "late" if STATES[name].late else "warm"]["hooked"]["seconds"]
        if hooked["seconds"] > well + slower:
            found.append(f"{hooked['seconds']:.1f} s, well {well:.1f} s")
    else:
        found += _asked(row, name, hooked, cells)
    return found


def _flipped(row: Row, hooked: Answer, wanted: Answer) -> list[str]:
    if "digest" in hooked:
        return ["the flipped byte is loaded" if hooked["digest"] != wanted["digest"] else "loads the right bytes?"]
    error = hooked["error"]
    name = row.weights.rpartition("/")[2]
    told = [error["text"], *error.get("behind", ())]  # what a traceback shows
    return [] if any(name in text for text in told) else [f"the message does not name {name}: {say(hooked)}"]


def _asked(row: Row, name: str, hooked: Answer, cells: Cells) -> list[str]:
    found = []
    plain = cells[row.name, "cold" if name == "late" else name].get("plain")
    asked = hooked["hub"]
    if plain is not None and asked > plain["hub"]:
        found.append(f"{asked} requests, plain {plain['hub']}")
    most = (len(row.repos) + len(row.absent)) * row.loads + row.questions
    if STATES[name].warm and asked > most:
        found.append(f"{asked} requests, {most} are enough")
    return found


def say(answer: Answer | None) -> str:
    """In a few words."""
    if answer is None:
        return "-"
    if "digest" in answer:
        return f"{answer['seconds']:.1f} s"
    kind = answer["error"]["type"].rpartition(".")[2]
    return kind if kind == "never" else f"{kind} {answer['seconds']:.1f} s"
