"""What a person should look at in the state of an agent, with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_AWAY = (
    "is that machine on, does its agent run ('ipfs-accelerate fleet status' there), and do firewalls let its two ports "
    "through?"
)
_CORRUPT = "it is left out, and its bytes were not used: 'ipfs-accelerate verify' there finds what is damaged"
_KUBO, _KUBO_AGAIN = "it is started again by itself; its log is {log}", "it runs again; its log is {log}"
REFUSALS = {
    "unsigned": "something that is no member asked, such as a browser or a scan of the network; it was told nothing",
    "stranger": "a machine of another fleet asked: 'fleet leave' there, then join with an invitation of this fleet",
    "clock": "the clock of a member is more than 30 seconds off: set it by NTP",
    "replayed": "a request came a second time; it was told nothing",
    "busy": "there were more requests within half a minute than are kept in mind",
    "large": "a request was larger than any that is read, or did not come to its end",
    "name": "this site was asked for by another name than 127.0.0.1 or localhost",
    "token": "the page or /metrics was asked for without its token: 'ipfs-accelerate fleet status' prints the URL",
    "silent": "a connection was opened, and nothing was asked that is answered",
    "malformed": "what came was no HTTP",
    "connections": "there were more connections at once than the agent keeps",
}


def find_problems(report: Mapping[str, Any], log: str) -> Iterator[dict[str, str]]:
    """What is not well: rows of what, text and hint. `log`: the path of Kubo's log."""
    for member in report["members"]:
        name = member["name"] or member["peer"]
        if member["corrupt"]:
            yield {"what": name, "text": f"It gave wrong bytes: {member['corrupt']}", "hint": _CORRUPT}
        if member["trouble"]:
            yield {"what": name, "text": member["trouble"], "hint": "" if "; " in member["trouble"] else _AWAY}
    kubo = report["kubo"]
    if kubo is not None and (kubo["trouble"] or not kubo["running"]):
        text = kubo["trouble"] or "it does not run"
        yield {"what": "Kubo", "text": text, "hint": (_KUBO_AGAIN if kubo["running"] else _KUBO).format(log=log)}
    if wait := report.get("hub_wait", 0):
        text = f"It has asked this network to wait; {wait:.0f} s are left"
        yield {"what": "The Hub", "text": text, "hint": "what members have comes from them meanwhile"}


def explain_refusals(refused: Mapping[str, int]) -> list[dict[str, Any]]:
    """The requests that were refused, most first: rows of reason, number and hint."""
    return [
        {"reason": reason, "number": number, "hint": REFUSALS.get(reason, "")}
        for reason, number in sorted(refused.items(), key=lambda row: (-row[1], row[0]))
    ]
