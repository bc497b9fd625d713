"""The files that this process fetches for the fleet, and those that it asked the fleet for.

A claim is renewed for as long as the retrieval of its file goes on, with the bytes that have arrived in the store:
there the agent of this machine reads them for those that follow.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from ..fleet.local_agent import LocalAgent
from ..log import get_logger
from ..session import session
from ..store import partial

EVERY = 1.0  # seconds between two renewals
_LAST_RENEWAL = 1.0  # seconds that the end of a retrieval waits for a renewal that is under way
File = tuple[str, str]  # the folder of a repo, and an etag


class Help(Protocol):
    """How ranges of a file are fetched for another machine."""

    def held(self) -> list[tuple[int, int]]:
        """Where those begin and end that are here, or on their way."""

    def end(self) -> None:
        """No more is fetched."""


class Asked:
    """A file that the agent of this machine was asked for, and whether it is ours to fetch."""

    def __init__(self, file: File, size: int, blobs: Path, agent: LocalAgent) -> None:
        self.file, self.size, self.blobs, self.agent = file, size, blobs, agent
        self.is_ours = self.was_yielded = False
        self.until = 0  # where the range ends that the Hub is asked for now
        self.help: Help | None = None
        self._ended = threading.Event()
        self._is_silent = False  # the agent, when it was asked last: it is not waited for once more
        self._renewing = threading.Lock()  # a renewal that came after the end would be a claim that nobody works on

    def find(self, *, claim: bool, arrived: int, lost: list[str], slow: str = "") -> dict[str, Any]:
        """The agent's answer; SourceError. Where the file is ours from now on, the claim is renewed until the end."""
        folder, etag = self.file
        question: dict[str, Any] = {"folder": folder, "etag": etag, "size": self.size}
        question |= {"claim": claim, "arrived": arrived, "lost": lost, "slow": slow, "until": self.until}
        if self.help is not None:  # the one that answers may have come in the place of another
            question["have"] = self.help.held()
        self._is_silent = True
        answer = self.agent.post("find", question)
        self._is_silent = False
        claimed = answer.get("claim")
        if isinstance(claimed, dict) and claimed.get("mine") is True and not self.is_ours:
            self.is_ours = True
            threading.Thread(target=self._renew, name="ipfs_accelerate claim", daemon=True).start()
        return answer

    def end(self, done: bool) -> None:
        """The retrieval has ended: with the file whole in the store, or not. Never raises."""
        self._ended.set()
        if self.help is not None:
            self.help.end()
        free = self._renewing.acquire(timeout=_LAST_RENEWAL)
        try:
            self.is_ours = False
            folder, etag = self.file
            if self._is_silent:  # what it may have claimed for us ends with its lease
                return
            with contextlib.suppress(Exception):
                self.agent.post("release", {"folder": folder, "etag": etag, "done": done})
        finally:
            if free:
                self._renewing.release()

    def ask_range(self, length: int) -> tuple[int, int] | None:
        """The range that we may fetch for the one that we follow; None if there is none now. SourceError."""
        folder, etag = self.file
        answer = self.agent.post("range", {"folder": folder, "etag": etag, "size": self.size, "length": length})
        start, end = answer.get("start"), answer.get("end")
        known = isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= self.size
        return (start, end) if known else None  # type: ignore[return-value]

    def give_range_up(self, start: int) -> None:
        """The range that begins there is another's to fetch. Never raises."""
        folder, etag = self.file
        with contextlib.suppress(Exception):
            self.agent.post("range", {"folder": folder, "etag": etag, "size": self.size, "length": 0, "failed": start})

    def note_corrupt(self, peer: str, text: str) -> None:
        """A member gave wrong bytes: the agent shows it. Never raises."""
        with contextlib.suppress(Exception):
            self.agent.post("corrupt", {"peer": peer, "text": text})

    def _renew(self) -> None:
        while not self._ended.wait(EVERY) and self.is_ours:
            with self._renewing:
                if self._ended.is_set():
                    return
                try:
                    claimed = self.find(claim=True, lost=[], arrived=self.arrived()).get("claim")
                except Exception as error:  # the agent has ended: nobody follows us any more, and nothing else is lost
                    get_logger().debug("the claim on %s was not renewed: %s", self.file[1], error)
                    continue
                self.is_ours = isinstance(claimed, dict) and claimed.get("mine") is True

    def arrived(self) -> int:
        """The bytes of the largest part that this process writes."""
        sizes = [0]
        for path in self.blobs.glob(f"{partial.prefix(self.file[1])}*{partial.SUFFIX}"):
            with contextlib.suppress(OSError):
                sizes.append(path.stat().st_size)
        return max(sizes)


class Claims:
    """What this process has asked for and not ended yet."""

    def __init__(self) -> None:
        self._asked: dict[File, Asked] = {}
        self.helping = threading.Lock()  # one range for others at a time

    def after_fork(self) -> None:
        """In a child, whose parent goes on with its own."""
        self._asked.clear()
        self.helping = threading.Lock()

    def get(self, folder: str, etag: str) -> Asked | None:
        """What was asked for a file."""
        return self._asked.get((folder, etag))

    def ask(self, file: File, size: int, blobs: Path, agent: LocalAgent) -> Asked:
        """What was asked for this file before, or a new one."""
        found = self._asked.get(file)
        if found is None:
            found = self._asked[file] = Asked(file, size, blobs, agent)
        return found

    def end(self, file: File, done: bool) -> None:
        """The retrieval of a file has ended, whether or not it was asked for."""
        found = self._asked.pop(file, None)
        if found is not None:
            found.end(done)


def find_ours(folder: str, etag: str) -> Asked | None:
    """What was asked for a file, if other machines follow, or may, while this process fetches it."""
    found = session.part(Claims).get(folder, etag)
    return found if found is not None and found.is_ours else None


def was_yielded(folder: str, etag: str) -> bool:
    """Return whether a file was ours to fetch until another turned out to fetch it; False from then on."""
    found = session.part(Claims).get(folder, etag)
    if found is None or not found.was_yielded:
        return False
    found.was_yielded = False
    return True


@contextlib.contextmanager
def ended_with(folder: str, etag: str) -> Iterator[None]:
    """While a file is fetched: the fleet is told how it has ended, if it was asked."""
    done = False
    try:
        yield
        done = True
    finally:
        session.part(Claims).end((folder, etag), done)


def read_member(value: object) -> tuple[str, str] | None:
    """The peer id and URL in what an agent says; None where there are none."""
    if not isinstance(value, dict):
        return None
    peer, url = value.get("peer"), value.get("url")
    known = isinstance(peer, str) and isinstance(url, str) and url.startswith("http://")
    return (peer, url) if known else None  # type: ignore[return-value]
