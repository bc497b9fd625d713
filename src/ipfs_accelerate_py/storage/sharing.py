"""Leave in the user's own Hugging Face cache what plain transformers would have left there.

Programs without the hook find the model there, and so does huggingface_hub. A blob there is a hard link to the store's:
on disk once. What is there already is left as it is, and where there can be no links nothing is done: never a copy,
and never a reason for a load to fail. What we left is noted, so that `gc` can count it and take it back.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from ..errors import IPFSAccelerateError
from ..log import get_logger
from . import layout
from .attempt import Attempt
from .folders import make_folder
from .resolution import LOCK, Resolution
from .shared_links import note_path
from .store import Store
from .tree import Tree

_FIRM = ("hub", "store", "lower tier", LOCK)  # the Hub's word, as it was given now or earlier, and the user's own

# (cache, repo id) -> why this process can leave nothing there
_given_up: dict[tuple[str, str], str] = {}
_answered: dict[str, bool] = {}


def share(
    store: Store,
    cache: str,
    resolution: Resolution,
    present: Collection[str],
    missing: Collection[str],
    revision: str,
    *,
    replace: bool = False,
    patience: float = 1.0,
) -> None:
    """Let `cache` know the files of one call that are present in the store, and those that the commit does not have.

    `revision` is the name that was loaded. `replace`: these were fetched anew, also for the cache, which may take
    `patience` seconds to answer at all. Never raises.
    """
    # A publisher's word would be taken for the Hub's there. Plain transformers would have had none, and left nothing.
    if resolution.word not in _FIRM or not (present or missing) or not _answers(cache, patience):
        return
    repo_id, commit = resolution.repo_id, resolution.commit
    root = f"{cache}/{layout.repo_folder(repo_id)}"
    # The one look that a warm load has for all this.
    new = [path for path in present if replace or not os.path.exists(f"{root}/snapshots/{commit}/{path}")]
    more = _more_to_say(root, commit, new, missing, len(present) + len(missing))
    # A lock file names a commit. What branch that is, it does not say for others.
    ref = None if layout.is_commit(revision) or resolution.word == LOCK else f"{root}/refs/{revision}"
    if not new and not more and (ref is None or _read(ref) == commit):
        return
    if (cache, repo_id) in _given_up or _is_same(cache, store.root):
        return
    try:
        for path in new:
            _share_file(store, Path(cache), resolution, path, replace)
        if ref is not None and _read(ref) != commit:
            _write(Path(cache, layout.ref_path(repo_id, revision)), commit.encode())
        if more == "listing" and resolution.tree.complete:
            _write(Path(cache, layout.tree_path(repo_id, commit)), _listing(resolution.tree))
        elif more == "mark":
            for path in missing:
                _write(Path(cache, layout.missing_path(repo_id, commit, path)), b"")
    except (OSError, IPFSAccelerateError) as error:
        _given_up[cache, repo_id] = str(error)
        get_logger().debug("nothing is left in %s of %s: %s", cache, repo_id, error)


def _more_to_say(root: str, commit: str, new: list[str], missing: Collection[str], asked: int) -> str | None:
    """What huggingface_hub notes of a commit besides its files, if it is not there yet: `mark` or `listing`.

    Asked for one file that is missing, it marks that; version 2 keeps the listing when it is asked for several at once.
    """
    if asked == 1:
        return "mark" if any(not os.path.exists(f"{root}/.no_exist/{commit}/{path}") for path in missing) else None
    if not (new or missing) or not _keeps_listings() or os.path.exists(f"{root}/trees/{commit}.json"):
        return None
    return "listing"


def _share_file(store: Store, cache: Path, resolution: Resolution, path: str, replace: bool) -> None:
    """Link one file into the cache, first the blob and then what shows it: nobody sees half of it. Raises OSError."""
    repo_id, entry = resolution.repo_id, resolution.tree.files[path]
    ours, theirs = (root / layout.blob_path(repo_id, entry.etag) for root in (store.root, cache))
    pointer = cache / layout.snapshot_path(repo_id, resolution.commit, path)
    made = False
    if not os.path.exists(theirs) or (replace and not os.path.samefile(ours, theirs)):
        # A file with two names is read again unless it is noted, and may be gigabytes: first the notes, then the name.
        if not store.verified.remember(entry.etag, ours.stat()):
            raise OSError(errno.EROFS, "the store cannot note what it would leave", str(store.root))
        note = note_path(store, repo_id, entry.etag)
        make_folder(note.parent)
        _replace(note, os.fsencode(os.path.abspath(cache)))
        try:
            with _folder(theirs.parent):
                made = _link(ours, theirs, replace)
        except OSError:
            note.unlink(missing_ok=True)
            raise
        _tag(cache)
    if os.path.exists(pointer) and (not replace or os.path.samefile(pointer, theirs)):
        return
    with contextlib.suppress(OSError):
        os.remove(pointer)  # a link that leads nowhere, as huggingface_hub does
    with _folder(pointer.parent):
        try:
            if _without_symlinks():
                raise OSError
            os.symlink(os.path.relpath(theirs, pointer.parent), pointer)
        except FileExistsError:  # somebody else was quicker
            pass
        except OSError:
            # Where there are no symlinks, huggingface_hub keeps the file under this name alone.
            os.link(ours, pointer)
            if made:
                theirs.unlink()


def _link(ours: Path, theirs: Path, replace: bool) -> bool:
    """Give our blob a name in the cache; False if somebody else was quicker. What it replaces is never written to."""
    try:
        os.link(ours, theirs)
    except FileExistsError:
        if os.path.exists(theirs) and not replace:
            return False
        # A link that leads nowhere, or a file that was to be fetched anew. It may be a link to a blob that repos share.
        temporary = theirs.with_name(f"{theirs.name}.{os.urandom(4).hex()}.incomplete")
        os.link(ours, temporary)
        try:
            os.replace(temporary, theirs)
        finally:
            with contextlib.suppress(OSError):  # rename(2) does nothing if both names are links to one file already
                os.unlink(temporary)
    return True


@contextlib.contextmanager
def _folder(folder: Path) -> Iterator[None]:
    """A folder to make a link in. If that cannot be, what had to be made for it goes again."""
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        os.makedirs(folder, exist_ok=True)
        yield
    except OSError:
        for each in made:
            with contextlib.suppress(OSError):
                each.rmdir()
        raise


def _write(path: Path, data: bytes) -> None:
    with _folder(path.parent):
        _replace(path, data)


def _replace(path: Path, data: bytes) -> None:
    """In one step and, as huggingface_hub does it, without waiting for the disk."""
    temporary = path.with_name(f"{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _listing(tree: Tree) -> bytes:
    """In huggingface_hub's own form: without what we add."""
    table = json.loads(tree.to_json())
    del table["info"]
    return json.dumps(table, indent=1).encode()


@functools.lru_cache(maxsize=1)
def _keeps_listings() -> bool:
    try:
        import huggingface_hub._tree_cache  # noqa: F401
    except ImportError:
        return False
    return True


def _tag(cache: Path) -> None:
    """Lets backup programs pass over the cache, where huggingface_hub does so (https://bford.info/cachedir/)."""
    with contextlib.suppress(ImportError):
        from huggingface_hub._local_folder import _create_cachedir_tag

        _create_cachedir_tag(cache)


def _without_symlinks() -> bool:
    from huggingface_hub import constants

    return bool(getattr(constants, "HF_HUB_DISABLE_SYMLINKS", False))


def _read(ref: str) -> str | None:
    try:
        with open(ref) as file:
            return file.read()
    except (OSError, ValueError):
        return None


def _is_same(one: str, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _answers(cache: str, patience: float) -> bool:
    """Does the cache's file system answer? It may lie on a mount that hangs."""
    if cache not in _answered:
        _answered[cache] = Attempt(lambda: os.path.exists(cache)).wait(patience)
    return _answered[cache]
