"""What can be done with models here, as functions with typed results: for the command line, and for other front ends.

They take the settings first. `to_dict()` of a result gives it as a JSON document. `ls`, `status` and `config`
answer at once, so what an operation needs is imported when it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import PublishRefused
from ..repo import read_name as read_name
from ..stats import stats

if TYPE_CHECKING:
    from ..config.settings import Settings
    from ..maintenance.audit import Audit as Audit
    from ..maintenance.audit import Damage as Damage
    from ..maintenance.collect import Collection as Collection
    from ..maintenance.eviction import Verdict as Verdict
    from ..maintenance.inventory import StoredCommit as StoredCommit
    from ..maintenance.lock_writer import Lock as Lock
    from ..publish.publisher import Publication as Publication
    from ..store.store import Store

Progress = Callable[[str, int], object]  # is called with a name and bytes


@dataclass(frozen=True)
class Supplied:
    """How many files a source gave, and their sum in bytes."""

    files: int
    bytes: int


@dataclass(frozen=True)
class Fetched:
    """A commit that is whole in the store: its files, their sum in bytes, and by source those that were not here."""

    repo: str
    commit: str
    files: int
    bytes: int
    sources: Mapping[str, Supplied]

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def open_store(settings: Settings) -> Store:
    """The store of the settings; StoreError where a newer version of ours has made it."""
    from ..store import version
    from ..store.store import Store

    store = Store(settings.home)
    version.check(store)
    return store


def list_commits(settings: Settings) -> list[StoredCommit]:
    """Every commit of which a file is here: those of the store first, then those of the local caches. No network."""
    from ..maintenance import inventory

    return inventory.list_commits(open_store(settings), settings)


def read_vouchers(settings: Settings) -> dict[str, dict[str, list[str]]]:
    """The authorities for the last loads: {repo id: {commit: [name, ...]}}."""
    from ..store import vouchers
    from ..store.store import Store

    return vouchers.read(Store(settings.home))


def fetch_repo(
    settings: Settings, repo_id: str, revision: str | None = None, progress: Progress | None = None
) -> Fetched:
    """Bring all files of a commit into the store.

    `progress` is called with (path, bytes) for every file that is there. Raises what `resolve` and
    `Retrieval.make_present` raise.
    """
    from ..fetch.retrieval import Retrieval
    from ..fleet import heed
    from ..publish import outbox
    from ..resolve import resolver

    store = open_store(settings)
    with heed.patient():
        resolution = resolver.resolve(
            store,
            settings,
            repo_id,
            revision,
            on_closed=outbox.withdraw_closed(store, settings),
            local_only=settings.force_local,
        )
    before = {name: tuple(row) for name, row in stats().served.items()}
    retrieval = Retrieval(store, settings, resolution)
    files = resolution.tree.files
    for path in files:
        retrieval.make_present([path])
        if progress is not None:
            progress(path, files[path].size)
    outbox.leave_note(store, settings, resolution, list(files))
    sources = {}
    for name, (count, size) in stats().served.items():
        old_count, old_size = before.get(name, (0, 0))
        if count > old_count:
            sources[name] = Supplied(count - old_count, size - old_size)
    return Fetched(repo_id, resolution.commit, len(files), sum(entry.size for entry in files.values()), sources)


def publish_repo(
    settings: Settings,
    repo_id: str,
    revision: str | None = None,
    complete: bool = False,
    closed: bool = False,
    progress: Progress | None = None,
) -> Publication:
    """Publish what the store has of a commit.

    `complete` fetches the rest first; `closed` lets a private or gated repo go to a node with a swarm key. Publishing
    that is under way in the background is waited for. `progress` is called with (path, bytes). Raises PublishRefused.
    """
    from ..fetch.retrieval import Retrieval
    from ..ipfs import node
    from ..net import timeouts
    from ..publish import outbox, permission, publisher
    from ..resolve import resolver

    store = open_store(settings)
    ipfs = node.open_node(settings)
    if ipfs is None:
        raise PublishRefused(
            "there is no IPFS node to publish with",
            "start one with 'ipfs daemon', or set IPFS_ACCELERATE_NODE to its RPC address",
        )
    ipfs.peer_id()  # a clear error now if no node is there
    ipfs.rpc.idle_timeout = max(ipfs.rpc.idle_timeout, timeouts.IDLE)
    resolution = resolver.resolve(store, settings, repo_id, revision, on_closed=outbox.withdraw_closed(store, settings))
    permission.check(store, ipfs, resolution, closed)
    if complete:
        Retrieval(store, settings, resolution).make_present(resolution.tree.files)
    if not any(store.find(repo_id, resolution.commit, path, entry) for path, entry in resolution.tree.files.items()):
        raise PublishRefused(
            f"the store has no file of {repo_id} at commit {resolution.commit[:12]}",
            f"load it once, or run 'python -m ipfs_accelerate_py.hook fetch {repo_id}', or add --all",
        )
    revisions = store.revisions_at(repo_id, resolution.commit)
    with outbox.publishing(store):
        return publisher.publish(store, ipfs, repo_id, resolution.tree, revisions, progress)


def lock_repos(
    settings: Settings,
    repo_ids: Sequence[str],
    revision: str | None = None,
    path: Path | None = None,
    closed: bool = False,
) -> Lock:
    """Write what every file of these repos must be into a lock file: see `maintenance.lock_writer.lock_repos`."""
    from ..maintenance import lock_writer

    return lock_writer.lock_repos(open_store(settings), settings, repo_ids, revision, path, closed)


def verify_store(
    settings: Settings, repo_ids: Sequence[str] = (), repair: bool = False, progress: Progress | None = None
) -> Audit:
    """Hash every visible file of these repos again (all, if none is named), and report what is damaged.

    A repo is named as `org/name`, or as `org/name@revision` for the files of one commit. With `repair` what is damaged
    is removed and fetched anew, never from a cache of this machine. `progress` is called with (path, bytes) for every
    chunk that was read. Raises StoreError for a repo of which the store has nothing, LockFileError.
    """
    from ..maintenance.audit import audit_store

    store = open_store(settings)
    audit = audit_store(store, settings, repo_ids, progress)
    if repair and audit.bad:
        from ..maintenance.repair import repair_all

        audit = replace(audit, bad=repair_all(store, settings, audit.bad))
    return audit


def collect_garbage(
    settings: Settings,
    dry_run: bool = False,
    older_than: float | None = None,
    max_size: int | None = None,
    progress: Progress | None = None,
) -> Collection:
    """Remove what is of no more use: see `maintenance.collect.collect_garbage`."""
    from ..maintenance import collect

    return collect.collect_garbage(open_store(settings), settings, dry_run, older_than, max_size, progress)


def check_node_address(setting: str) -> None:
    """SettingsError for what is no value of IPFS_ACCELERATE_NODE."""
    from ..ipfs.address import node_address

    node_address(setting)


def silence_progress() -> None:
    """From now on this process draws no bars."""
    from ..fetch import progress

    progress.silence()


@contextmanager
def count_bytes(verb: str) -> Iterator[Progress]:
    """A bar for many files, on a terminal: a function to call with the name and the bytes of a file."""
    from ..fetch import progress

    bar = progress.begin(verb)

    def count(name: str, size: int) -> None:
        bar.label(name)
        bar.advance(size)

    try:
        yield count
    finally:
        bar.finish()
