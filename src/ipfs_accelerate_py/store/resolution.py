"""What is known about one revision of one repo, and whose word it is."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

from .tree import Tree

HEARSAY = "publisher"  # whose word it is when a publisher's was kept earlier
LOCK = "lock file"
HUB = "hub"
STORE = "store"  # what this machine has kept
LOWER = "lower tier"  # what another cache of this machine shows


@dataclass(frozen=True)
class Resolution:
    """What is known about one revision of one repo.

    `word` says whose word it is: lock file, hub, store, lower tier, or a publisher. `public`: may anybody read the
    repo (None: not known)? `asking`: the Hub has been asked, and not been waited for.
    """

    repo_id: str
    revision: str
    tree: Tree
    word: str
    public: bool | None
    cids: Mapping[str, str] = field(default_factory=dict)  # of files, where a lock file gives them
    asking: Future[Resolution] | None = field(default=None, compare=False, repr=False)

    @property
    def commit(self) -> str:
        """The 40 hex digits."""
        return self.tree.commit
