"""Repos that this process has changed on the Hub: until the Hub's next answer about them, no other authority counts."""

from __future__ import annotations

from ..session import Recent, session


class Changes:
    """How often a repo was changed, and which answers of the Hub are newer."""

    def __init__(self) -> None:
        self.serials: dict[str, int] = {}  # of the repos that this process writes to: few
        self.answered: Recent[tuple[str, str], int] = Recent()


def note(repo_id: str) -> None:
    """The repo was just written to, or may have been."""
    session.part(Changes).serials[repo_id] = serial(repo_id) + 1


def serial(repo_id: str) -> int:
    """A number that differs after every change: an answer to an earlier request is out of date."""
    return session.part(Changes).serials.get(repo_id, 0)


def is_open(repo_id: str, revision: str) -> bool:
    """Return whether the Hub has given no answer about this branch or tag since the last change."""
    return session.part(Changes).answered.get((repo_id, revision), 0) != serial(repo_id)


def close(repo_id: str, revision: str, asked_at: int) -> None:
    """Note the Hub's answer about a branch or tag, to a request at this serial number."""
    session.part(Changes).answered[repo_id, revision] = asked_at
