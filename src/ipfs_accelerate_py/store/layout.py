"""The Hugging Face cache layout as names: on disk, and the same below an IPNS name.

    models--<org>--<name>/refs/<revision>              the commit a branch or tag points to
    models--<org>--<name>/trees/<commit>.json          every file of the commit, in huggingface_hub's own format
    models--<org>--<name>/snapshots/<commit>/<file>    the files
    models--<org>--<name>/blobs/<etag>                 the bytes, named by sha256 (LFS) or git blob id (disk only)

A dataset has `datasets--<org>--<name>`, a space `spaces--<org>--<name>`. A `repo_id` is the key of a repo: see `repo`.

Format: https://huggingface.co/docs/huggingface_hub/guides/manage-cache
"""

from __future__ import annotations

import functools
import re

from ..errors import UnsafeName
from ..repo import Repo
from ..repo import is_repo_id as is_repo_id

DEFAULT_REVISION = "main"


class Own:
    """The names in our own folder, `.locks/ipfs_accelerate` of a store. Most hold a folder for each repo."""

    ACCESS = "access"  # whether the Hub has shown a repo to everybody
    COLLECTION_LOCK = "gc.lock"
    UNCONFIRMED = "hearsay"  # which refs and listings are a publisher's, and not confirmed by the Hub
    HUB = "hub"  # the scratch folders of huggingface_hub's client
    LEASES = "used"  # which processes may be about to read a commit
    LEASES_LOCK = "used.lock"
    OUTBOX = "outbox"  # commits that are still to be published
    OUTBOX_LOCK = "outbox.lock"
    OUTBOX_LOG = "outbox.log"
    OUTBOX_PAUSE = "outbox.rest"  # its time says when something could not be published
    PUBLISHED = "published"  # what this machine has published of a commit
    SCRATCH = "tmp"
    SHARED = "shared"  # which blobs have a name in a Hugging Face cache, and in which
    TRASH = "trash"  # commits on their way out
    VERIFIED = "verified"  # the stat cache
    VERSION = "layout"
    VOUCHED = "vouched"  # according to whom a commit's files were verified
    WITHDRAWALS = "withdraw"  # repos that are still to be taken back


_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# Windows keeps these for devices, with any extension; a store may lie on a share that Windows machines read.
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
# What nearly all files are named like: for them `_why_unsafe`, part by part, would find nothing.
_PART = r"(?!(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:[./]|\Z))[\w.\-]{0,254}[\w\-]"
_ORDINARY = re.compile(f"(?:{_PART}/)*{_PART}", re.IGNORECASE | re.ASCII)


def is_commit(text: object) -> bool:
    """Return whether this is a full commit id: 40 hex digits in lower case, nothing else."""
    return isinstance(text, str) and _COMMIT.fullmatch(text) is not None


def is_sha256(text: object) -> bool:
    """Return whether this is a sha256 in lower-case hex."""
    return isinstance(text, str) and _SHA256.fullmatch(text) is not None


def repo_folder(repo_id: str) -> str:
    """`org/name` -> `models--org--name`, `dataset:org/name` -> `datasets--org--name`; raises UnsafeName."""
    return _folder(repo_id) if type(repo_id) is str else Repo.parse(repo_id).folder


@functools.lru_cache(maxsize=1024)
def _folder(repo_id: str) -> str:
    return Repo.parse(repo_id).folder


def repo_of(folder: str) -> str | None:
    """`models--org--name` -> `org/name`, or None for what is no repo's folder."""
    repo = Repo.of_folder(folder)
    return None if repo is None else repo.key


def check_path(path: str, what: str = "file name") -> str:
    """Give a repo's relative path back if it is safe to write below a folder; raise UnsafeName if not."""
    if isinstance(path, str) and len(path) <= 1024 and _ORDINARY.fullmatch(path):
        return path
    reason = _why_unsafe(path)
    if reason:
        raise UnsafeName(f"{what} {path!r} is refused: {reason}")
    return path


def _why_unsafe(path: str) -> str | None:
    if not isinstance(path, str) or not path:
        return "it is empty"
    if len(path.encode("utf-8", "surrogatepass")) > 1024:
        return "it is longer than 1024 bytes"
    if any(ord(char) < 32 or ord(char) == 127 for char in path):
        return "it has a control character"
    if "\\" in path or ":" in path:
        return "it has a backslash or a colon"
    for part in path.split("/"):
        if part in ("", ".", ".."):
            return "it has an empty, '.' or '..' part, or is absolute"
        if len(part.encode("utf-8", "surrogatepass")) > 255:
            return "one part is longer than 255 bytes"
        if part.endswith((" ", ".")) or _RESERVED.fullmatch(part):
            return f"{part!r} is not a name that every file system takes"
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    return None


def ref_path(repo_id: str, revision: str) -> str:
    """Path of the file that says which commit a branch or tag points to."""
    return f"{repo_folder(repo_id)}/refs/{check_path(revision, 'revision')}"


def tree_path(repo_id: str, commit: str) -> str:
    """Path of the listing of one commit."""
    return f"{repo_folder(repo_id)}/trees/{_commit(commit)}.json"


def snapshot_path(repo_id: str, commit: str, path: str | None = None) -> str:
    """Path of a commit's folder, or of one file in it."""
    folder = f"{repo_folder(repo_id)}/snapshots/{_commit(commit)}"
    return folder if path is None else f"{folder}/{check_path(path)}"


def missing_path(repo_id: str, commit: str, path: str) -> str:
    """Path of huggingface_hub's mark that a commit has no such file."""
    return f"{missing_folder(repo_id, commit)}/{check_path(path)}"


def missing_folder(repo_id: str, commit: str) -> str:
    """Path of the folder of those marks."""
    return f"{repo_folder(repo_id)}/.no_exist/{_commit(commit)}"


def blob_path(repo_id: str, etag: str) -> str:
    """Path of the bytes with this etag: a sha256 or a git blob id."""
    if not (is_commit(etag) or is_sha256(etag)):
        raise UnsafeName(f"{etag!r} is neither a sha256 nor a git blob id")
    return f"{repo_folder(repo_id)}/blobs/{etag}"


def _commit(commit: str) -> str:
    if not is_commit(commit):
        raise UnsafeName(f"{commit!r} is not a commit: 40 hex digits in lower case")
    return commit
