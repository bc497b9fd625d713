"""What `fetch`, `publish` and `lock` do, as functions that give a dict for `--json`."""

from __future__ import annotations

from typing import Any

from . import state
from .config.settings import read_settings
from .errors import PublishRefused
from .fetch.retrieval import Retrieval
from .ipfs import node
from .maintenance.lock_writer import lock_repos
from .publish import eligibility, outbox, publisher
from .resolve import resolver
from .resolve.resolver import Resolution
from .store import layout
from .store.store import Store
from .store.visibility import known_access

__all__ = ["fetch_repo", "lock_repos", "publish_repo"]


def fetch_repo(repo_id: str, revision: str | None = None, progress: Any = None) -> dict[str, Any]:
    """Bring all files of a commit into the store; `{repo, commit, files, bytes, sources}`.

    `progress`, if given, is called with (file name, bytes) for each file that is there. Raises what `resolve` and
    `Retrieval.make_present` raise.
    """
    settings = read_settings()
    store = Store(settings.home)
    resolution = resolver.resolve(
        store,
        settings,
        repo_id,
        revision,
        on_closed=outbox.withdraw_closed(store, settings),
        local_only=settings.force_local,
    )
    before = {name: tuple(row) for name, row in state.served.items()}
    retrieval = Retrieval(store, settings, resolution)
    files = resolution.tree.files
    for path in files:
        retrieval.make_present([path])
        if progress is not None:
            progress(path, files[path].size)
    outbox.leave_note(store, settings, resolution, list(files))
    sources = {}
    for name, (count, size) in state.served.items():
        old_count, old_size = before.get(name, (0, 0))
        if count > old_count:
            sources[name] = {"files": count - old_count, "bytes": size - old_size}
    size = sum(entry.size for entry in files.values())
    return {"repo": repo_id, "commit": resolution.commit, "files": len(files), "bytes": size, "sources": sources}


def publish_repo(
    repo_id: str,
    revision: str | None = None,
    complete: bool = False,
    closed: bool = False,
    progress: publisher.Progress | None = None,
) -> dict[str, Any]:
    """Publish what the store has of a commit; `{repo, commit, files, bytes, publisher, cid}`.

    `complete` fetches the rest first; `closed` lets a private or gated repo go to a node with a swarm key. One that is
    under way in the background is waited for. `progress` is called with (path, bytes). PublishRefused says why not.
    """
    settings = read_settings()
    store = Store(settings.home)
    ipfs = node.open_node(settings)
    if ipfs is None:
        raise PublishRefused(
            "there is no IPFS node to publish with",
            "start one with 'ipfs daemon', or set IPFS_ACCELERATE_NODE to its RPC address",
        )
    ipfs.peer_id()  # a clear word now if nobody is there
    ipfs.rpc.silence = max(ipfs.rpc.silence, node.PATIENCE)
    resolution = resolver.resolve(store, settings, repo_id, revision, on_closed=outbox.withdraw_closed(store, settings))
    _check_access(store, ipfs, resolution, closed)
    if complete:
        Retrieval(store, settings, resolution).make_present(resolution.tree.files)
    if not any(store.find(repo_id, resolution.commit, path, entry) for path, entry in resolution.tree.files.items()):
        raise PublishRefused(
            f"the store has no file of {repo_id} at commit {resolution.commit[:12]}",
            f"load it once, or run 'python -m ipfs_accelerate_py.hook fetch {repo_id}', or add --all",
        )
    revisions = store.revisions_at(repo_id, resolution.commit)
    with outbox.publishing(store):
        return publisher.publish(store, ipfs, repo_id, resolution.tree, revisions, progress).to_dict()


def _check_access(store: Store, ipfs: node.Node, resolution: Resolution, closed: bool) -> None:
    repo_id = resolution.repo_id
    public = known_access(store, repo_id)
    if public is not True:
        public = eligibility.prove_public(store, repo_id, node.PATIENCE)
    if public:
        return
    if public is None:
        raise PublishRefused(
            f"the Hub cannot say now whether {layout.repo_folder(repo_id)} is public, and only public repos may leave",
            "try again when the Hub answers",
        )
    if not closed:
        raise PublishRefused(
            f"{repo_id} is private, gated or unknown to the Hub, and may not leave this machine",
            "add --closed if every member of your private swarm may have it",
        )
    if not ipfs.has_swarm_key():
        raise PublishRefused(
            f"{repo_id} is closed, and the node's swarm has no swarm key that could be seen on this machine",
            "closed repos are published only to a swarm that a swarm key closes",
        )
