"""Offer the fleet what lies in this machine's Hugging Face caches: public repos, every file verified first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from ..errors import FleetError, StoreError, Unavailable, Unresolved, VerificationError

if TYPE_CHECKING:
    from pathlib import Path

    from ..config.settings import Settings
    from ..store.scan import Snapshot
    from ..store.store import Store

Progress = Callable[[str, int], object]  # is called with a name and bytes


class Outcome(str, Enum):
    """What becomes of a commit. The values are in JSON."""

    OFFERED = "offered"
    WOULD_BE = "would be offered"
    CLOSED = "not public"
    OTHER_KIND = "not of a kind that is published"
    UNKNOWN = "the Hub could not say whether it is public, or what its files must be"
    DAMAGED = "damaged"
    FAILED = "failed"


@dataclass(frozen=True)
class Seed:
    """A commit in a cache: its files that are there, their sum in bytes, and what becomes of it.

    `damaged`: files whose bytes are not those of the commit; they stay where they are and are not offered.
    `reason`: in words, where there is more to say.
    """

    repo: str
    commit: str
    cache: str
    files: int
    bytes: int
    outcome: Outcome
    damaged: tuple[str, ...] = ()
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "outcome": self.outcome.value, "damaged": list(self.damaged)}


def seed(settings: Settings, *, dry_run: bool = False, progress: Progress | None = None) -> Iterator[Seed]:
    """Every commit in the caches, one after the other, as it is done.

    The Hub is asked of each repo whether everybody may read it. `dry_run`: nothing is hashed, linked or offered.
    `progress` is called with (path, bytes) of every file that was verified. FleetError where there is no fleet.
    """
    from ..fleet.folder import FleetFolder
    from ..maintenance.inventory import is_same
    from ..store import scan
    from . import open_store

    FleetFolder(settings.home).read()
    if settings.force_local or settings.publish == "off":
        raise FleetError(
            "nothing is offered while IPFS_ACCELERATE_PUBLISH is off or STORAGE_FORCE_LOCAL is set", "unset it"
        )
    store = open_store(settings)
    for cache in settings.lower:
        if not is_same(cache, store.root):
            for repo in scan.scan(cache):
                for snapshot in repo.snapshots:
                    if snapshot.present:
                        yield _seed(store, settings, cache, snapshot, dry_run, progress)


def _seed(
    store: Store, settings: Settings, cache: Path, snapshot: Snapshot, dry_run: bool, progress: Progress | None
) -> Seed:
    from ..net import timeouts
    from ..publish import eligibility
    from ..store.visibility import known_access

    repo_id, commit = snapshot.repo_id, snapshot.commit

    def say(outcome: Outcome, reason: str = "", damaged: tuple[str, ...] = ()) -> Seed:
        return Seed(repo_id, commit, str(cache), len(snapshot.present), snapshot.size, outcome, damaged, reason)

    if not eligibility.is_wanted(settings, repo_id):
        return say(Outcome.OTHER_KIND, "see IPFS_ACCELERATE_PUBLISH_KINDS")
    public = known_access(store, repo_id) or eligibility.prove_public(store, repo_id, timeouts.IDLE)
    if not public:
        return say(Outcome.UNKNOWN if public is None else Outcome.CLOSED)
    if dry_run:
        return say(Outcome.WOULD_BE)
    try:
        damaged = _offer(store, settings, repo_id, commit, [file.path for file in snapshot.present], progress)
    except Unresolved as error:
        return say(Outcome.UNKNOWN, str(error))
    except (StoreError, OSError) as error:
        return say(Outcome.FAILED, str(error))
    if damaged:
        return say(Outcome.DAMAGED, f"{len(damaged)} files are not offered", damaged)
    return say(Outcome.OFFERED)


def _offer(
    store: Store, settings: Settings, repo_id: str, commit: str, paths: list[str], progress: Progress | None
) -> tuple[str, ...]:
    """Verify the files, link them into the store, and leave the note by which they are published; the damaged ones."""
    from ..fetch.retrieval import Retrieval
    from ..publish import outbox
    from ..resolve import resolver

    on_closed = outbox.withdraw_closed(store, settings)
    resolution = resolver.resolve(store, settings, repo_id, commit, on_closed=on_closed)
    if not resolution.tree.complete:  # of a cache that has no listing
        resolution = resolver.learn_listing(store, settings, resolution, None, on_closed)
    retrieval = Retrieval(store, settings, resolution, local_only=True)
    there, damaged = [], []
    for path in paths:
        entry = resolution.tree.files.get(path)
        if entry is None:  # what a program has put there
            continue
        try:
            retrieval.make_present([path])
            there.append(path)
        except (VerificationError, Unavailable):
            damaged.append(path)
        if progress is not None:
            progress(path, entry.size)
    if there:
        outbox.leave_note(store, settings, resolution, there)
    return tuple(damaged)
