"""The commit of a revision and its listing according to this machine: the store, and the local caches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from ..config.forms import users_cache
from ..config.settings import Settings
from ..errors import StoreError
from ..hf_cache.other_caches import OtherCaches
from ..log import get_logger
from ..net.futures import has_ended, submit
from ..store import layout, leases
from ..store.fs import past
from ..store.resolution import Authority, Resolution
from ..store.store import Store
from ..store.tree import Entry, Tree
from ..store.visibility import known_access
from .absence import drop_empty_listing

T = TypeVar("T")


class LocalAuthority:
    """What this machine knows of one revision, and what it is to remember of it."""

    def __init__(self, store: Store, settings: Settings, repo_id: str, revision: str) -> None:
        self.store, self.settings = store, settings
        self.repo_id, self.revision = repo_id, revision
        self.pinned = layout.is_commit(revision)
        self.caches = OtherCaches(settings.lower)
        self._kept: dict[str, Tree] = {}

    def find(self, *, alone: bool = False) -> Resolution | None:
        """The resolution according to the store and the local caches. `alone`: no other source gives bytes either."""
        commit, unconfirmed = self.revision, False
        if not self.pinned:
            learnt = _ask_caches(self.settings, lambda: self.caches.known_commit(self.repo_id, self.revision))
            own = self.store.read_ref(self.repo_id, self.revision)
            unconfirmed = own is not None and self.store.is_unconfirmed(self.repo_id, f"refs/{self.revision}")
            if own and (learnt is None or (not unconfirmed and self._learnt_own() >= learnt[1])):
                commit = own
                if alone and learnt is not None and not self._offers_as_much(own, learnt[0]):
                    commit, unconfirmed = learnt[0], False
            elif learnt:
                commit, unconfirmed = learnt[0], False
            else:
                return None
        if self.store.path(layout.tree_path(self.repo_id, commit)).exists():
            leases.take(self.store, self.repo_id, commit)  # before it is read: `gc` leaves it and its files alone now
        tree = self.read_tree(commit)
        if tree is None:
            drop_empty_listing(self.store, self.repo_id, commit)
        else:
            unconfirmed = unconfirmed or self.store.is_unconfirmed(self.repo_id, commit)
            return self.resolution(tree, Authority.PUBLISHER if unconfirmed else Authority.STORE)
        tree = _ask_caches(self.settings, lambda: self.caches.known_tree(self.repo_id, commit))
        return None if tree is None else self.resolution(tree, Authority.LOCAL_CACHES)

    def _offers_as_much(self, own: str, cached: str) -> bool:
        """Return whether the store has, at commit `own`, every file that a cache shows at commit `cached`.

        Where it lacks any, plain finds more at the latter.
        """
        tree = None if own == cached else self.store.read_tree(self.repo_id, own)
        if tree is None:
            return True
        shown = _ask_caches(self.settings, lambda: self.caches.shown(self.repo_id, cached)) or set()
        found = {path: tree.files[path] for path in shown if path in tree.files}
        lacking = [entry.etag for path, entry in found.items() if not self.holds(own, path, entry)]
        return not lacking or bool(_ask_caches(self.settings, lambda: self.caches.hold_all(self.repo_id, lacking)))

    def _learnt_own(self) -> float:
        try:
            return past(self.store.path(layout.ref_path(self.repo_id, self.revision)).stat().st_mtime)
        except OSError:
            return 0.0

    def with_proven(self, tree: Tree) -> Tree:
        """The tree, with the kept rows of files that are here: a commit never changes, and these rows were verified."""
        kept = self.read_tree(tree.commit)
        if kept is not None and kept.files == tree.files:
            return replace(tree, files=kept.files)  # from now on they are seen to be the same at a glance
        if kept is None or self.store.is_unconfirmed(self.repo_id, tree.commit):
            return tree
        if not tree.is_listing:
            return Tree(kept.commit, kept.files, tree.info or kept.info, kept.complete)
        proven = {path: row for path, row in kept.files.items() if self.holds(tree.commit, path, row)}
        return Tree(tree.commit, {**tree.files, **proven}, tree.info)

    def holds(self, commit: str, path: str, entry: Entry) -> bool:
        """Return whether the store has a file of a commit, as the entry describes it."""
        return self.store.find(self.repo_id, commit, path, entry) is not None

    def keep(self, tree: Tree, *, unconfirmed: bool = False) -> None:
        """Remember on disk; a store that cannot be written is no reason to fail here."""
        try:
            kept = self.read_tree(tree.commit)
            new = kept is None or kept.files != tree.files
            better = kept is None or (not unconfirmed and (new or self.store.is_unconfirmed(self.repo_id, tree.commit)))
            if better and tree.is_listing:
                self.store.write_tree(self.repo_id, tree, unconfirmed=unconfirmed)
                self._kept[tree.commit] = tree
            if not self.pinned:
                self.store.write_ref(self.repo_id, self.revision, tree.commit, unconfirmed=unconfirmed)
        except StoreError as error:
            get_logger().debug("%s", error)

    def read_tree(self, commit: str) -> Tree | None:
        """The kept listing of a commit. Read once: it may be of tens of thousands of files."""
        tree = self._kept.get(commit) or self.store.read_tree(self.repo_id, commit)
        if tree is not None:
            self._kept[commit] = tree
        return tree

    def resolution(
        self, tree: Tree, authority: Authority, public: bool | None = None, publisher: str = ""
    ) -> Resolution:
        """A resolution of this revision. `public`: None stands for what was learnt last."""
        if public is None:
            public = known_access(self.store, self.repo_id)
        return Resolution(self.repo_id, self.revision, tree, authority, public, publisher=publisher)


def read_stamps(store: Store, settings: Settings, repo_id: str, revision: str) -> tuple[str, ...]:
    """When the refs of a revision were last written, in the store and in the caches; none for a commit."""
    if layout.is_commit(revision):
        return ()
    ref = layout.ref_path(repo_id, revision)
    # plain reads the one cache itself, and waits for it as long as that takes; a thread would cost each call more
    plains = users_cache()
    found = [_stamp(store.path(ref)), _stamp(plains / ref)]
    if others := [cache for cache in settings.lower if cache != plains]:
        found += _ask_caches(settings, lambda: [_stamp(cache / ref) for cache in others]) or ()
    return tuple(found)


def _ask_caches(settings: Settings, function: Callable[[], T | None]) -> T | None:
    """The result of `function`, which reads local caches, or None if they are silent: a mount may hang."""
    asking = submit(function)
    if has_ended(asking, settings.timeout):
        return asking.result()
    get_logger().warning("the caches in IPFS_ACCELERATE_LOWER are silent: going on without them")
    return None


def _stamp(file: Path) -> str:
    try:
        return str(file.stat().st_mtime_ns)
    except OSError:
        return ""
