"""What is known about one revision of one repo, and according to whom."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum

from .tree import Tree


class Authority(str, Enum):
    """The authority for what the files of a commit must be. The values stand in `status --json` and in the store."""

    LOCK = "lock file"
    HUB = "hub"
    STORE = "store"  # what this machine has kept of the Hub's answers
    LOCAL_CACHES = "lower tier"  # what another cache of this machine shows
    PUBLISHER = "publisher"  # now, or kept from earlier and not confirmed by the Hub


@dataclass(frozen=True)
class Resolution:
    """What is known about one revision of one repo.

    `public`: whether the repo is readable without a token (None: unknown). `asking`: the Hub's answer that was not
    waited for. `publisher`: the name of the publisher that is the authority, if it answered just now.
    """

    repo_id: str
    revision: str
    tree: Tree
    authority: Authority
    public: bool | None
    cids: Mapping[str, str] = field(default_factory=dict)  # of files, where a lock file gives them
    asking: Future[Resolution] | None = field(default=None, compare=False, repr=False)
    publisher: str = ""

    @property
    def according_to(self) -> str:
        """The authority as text; a publisher with its name."""
        return f"{self.authority.value} {self.publisher}".rstrip()

    @property
    def commit(self) -> str:
        """The 40 hex digits."""
        return self.tree.commit
