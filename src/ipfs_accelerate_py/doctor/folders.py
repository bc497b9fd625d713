"""The folders and files of this machine: store, disk, links to other caches, lock file."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..config.settings import Settings
from ..files import existing, say_size
from ..store import version
from ..store.fs import reflink
from ..store.layout import Own
from ..store.store import Store
from .check import COMMAND, Check, Result, bad, good

ENOUGH = 1 << 30  # bytes: less than that is too little for most models
_SILENT = "see whether that file system answers (df, mount), or name another in IPFS_ACCELERATE_HOME, _LOWER or _LOCK"
_WALK = 2000  # folder entries that are looked at for a file to link


def checks(settings: Settings) -> list[Check]:
    """`store`, `disk`, `hard links` for every local cache, and `lock file`."""
    home = settings.home
    return [
        Check("store", lambda: check_store(home), _SILENT),
        Check("disk", lambda: check_disk(home), _SILENT),
        *(_check_of(home, tier) for tier in settings.lower),
        Check("lock file", lambda: check_lock_file(settings.lock), _SILENT),
    ]


def _check_of(home: Path, tier: Path) -> Check:
    return Check(f"hard links {tier}", lambda: check_links(home, tier), _SILENT)


def check_store(home: Path) -> Result:
    """Write, sync, rename, link and lock in the store, as a load does, and take it all away again."""
    from filelock import FileLock

    store = Store(home)
    version.check(store)
    with store.writing(), scratch_of(store) as scratch:
        first, second, link = scratch / "a", scratch / "b", scratch / "link"
        with open(first, "wb") as file:
            file.write(b"doctor")
            file.flush()
            os.fsync(file.fileno())
        os.replace(first, second)
        with contextlib.suppress(OSError):  # where there are none, the store makes hard links
            os.symlink(second.name, link)
        links = "" if link.is_symlink() else "; it knows no symlinks, hard links are used"
        with FileLock(scratch / "lock", timeout=2):
            pass
        kind = file_system(home)
    return good(f"{home} can be written, on {kind}{links}")


@contextlib.contextmanager
def scratch_of(store: Store) -> Iterator[Path]:
    """A folder of our own in the store. What had to be made for it goes with it."""
    folder = store.own_folder / Own.SCRATCH / f"doctor-{os.getpid()}-{os.urandom(4).hex()}"
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for each in missing[1:]:
            with contextlib.suppress(OSError):
                each.rmdir()


def check_disk(home: Path, enough: int = ENOUGH) -> Result:
    """Check that there is room for another model."""
    there = existing(home)
    free = shutil.disk_usage(there).free
    files = os.statvfs(there) if hasattr(os, "statvfs") else None
    detail = f"{say_size(free, 'GB')} free for {home}"
    hint = f"{COMMAND} gc --dry-run shows what could go, or name another folder in IPFS_ACCELERATE_HOME"
    if free < enough:
        return bad(f"too little room: {detail}", hint)
    if files is not None and files.f_files and files.f_favail < 1000:
        return bad(f"{detail}, and only {files.f_favail} files can still be made there", hint)
    return good(detail)


def check_links(home: Path, tier: Path) -> Result:
    """Link a file of the cache into the store and remove the link: else a model is on disk twice."""
    if not tier.is_dir():
        return good(f"{tier} is not there: nothing to link from")
    store, file = Store(home), _some_file(tier)
    apart = f"the store is on {file_system(home)}, {tier} on {file_system(tier)}"
    hint = (
        f"set IPFS_ACCELERATE_HOME to a folder on the file system of {tier}, "
        "or IPFS_ACCELERATE_LOWER to caches on that of the store"
    )
    if file is None:
        if os.stat(existing(home)).st_dev == os.stat(tier).st_dev:
            return good(f"{tier} has no file yet to try it with; it is on the store's file system")
        return bad(f"files cannot be linked, they will be copied: {apart}", hint)
    with store.writing(), scratch_of(store) as scratch:
        try:
            os.link(file, scratch / "linked")
        except OSError as error:
            if _reflink(file, scratch / "cloned"):
                return good(f"no hard links ({error.strerror}), but blocks are shared by reflinks; {apart}")
            return bad(f"files cannot be linked ({error.strerror}), they will be copied: {apart}", hint)
    return good(f"a file of {tier} was linked into the store and removed again")


def _reflink(source: Path, target: Path) -> bool:
    try:
        with open(source, "rb") as reading, open(target, "xb") as writing:
            return reflink(reading.fileno(), writing.fileno())
    except OSError:
        return False


def _some_file(tier: Path) -> Path | None:
    """A regular file of the cache, a blob if one is soon found."""
    looked = 0
    found: Path | None = None
    for folder, _, names in os.walk(tier):
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink() and path.is_file():
                found = path
                if path.parent.name == "blobs":
                    return path
        looked += 1 + len(names)
        if looked > _WALK:
            break
    return found


def check_lock_file(path: Path | None) -> Result:
    """Check that the lock file can be read."""
    if path is None:
        return good("not configured", f"{COMMAND} lock writes one; set IPFS_ACCELERATE_LOCK to its path")
    from ..resolve.lockfile import read_lock_file

    commits = len(read_lock_file(path).repos)
    return good(f"{path} names {commits} commits")


def file_system(path: Path) -> str:
    """Kind and mount point of the file system that holds a path, such as `ext4 (/home)`."""
    there = os.path.realpath(existing(path))
    best, kind = "", ""
    try:
        with open("/proc/self/mounts", encoding="utf-8", errors="replace") as file:
            rows = [line.split() for line in file]
    except OSError:
        return "an unknown file system"
    for row in rows:
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), row[1])
        inside = there == point or there.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):  # of two mounts on one point the last is seen
            best, kind = point, row[2]
    return f"{kind} ({best})" if kind else "an unknown file system"
