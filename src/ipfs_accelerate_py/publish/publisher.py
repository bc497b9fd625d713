"""Publish what the store has of a commit: blobs to the node, the tree to MFS, the tree's root under an IPNS name.

The fleet tree has the store's own layout (see `layout`), without `blobs/`. Only MFS refers to what was added: removing
a path from the tree is all that is needed for the node to drop it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import SourceError
from ..ipfs.fleet_tree import MFS_ROOT
from ..ipfs.node import Node
from ..ipfs.obstacles import report_obstacles
from ..ipfs.rpc_errors import NodeAnswer
from ..ipfs.swarm import announce, key_of_repo
from ..ipfs.tree_repair import mend
from ..log import get_logger, say_once
from ..store import layout
from ..store.layout import Own
from ..store.store import Store
from ..store.tree import Tree
from . import by_reference

OWN_KEY = "ipfs_accelerate"
Progress = Callable[[str, int], object]


@dataclass(frozen=True)
class Publication:
    """What was published: `cid` is the snapshot folder's, `bytes` the sum of its files, `publisher` an IPNS name."""

    repo: str
    commit: str
    files: int
    bytes: int
    publisher: str
    cid: str

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def publish(
    store: Store, node: Node, repo_id: str, tree: Tree, revisions: list[str], progress: Progress | None = None
) -> Publication:
    """Put every file of the commit that the store has into the node's tree, and the tree under the node's name.

    Whether that is allowed was decided before (`eligibility`). Can be repeated and interrupted. Raises SourceError.
    `progress` is called with (path, bytes) for every file that is there.
    """
    key = _choose_key(node)
    mend(node)
    snapshot = f"{MFS_ROOT}/{layout.snapshot_path(repo_id, tree.commit)}"
    present = [path for path, entry in tree.files.items() if store.find(repo_id, tree.commit, path, entry)]
    for path in present:
        _place(store, node, repo_id, tree, path, f"{snapshot}/{path}")
        if progress is not None:
            progress(path, tree.files[path].size)
    node.make_folder(f"{MFS_ROOT}/{layout.repo_folder(repo_id)}/trees")
    node.write(f"{MFS_ROOT}/{layout.tree_path(repo_id, tree.commit)}", tree.to_json())
    for revision in revisions:
        ref = f"{MFS_ROOT}/{layout.ref_path(repo_id, revision)}"
        node.make_folder(ref.rpartition("/")[0])
        node.write(ref, tree.commit.encode())
    root, folder = node.stat(MFS_ROOT), node.stat(snapshot)
    if root is None or folder is None:
        raise SourceError(f"the node lost {MFS_ROOT} while it was written", "publish again")
    name = node.publish(str(root["Hash"]), key)
    try:
        announce(node, layout.repo_folder(repo_id))
    except SourceError as error:  # a node without peers: the tree is there, and is announced when peers come
        get_logger().info("%s is published but not announced to the swarm: %s", repo_id, error)
        report_obstacles(node, peers=False)
    size = sum(tree.files[path].size for path in present)
    done = Publication(repo_id, tree.commit, len(present), size, name, str(folder["Hash"]))
    _remember(store, done, present, node.address)
    return done


def withdraw(store: Store, node: Node, repo_id: str, commit: str | None = None) -> bool:
    """Take a repo, or one commit of it, out of the node's tree, and publish what is left; False if it had none of it.

    The node's garbage collector then takes the blocks. Can be repeated and interrupted. SourceError if it fails.
    """
    folder = f"{MFS_ROOT}/{layout.repo_folder(repo_id)}"
    paths = [folder] if commit is None else _paths_of(node, folder, repo_id, commit)
    present = [path for path in paths if node.stat(path) is not None]
    for path in present:
        node.remove(path)
    root = node.stat(MFS_ROOT)
    if present and root is not None:
        node.publish(str(root["Hash"]), _choose_key(node))
    if commit is None:
        with contextlib.suppress(SourceError):  # nor does it announce any longer that it holds the model
            node.remove_block(key_of_repo(layout.repo_folder(repo_id)))
        records = [*_record(store, repo_id, "0" * 40).parent.glob("*.json")]
    else:
        records = [_record(store, repo_id, commit)]
    for record in records:
        record.unlink(missing_ok=True)
    return bool(present)


def _paths_of(node: Node, folder: str, repo_id: str, commit: str) -> list[str]:
    paths = [f"{MFS_ROOT}/{layout.snapshot_path(repo_id, commit)}", f"{MFS_ROOT}/{layout.tree_path(repo_id, commit)}"]
    refs = node.stat(f"{folder}/refs")
    if refs is not None:
        paths.extend(
            f"{folder}/refs/{path}"
            for path in node.files_below(f"/ipfs/{refs['Hash']}")
            if node.read(f"/ipfs/{refs['Hash']}/{path}", 256).strip() == commit.encode()
        )
    return paths


def published_commits(store: Store, repo_id: str) -> list[str]:
    """The commits of a repo that this machine has published."""
    return sorted(path.stem for path in _record(store, repo_id, "0" * 40).parent.glob("*.json"))


def published_paths(store: Store, repo_id: str, commit: str, node: str | None = None) -> set[str]:
    """The files of a commit that this machine has published. `node`: by the node at that address, as far as known."""
    try:
        record = json.loads(_record(store, repo_id, commit).read_bytes())
        return set() if node and record.get("node", node) != node else set(record["paths"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()


def _place(store: Store, node: Node, repo_id: str, tree: Tree, path: str, target: str) -> None:
    entry = tree.files[path]
    found = node.stat(target)
    if found is not None and found.get("Size") == entry.size:
        return
    node.make_folder(target.rpartition("/")[0])
    _add(store, node, repo_id, tree, path, target)


def _add(store: Store, node: Node, repo_id: str, tree: Tree, path: str, target: str) -> None:
    """Add the blob itself, not the link to it: by reference where the node allows that, else as a second copy."""
    blob = store.path(layout.blob_path(repo_id, tree.files[path].etag)).resolve()
    repo = node.repo_path()
    if repo is not None and blob.is_relative_to(repo.resolve().parent):
        try:
            by_reference.place(store, node, blob, target)
            return
        except NodeAnswer as error:
            reason = str(error)
    else:
        reason = "the store is not below the folder that holds the node's repo"
    say_once(
        f"the node keeps a second copy of each file, because {reason}; docs: 'One copy on disk' shows how to avoid that"
    )
    node.place(blob, target)


def _choose_key(node: Node) -> str:
    """`self`, unless the node's own name is in use for something that is not ours: then a key of our own."""
    try:
        current = node.resolve(node.peer_id())
    except SourceError:
        return "self"  # never published, or not to be found
    root = node.stat(MFS_ROOT)
    if root is not None and current == f"/ipfs/{root['Hash']}":
        return "self"
    try:
        names = node.names_in(current)
    except SourceError:
        return "self"  # an older tree that was collected since: nothing is lost
    if all(name == "gateways" or layout.repo_of(name) for name in names):
        return "self"
    node.make_key(OWN_KEY)
    return OWN_KEY


def _record(store: Store, repo_id: str, commit: str) -> Path:
    return store.own_folder / Own.PUBLISHED / layout.repo_folder(repo_id) / f"{commit}.json"


def _remember(store: Store, done: Publication, paths: list[str], node: str) -> None:
    try:
        record = {**done.to_dict(), "paths": sorted(paths), "node": node}
        store.write_file(_record(store, done.repo, done.commit), json.dumps(record).encode())
    except OSError as error:
        get_logger().debug("what was published is not remembered: %s", error)
