"""Where bytes come from: one file each, behind one small protocol.

`fetch` puts the bytes of one file into the receiver (`write` in order, or `adopt` a file), and raises SourceError if
it cannot (SourceDown: nobody answers there). A source that can begin anywhere goes on at `receiver.begin(who)`; others
call `receiver.start()` first. Nobody is trusted: the receiver hashes, and raises Mismatch through `fetch` when the
bytes are wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ... import state
from ...log import get_logger
from ...store.tree import Entry
from ...store.verify import Mismatch
from ...store.writer import Writer


@dataclass(frozen=True)
class FileRequest:
    """One file of one commit, and what its bytes must be. `token` is for the Hub alone."""

    repo_id: str
    commit: str
    path: str
    entry: Entry
    token: str | bool | None = None


class Source(Protocol):
    """A place that may hold the bytes.

    `name` is its kind, `label` tells it from others of its kind. `is_patient`: it is a Patient, see below.
    """

    name: str
    label: str
    is_patient: bool

    def prepare(self) -> None:
        """Import and open what a first question needs: that time is ours, and no silence of the source."""
        ...

    def fetch(self, request: FileRequest, writer: Writer) -> str:
        """Fill the receiver; returns who really gave the bytes, in words for the log. SourceError if it cannot."""
        ...


@runtime_checkable
class Patient(Source, Protocol):
    """One with time budgets of its own, which is never given up; another may be asked beside it."""

    def seen_so_far(self, request: FileRequest) -> object:
        """What has come that the receiver does not know of yet; another answer each time that there is more."""
        ...

    def may_be_silent(self, request: FileRequest, budget: float) -> float:
        """The seconds for which it may be well without any sign of it, where others get `budget`."""
        ...


def report_corrupt(label: str, path: str, mismatch: Mismatch) -> None:
    """Write down that a source gave wrong bytes, and say so the first time."""
    if label not in state.liars:
        get_logger().warning("%s gave wrong bytes for %s (%s): refused", label, path, mismatch)
    state.liars[label] = f"{path}: {mismatch}"
