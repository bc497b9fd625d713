"""The store: a Hugging Face cache folder into which only verified bytes are renamed.

Temporary files end in `.incomplete`; a file named by an etag is complete. Nothing is visible before it is whole: bytes
go to a temporary file beside the blob, are hashed on the way, synced, renamed, and only then linked into the
snapshot.
All else that is ours lies in `.locks/ipfs_accelerate`, the only dot folder that `hf cache ls` passes over.
"""

from __future__ import annotations

import contextlib
import functools
import os
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import StoreError
from ..files import make_folder
from ..log import get_logger
from . import layout, lines
from .layout import Own
from .rows import Rows
from .stat_cache import StatCache
from .tree import MAX_BYTES, Entry, Tree, tree_from_json
from .verify import Mismatch, verify_file
from .writer import Writer


class Store:
    """One folder in the Hugging Face cache layout. Reading never writes; writing raises StoreError with the reason."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.stat_cache = StatCache(self.own_folder / Own.VERIFIED)
        self.is_ours = True  # else other programs write here as well, and every file is read once

    def __repr__(self) -> str:
        return f"Store({str(self.root)!r})"

    @property
    def own_folder(self) -> Path:
        """Our own index, queue and scratch files."""
        return self.root / ".locks" / "ipfs_accelerate"

    def path(self, relative: str) -> Path:
        """A path of `layout` in this store."""
        return self.root / relative

    # -- files ------------------------------------------------------------------------------------------------------
    def find(self, repo_id: str, commit: str, path: str, entry: Entry | None = None) -> Path | None:
        """The visible file, or None. With an entry, one of another size, or a link to another blob, does not count."""
        found = _visible(self.root, repo_id, commit, path)
        try:
            status = os.stat(found)
            if not stat.S_ISREG(status.st_mode):
                return None
            if entry is None:
                return found
            if status.st_size != entry.size or not self._is_link_to(found, entry.etag):
                return None
            return found if self._is_still_right(found, entry, status) else None
        except OSError:
            return None

    @staticmethod
    def _is_link_to(path: Path, etag: str) -> bool:
        try:
            return os.path.basename(os.readlink(path)) == etag
        except OSError:
            return True  # a hard link, where there are no symlinks

    def find_blob(self, repo_id: str, entry: Entry) -> Path | None:
        """The complete blob with this etag, or None."""
        blob = self.path(layout.blob_path(repo_id, entry.etag))
        try:
            status = os.stat(blob)
        except OSError:
            return None
        right = stat.S_ISREG(status.st_mode) and status.st_size == entry.size
        return blob if right and self._is_still_right(blob, entry, status) else None

    def _is_still_right(self, blob: Path, entry: Entry, status: os.stat_result) -> bool:
        """Return whether a blob is unchanged. It is read if it has, or had, another name, as in a local cache."""
        if self.is_ours and status.st_nlink < 2 and not self.stat_cache.is_noted(entry.etag):
            return True
        if (known := self.stat_cache.is_known(entry.etag, status)) is not None:
            return known
        try:
            verify_file(blob, entry)
        except Mismatch as mismatch:
            self.stat_cache.refuse(entry.etag, status)
            get_logger().warning("%s was changed in place (%s): it is fetched again", blob, mismatch)
            return False
        except OSError:
            return False
        self.stat_cache.remember(entry.etag, status)
        return True

    @contextlib.contextmanager
    def receive(self, repo_id: str, entry: Entry) -> Iterator[Writer]:
        """A Writer for one blob; what it holds is removed unless `finish` was called."""
        with self.writing():
            writer = self.new_writer(repo_id, entry)
        try:
            yield writer
        finally:
            writer.discard()

    def new_writer(self, repo_id: str, entry: Entry, stopped: threading.Event | None = None) -> Writer:
        """A Writer for one blob, for the caller to finish or to discard; `stopped` ends its work. Raises OSError."""
        blobs = self.path(layout.blob_path(repo_id, entry.etag)).parent
        make_folder(blobs)
        return Writer(blobs, entry, stopped)

    def link(self, repo_id: str, commit: str, path: str, entry: Entry) -> Path:
        """Make a complete blob visible as a file of the commit."""
        visible = self.path(layout.snapshot_path(repo_id, commit, path))
        blob = self.path(layout.blob_path(repo_id, entry.etag))
        with self.writing():
            self._replace(visible, lambda temporary: _link(blob, visible.parent, temporary))
            with contextlib.suppress(OSError):
                self.path(layout.missing_path(repo_id, commit, path)).unlink()
        return visible

    def mark_missing(self, repo_id: str, commit: str, path: str) -> None:
        """Write down, as huggingface_hub does, that the commit has no such file."""
        mark = self.path(layout.missing_path(repo_id, commit, path))
        if not mark.exists():
            with self.writing():
                make_folder(mark.parent)
                mark.touch()

    # -- refs and listings ------------------------------------------------------------------------------------------
    def read_ref(self, repo_id: str, revision: str) -> str | None:
        """The commit a branch or tag pointed to when this machine last learnt it."""
        return read_ref(self.root, repo_id, revision)

    def revisions_at(self, repo_id: str, commit: str) -> list[str]:
        """The branches and tags that this machine knows to point to a commit."""
        refs = self.path(f"{layout.repo_folder(repo_id)}/refs")
        names = [ref.relative_to(refs).as_posix() for ref in refs.rglob("*") if ref.is_file()]
        return sorted(name for name in names if self.read_ref(repo_id, name) == commit)

    def write_ref(self, repo_id: str, revision: str, commit: str, *, unconfirmed: bool = False) -> None:
        """Remember the commit of a revision, and when it was learnt (the file's time). `unconfirmed`: a publisher's."""
        ref = self.path(layout.ref_path(repo_id, revision))
        with self.writing():
            # huggingface_hub calls a cache broken whose refs point to a snapshot that has no folder
            make_folder(self.path(layout.snapshot_path(repo_id, commit)))
            self._mark_unconfirmed(repo_id, f"refs/{revision}", unconfirmed)
            if read_ref(self.root, repo_id, revision) == commit:
                os.utime(ref)
            else:
                self.write_file(ref, commit.encode())

    def read_tree(self, repo_id: str, commit: str) -> Tree | None:
        """The kept listing of a commit, or None."""
        return read_tree(self.root, repo_id, commit, self.stat_cache)

    def write_tree(self, repo_id: str, tree: Tree, *, unconfirmed: bool = False) -> None:
        """Keep the listing of a commit. `unconfirmed`: according to a publisher; the Hub's listing will replace it."""
        with self.writing():
            make_folder(self.path(layout.snapshot_path(repo_id, tree.commit)))
            self._mark_unconfirmed(repo_id, tree.commit, unconfirmed)
            path, raw = self.path(layout.tree_path(repo_id, tree.commit)), tree.to_json()
            self.write_file(path, raw)
            if isinstance(tree.files, Rows) and (name := lines.name_of(raw)):
                self.stat_cache.remember(name, os.stat(path))

    def is_unconfirmed(self, repo_id: str, what: str) -> bool:
        """Return whether `refs/<revision>`, or the listing of a commit, is according to a publisher and not the Hub."""
        return self._unconfirmed(repo_id, what).exists()

    def _unconfirmed(self, repo_id: str, what: str) -> Path:
        return self.own_folder / Own.UNCONFIRMED / layout.repo_folder(repo_id) / layout.check_path(what)

    def _mark_unconfirmed(self, repo_id: str, what: str, unconfirmed: bool) -> None:
        mark = self._unconfirmed(repo_id, what)
        if unconfirmed:
            make_folder(mark.parent)
            mark.touch()
        else:
            mark.unlink(missing_ok=True)

    def write_file(self, path: Path, data: bytes) -> None:
        """Replace a small file in one step. Raises OSError."""

        def fill(temporary: Path) -> None:
            with open(temporary, "xb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())

        self._replace(path, fill)

    def _replace(self, path: Path, make: Callable[[Path], None]) -> None:
        # Not in the folder of `path`: huggingface_hub takes every file below refs/ and snapshots/ for its own.
        scratch = self.own_folder / Own.SCRATCH
        make_folder(scratch)
        temporary = scratch / f"{os.getpid()}-{os.urandom(6).hex()}.incomplete"
        try:
            make(temporary)
            make_folder(path.parent)
            try:
                os.replace(temporary, path)
            except FileNotFoundError:  # a collection has just removed the folder, which was empty
                make_folder(path.parent)
                os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Turn an OSError into a StoreError with a hint."""
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"the store {self.root} cannot be written: {error.strerror or error}",
                "free some space or make the folder writable, or name another one in IPFS_ACCELERATE_HOME",
            ) from error


def read_ref(root: Path, repo_id: str, revision: str) -> str | None:
    """The commit that `refs/<revision>` names in any Hugging Face cache folder, or None."""
    try:
        commit = (root / layout.ref_path(repo_id, revision)).read_text("ascii").strip()
    except (OSError, ValueError):
        return None
    return commit if layout.is_commit(commit) else None


def read_tree(root: Path, repo_id: str, commit: str, known: StatCache | None = None) -> Tree | None:
    """The listing that any Hugging Face cache folder keeps of a commit, or None. `known`: what needs no other look."""
    try:
        with open(root / layout.tree_path(repo_id, commit), "rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if known is not None and (name := lines.name_of(raw)) and known.is_noted(name):
            return lines.tree_from_lines(commit, raw)
        return tree_from_json(commit, raw)
    except (OSError, ValueError):
        return None


@functools.lru_cache(maxsize=4096)
def _visible(root: Path, repo_id: str, commit: str, path: str) -> Path:
    """The path of a commit's file: every warm load asks for the same few."""
    return root / layout.snapshot_path(repo_id, commit, path)


def _link(blob: Path, folder: Path, temporary: Path) -> None:
    """A relative symlink to `blob` as seen from `folder`, or a hard link where there are no symlinks."""
    try:
        os.symlink(os.path.relpath(blob, folder), temporary)
    except OSError:
        os.link(blob, temporary)
