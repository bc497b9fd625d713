"""Leave in the user's own Hugging Face cache what plain transformers would have left there.

Programs without the hook find the model there, and so does huggingface_hub. A blob there is a hard link to the store's:
on disk once. What is there already is left as it is, and where there can be no links nothing is done: never a copy,
and never a reason for a load to fail. What we left is noted, so that `gc` can count it and take it back.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection
from pathlib import Path

from ..errors import IPFSAccelerateError
from ..files import make_folder
from ..log import get_logger
from ..net.futures import has_ended, submit
from ..session import Recent, session
from ..store import layout
from ..store.resolution import Authority, Resolution
from ..store.store import Store
from . import layout as hub_cache
from .links import note_path
from .refs import is_later

# The Hub, now or earlier, and the user.
_FIRM = (Authority.HUB, Authority.STORE, Authority.LOCAL_CACHES, Authority.LOCK)


_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_MOST = 1024  # bytes, of which a ref has 40


class Caches:
    """What this process has found of caches.

    `given_up`: (cache, repo id) -> why nothing can be left there. `answers`: cache -> whether its file system answers.
    """

    def __init__(self) -> None:
        self.given_up: Recent[tuple[str, str], str] = Recent()
        self.answers: Recent[str, bool] = Recent()


def share(
    store: Store,
    cache: str,
    resolution: Resolution,
    present: Collection[str],
    missing: Collection[str],
    revision: str,
    *,
    replace: bool = False,
    deadline: float = 1.0,
) -> None:
    """Let `cache` know the files of one call that are present in the store, and those that the commit does not have.

    `revision` is the name that was loaded. `replace`: these were fetched anew, also for the cache, which may take
    `deadline` seconds to answer at all. Never raises.
    """
    # A publisher's word would be taken for the Hub's there. Plain transformers would have had none, and left nothing.
    if resolution.authority not in _FIRM or not (present or missing) or not _answers(cache, deadline):
        return
    repo_id, commit = resolution.repo_id, resolution.commit
    root = f"{cache}/{layout.repo_folder(repo_id)}"
    # The one look that a warm load has for all this.
    new = [path for path in present if replace or not os.path.exists(f"{root}/snapshots/{commit}/{path}")]
    more = _more_to_say(root, commit, new, missing, len(present) + len(missing))
    # A lock file names a commit. What branch that is, it does not say for others.
    ref = None if layout.is_commit(revision) or resolution.authority is Authority.LOCK else f"{root}/refs/{revision}"
    known = None if ref is None else _read(ref)
    if ref is not None and known not in (None, commit) and is_later(ref, store, repo_id, revision):
        ref = None
    if not new and not more and (ref is None or known == commit):
        return
    if (cache, repo_id) in session.part(Caches).given_up or _is_same(cache, store.root):
        return
    try:
        for path in new:
            _share_file(store, Path(cache), resolution, path, replace)
        if ref is not None and _read(ref) != commit:
            hub_cache.write(Path(cache, layout.ref_path(repo_id, revision)), commit.encode())
        if more == "listing" and resolution.tree.complete:
            hub_cache.write(Path(cache, layout.tree_path(repo_id, commit)), hub_cache.listing(resolution.tree))
        elif more == "mark":
            for path in missing:
                hub_cache.write(Path(cache, layout.missing_path(repo_id, commit, path)), b"")
    except (OSError, IPFSAccelerateError) as error:
        session.part(Caches).given_up[cache, repo_id] = str(error)
        get_logger().debug("nothing is left in %s of %s: %s", cache, repo_id, error)


def _more_to_say(root: str, commit: str, new: list[str], missing: Collection[str], asked: int) -> str | None:
    """What huggingface_hub notes of a commit besides its files, if it is not there yet: `mark` or `listing`.

    Asked for one file that is missing, it marks that; version 2 keeps the listing when it is asked for several at once.
    """
    if asked == 1:
        return "mark" if any(not os.path.exists(f"{root}/.no_exist/{commit}/{path}") for path in missing) else None
    if not (new or missing) or not hub_cache.keeps_listings() or os.path.exists(f"{root}/trees/{commit}.json"):
        return None
    return "listing"


def _share_file(store: Store, cache: Path, resolution: Resolution, path: str, replace: bool) -> None:
    """Link one file into the cache, first the blob and then what shows it, so no half of it is seen. Raises OSError."""
    repo_id, entry = resolution.repo_id, resolution.tree.files[path]
    ours, theirs = (root / layout.blob_path(repo_id, entry.etag) for root in (store.root, cache))
    pointer = cache / layout.snapshot_path(repo_id, resolution.commit, path)
    made = False
    if not os.path.exists(theirs) or (replace and not os.path.samefile(ours, theirs)):
        # A file with two names is read again unless it is noted, and may be gigabytes: first the notes, then the name.
        if not store.stat_cache.remember(entry.etag, ours.stat()):
            raise OSError(errno.EROFS, "the store cannot note what it would leave", str(store.root))
        note = note_path(store, repo_id, entry.etag)
        make_folder(note.parent)
        hub_cache.replace_small(note, os.fsencode(os.path.abspath(cache)))
        try:
            with hub_cache.folder_of(theirs):
                made = hub_cache.link_blob(ours, theirs, replace)
        except OSError:
            note.unlink(missing_ok=True)
            raise
        hub_cache.tag(cache)
    if os.path.exists(pointer):
        return
    if not hub_cache.show(theirs, ours, pointer) and made:
        theirs.unlink()  # huggingface_hub keeps the file under the other name alone


def _read(ref: str) -> str | None:
    try:
        file = os.open(ref, _READ)  # every warm load looks here, and a file object takes twice as long
        try:
            return os.read(file, _MOST).decode()
        finally:
            os.close(file)
    except (OSError, ValueError):
        return None


def _is_same(one: str, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _answers(cache: str, deadline: float) -> bool:
    """Return whether the cache's file system answers. It may lie on a mount that hangs."""
    answers = session.part(Caches).answers
    if cache not in answers:
        answers[cache] = has_ended(submit(lambda: os.path.exists(cache)), deadline)
    return answers[cache]
