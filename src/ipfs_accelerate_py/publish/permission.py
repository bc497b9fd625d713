"""Whether a commit may be published by command; if not, why, and what to do about it."""

from __future__ import annotations

from ..errors import PublishRefused
from ..ipfs.node import Node
from ..ipfs.swarm import has_swarm_key
from ..net import timeouts
from ..store import layout
from ..store.resolution import Resolution
from ..store.store import Store
from ..store.visibility import known_access
from . import eligibility


def check(store: Store, ipfs: Node, resolution: Resolution, closed: bool) -> None:
    """PublishRefused unless the repo is public, or `closed` is allowed and the node's swarm has a swarm key."""
    repo_id = resolution.repo_id
    public = known_access(store, repo_id)
    if public is not True:
        public = eligibility.prove_public(store, repo_id, timeouts.IDLE)
    if public:
        return
    if public is None:
        raise PublishRefused(
            f"the Hub does not answer whether {layout.repo_folder(repo_id)} is public, and only public repos may leave",
            "try again when the Hub answers",
        )
    if not closed:
        raise PublishRefused(
            f"{repo_id} is private, gated or unknown to the Hub, and may not leave this machine",
            "add --closed if every member of your private swarm may have it",
        )
    if not has_swarm_key(ipfs):
        raise PublishRefused(
            f"{repo_id} is closed, and the node's swarm has no swarm key that could be seen on this machine",
            "closed repos are published only to a swarm that a swarm key closes",
        )
