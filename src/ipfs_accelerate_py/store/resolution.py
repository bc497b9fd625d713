"""What is known about one revision of one repo, and according to whom."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum

from .tree import Tree


class Authority(str, Enum):
    """Who said what the files of a commit must be. The values stand in `status --json` and in the store."""

    LOCK = "lock file"
    HUB = "hub"
    STORE = "store"  # what this machine has kept of the Hub's answers
    LOCAL_CACHES = "lower tier"  # what another cache of this machine shows
    PUBLISHER = "publisher"  # now, or kept from earlier and not confirmed by the Hub


@dataclass(frozen=True)
class Resolution:
    """What is known about one revision of one repo.

    `public`: may anybody read the repo (None: not known)? `asking`: the Hub has been asked, and not been waited for.
    `publisher`: the name of the one who said it just now.
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
        """The authority in words; of a publisher with the name."""
        return f"{self.authority.value} {self.publisher}".rstrip()

    @property
    def commit(self) -> str:
        """The 40 hex digits."""
        return self.tree.commit
