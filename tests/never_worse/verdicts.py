"""What came of a cell on both sides, compared."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BUDGET = 1.0  # IPFS_ACCELERATE_TIMEOUT
SLACK = 1.0  # this machine is busy with other cells
# Told of a network that fails: who asks less has less to tell.
FRAMES = re.compile(r"^Traceback \(most recent call last\):\n(?: .*\n|\n(?=Traceback|The above|During))*", re.MULTILINE)
# What transformers says where files cannot be had. Of a server that is no Hub it takes optional files for missing, and
# may build a tokenizer of unknown words (docs/limits.md).
NO_CONNECTION = "We couldn't connect to"
OF_THE_NETWORK = re.compile(r"thrown while requesting|Retrying in |Error while downloading|Trying to resume")


@dataclass(frozen=True)
class Verdict:
    """Whether the property holds. `why`: in what words it does or does not. `late`: only the time is wrong.

    `again`: a machine that was busy may be the cause (the Hub's answer came too late): to be measured once more, alone.
    """

    holds: bool
    why: str
    late: bool = False
    again: bool = False


def normalised(answer: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Without what differs from one run to the next: folders, ports, ids."""
    text = json.dumps({key: answer.get(key) for key in ("value", "error", "said")}, sort_keys=True)
    for old, new in (
        (re.escape(str(folder)) + r"/(store|hf/hub)", "CACHE"),
        (re.escape(str(folder)), "HOME"),
        (r"(127\.0\.0\.1|localhost)(:\d+|', port=\d+)", "HUB"),
        (r"Request ID: [\w-]+", "Request ID"),
        (r"0x[0-9a-f]{6,}", "0x"),
        (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UUID"),
        (r"X-Sig=[0-9a-f]+", "X-Sig"),
        (r"Could not reach the Hub \(.*?\)\. Using cached", "Could not reach the Hub (...). Using cached"),
    ):
        text = re.sub(old, new, text)
    return {**json.loads(text), "seconds": answer["seconds"]}


def judge(plain: dict[str, Any] | None, hooked: dict[str, Any], rights: list[Any], silent: bool = False) -> Verdict:
    """`rights`: the values of each commit when all is well, the newest last. Without plain only right is good.

    `silent`: whether the Hub is so. Then an older commit is as good.
    """
    value = hooked["value"]
    if _is_cut_off(hooked):
        either = plain is not None and _is_cut_off(plain)
        return Verdict(either, "no answer either" if either else "no answer, plain has one")
    if plain is not None and _is_cut_off(plain) and value is None:
        return Verdict(True, "fails, plain does not even do that within the limit")
    right = value is not None and value in rights
    if plain is None:
        return Verdict(right and value == rights[-1], "right" if right else f"{say(hooked)}, wanted the right values")
    if plain["value"] is not None and plain["value"] in rights:
        if value != plain["value"] and not (right and rights.index(value) > rights.index(plain["value"])):
            if right and silent:
                return Verdict(True, "an older commit: the Hub is silent")
            what = "an older commit" if right else "WRONG VALUES" if value is not None else "FAILS"
            return Verdict(False, f"{what}, plain is right", again=right)
        same_words = value != plain["value"] or _said(plain) == _said(hooked)
        return _in_time(plain, hooked, "right") if same_words else _other_words(plain, hooked)
    if right:
        return Verdict(True, "right, plain is not")  # whenever
    if hooked["error"] is not None and NO_CONNECTION in hooked["error"]["text"]:
        return _in_time(plain, hooked, "says that there is no Hub, where plain passes over the file")
    if value is not None:
        same = value == plain["value"]
        return _in_time(plain, hooked, "as plain") if same else Verdict(False, "WRONG VALUES, plain's are others")
    if _error(plain) != _error(hooked):
        return Verdict(False, "fails otherwise than plain" if plain["error"] else "FAILS, plain does not")
    return _in_time(plain, hooked, "fails alike")


def _error(answer: dict[str, Any]) -> dict[str, str] | None:
    """Its type and text. The tracebacks that a text of pipeline()'s quotes are left out: our frames are in them."""
    error = answer["error"]
    return error and {**error, "text": FRAMES.sub("", error["text"])}


def _is_cut_off(answer: dict[str, Any]) -> bool:
    return answer["error"] is not None and answer["error"]["type"] == "no answer"


def _in_time(plain: dict[str, Any], hooked: dict[str, Any], why: str) -> Verdict:
    late = hooked["seconds"] - 1.1 * plain["seconds"] - BUDGET
    if late > SLACK:
        return Verdict(False, f"late by {late:.1f} s", late=True, again=True)
    return Verdict(True, why)


def _said(answer: dict[str, Any]) -> list[list[str]]:
    """Each line once: how often one is said of a network that fails depends on the moment."""
    lines = [line for line in answer["said"] if not OF_THE_NETWORK.search(line[1])]
    return sorted(line for number, line in enumerate(lines) if line not in lines[:number])


def _other_words(plain: dict[str, Any], hooked: dict[str, Any]) -> Verdict:
    lost = [line for line in _said(plain) if line not in _said(hooked)]
    more = [line for line in _said(hooked) if line not in _said(plain)]
    return Verdict(False, f"says other words: {len(lost)} of plain's lost, {len(more)} more")


def say(answer: dict[str, Any] | None) -> str:
    """In a few words."""
    if answer is None:
        return "-"
    return answer["error"]["type"].rpartition(".")[2] if answer["error"] else "value"
