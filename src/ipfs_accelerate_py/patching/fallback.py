"""An original that runs without us: why, what it is told, and what is checked of the files that it brings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from ..errors import IPFSAccelerateError, Unavailable, Unresolved, VerificationError
from ..hf_cache import unlisted
from ..hf_cache.unlisted import Place
from ..log import get_logger, warn_once
from ..storage_wrapper import StorageWrapper, get_storage_wrapper
from ..store import layout, vouchers
from ..store.resolution import Authority, Resolution
from ..store.verify import Mismatch, verify_file

Files = list[str] | None


@dataclass(frozen=True)
class Aside:
    """Why an original runs without us. `waited`: the Hub was asked what it is about to ask, and said nothing for as
    long as it would wait. `hub_error`: what the Hub's client has raised after all its retries.
    """

    waited: bool = False
    hub_error: Exception | None = None


# Set while an original runs because we could not help: what it asks on its way is then none of our business.
_standing_aside: ContextVar[Aside | None] = ContextVar("ipfs_accelerate_standing_aside", default=None)


def current() -> Aside | None:
    """Why the original that runs here runs without us; None if none does."""
    return _standing_aside.get()


@contextmanager
def stand_aside(error: BaseException | None = None) -> Iterator[None]:
    """While an original runs without us; says why, if that is worth a line."""
    if error is not None:
        explain(error)
    aside = Aside(
        waited=isinstance(error, Unresolved) and error.waited > 0,
        hub_error=error.hub_error if isinstance(error, Unavailable) else None,
    )
    token = _standing_aside.set(aside)
    try:
        yield
    finally:
        _standing_aside.reset(token)


@contextmanager
def say_revision(revision: str | None, commit: str | None) -> Iterator[None]:
    """Errors speak of the revision that the user asked for, not of the commit that we settled it on."""
    try:
        yield
    except OSError as error:
        words = revision or layout.DEFAULT_REVISION
        if commit and words != commit and error.args and isinstance(error.args[0], str):
            error.args = (error.args[0].replace(commit, words), *error.args[1:])
        raise


def explain(error: BaseException) -> None:
    """Say why the original runs without us, where that is worth a line."""
    known = isinstance(error, IPFSAccelerateError)
    text = str(error) if known else f"{type(error).__name__}: {error}"
    hint = getattr(error, "hint", None)
    line = f"going on as without the hook: {text}" + (f" ({hint})" if hint else "")
    # The original's own error will tell the user of an unknown repo or a silent Hub: no second line for that.
    if isinstance(error, Unresolved | Unavailable):
        get_logger().info(line)
    else:
        warn_once(line, None if known else error)


def check_brought(
    files: Files,
    again: Callable[[], Files] | None = None,
    storage: StorageWrapper | None = None,
    resolution: Resolution | None = None,
) -> Files:
    """Check what an original brought, by all that is known of it; VerificationError for what the Hub's word forbids.

    Without such a word the names of the blobs tell; where they are not right `again` asks for the files once more,
    and what is then still not what its name says is loaded as plain would, and called unverified.
    """
    try:
        storage = storage or get_storage_wrapper()
        if _find_wrong(storage, files, resolution) and again is not None:
            files = again()
        _vouch(storage, files, resolution, _find_wrong(storage, files, resolution))
    except VerificationError:
        raise
    except Exception as error:  # a store that cannot be read, say: then it is the original's alone
        get_logger().debug("what the original brought was not looked at: %s", error)
    return files


def _find_wrong(storage: StorageWrapper, files: Files, resolution: Resolution | None) -> list[tuple[Path, Place]]:
    """The files whose bytes are not what the name of their blob says."""
    wrong = []
    for file in map(Path, files or ()):
        place = unlisted.find_place(file)
        if place is None:
            continue
        if resolution is not None and _is_promised(resolution, place):
            _check_promise(resolution, place, file)
        elif unlisted.check_by_name(storage.store, file) is False:
            wrong.append((file, place))
    return wrong


def _is_promised(resolution: Resolution, place: Place) -> bool:
    entry = resolution.tree.files.get(place.path)
    return place.commit == resolution.commit and entry is not None and not entry.hint


def _check_promise(resolution: Resolution, place: Place, file: Path) -> None:
    try:
        verify_file(file, resolution.tree.files[place.path])
    except Mismatch as mismatch:
        raise VerificationError(
            f"{place.repo_id}: {place.path} was not loaded: commit {place.commit} has {mismatch.expected}, "
            f"and {file} is {mismatch.actual}",
            "remove that file and load again",
        ) from None


def _vouch(
    storage: StorageWrapper, files: Files, resolution: Resolution | None, wrong: list[tuple[Path, Place]]
) -> None:
    from ..hub import headers

    for file, place in wrong:
        entry = unlisted.entry_by_name(file)
        if entry is not None and headers.vouches_for(place.repo_id, place.commit, place.path, entry.etag):
            raise VerificationError(
                f"{place.repo_id}: {place.path} was not loaded: the Hub says that commit {place.commit} has "
                f"{entry.etag}, and {file} is not that",
                "remove that file and load again",
            )
    unverified = {file for file, _ in wrong}
    for file in map(Path, files or ()):
        belongs = unlisted.find_place(file)
        if belongs is None:
            continue
        if resolution is not None and _is_promised(resolution, belongs):
            by = vouchers.shown(resolution)
        elif file not in unverified and unlisted.check_by_name(storage.store, file):
            by = Authority.HUB.value
        else:
            by = vouchers.NOBODY
            warn_once(
                f"{belongs.repo_id}: no authority has hashes for files of commit {belongs.commit[:12]}: they are "
                "loaded as plain transformers would, and not verified"
            )
        vouchers.note(storage.store, belongs.repo_id, belongs.commit, by)
