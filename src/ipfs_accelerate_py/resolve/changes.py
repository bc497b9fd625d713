"""Repos that this process has changed on the Hub: until the Hub tells what they are now, no other authority counts."""

from __future__ import annotations

from ..session import Recent, session


class Changes:
    """How often a repo was changed, and what the Hub has told since."""

    def __init__(self) -> None:
        self.serials: dict[str, int] = {}  # of the repos that this process writes to: few
        self.answered: Recent[tuple[str, str], int] = Recent()


def note(repo_id: str) -> None:
    """The repo was just written to, or may have been."""
    session.part(Changes).serials[repo_id] = serial(repo_id) + 1


def serial(repo_id: str) -> int:
    """Another number after each change: what was asked before it says nothing of what is now."""
    return session.part(Changes).serials.get(repo_id, 0)


def is_open(repo_id: str, revision: str) -> bool:
    """Has the Hub not told of this branch or tag since the last change?"""
    return session.part(Changes).answered.get((repo_id, revision), 0) != serial(repo_id)


def close(repo_id: str, revision: str, asked_at: int) -> None:
    """The Hub has told of a branch or tag, and was asked at this serial number."""
    session.part(Changes).answered[repo_id, revision] = asked_at
