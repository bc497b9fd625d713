"""Mirrors: their fsspec URLs are opened and listed."""

from __future__ import annotations

from ..config.settings import Settings
from ..fetch.sources.mirror import Mirror
from ..net.http import HTTPReader
from ..store import layout
from .check import Check, Result, bad, good

_LET_IN = "let it be read: the folder's permissions, or for s3 AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_LISTED = 1000  # names that are counted


def checks(settings: Settings) -> list[Check]:
    """`mirror URL` for every mirror of the settings."""
    if not settings.mirrors or settings.force_local:
        hint = "set IPFS_ACCELERATE_MIRRORS to fsspec URLs such as file:///mnt/models or s3://bucket/models"
        return [Check("mirrors", lambda: good("not configured", hint), hint)]
    return [_check_of(url) for url in settings.mirrors]


def _check_of(url: str) -> Check:
    return Check(f"mirror {url}", lambda: check_mirror(url), _out(url), 12)


def _out(url: str) -> str:
    return f"see whether it is there and may be read, correct it, or take {url} out of IPFS_ACCELERATE_MIRRORS"


def check_mirror(url: str) -> Result:
    """Check that it can be opened and listed, and report what is in it."""
    mirror = Mirror(url)
    if mirror.is_web:
        return _check_web(url)
    system, path = mirror.file_system()  # whose errors name the package to install
    try:
        names = [str(name).rstrip("/").rpartition("/")[2] for name in system.ls(path, detail=False)[:_LISTED]]
    except FileNotFoundError:
        return bad("it is not there", _out(url))
    except NotADirectoryError:
        return bad("it is not a folder", _out(url))
    except Exception as error:  # every backend has errors of its own
        closed = isinstance(error, PermissionError) or "Credential" in type(error).__name__
        return bad(f"it cannot be listed: {type(error).__name__}: {error}", _LET_IN if closed else _out(url))
    if names == [path.rpartition("/")[2]] and not system.isdir(path):
        return bad("it is not a folder", _out(url))
    repos = list(filter(layout.repo_of, names))
    more = "" if repos else " (its folders should be named models--ORG--NAME)"
    return good(f"can be listed: {len(repos)} repos{more}")


def _check_web(url: str) -> Result:
    """A web server need not list folders; that it answers is what can be seen."""
    try:
        status = HTTPReader(url, 8.0, roams=True).look("/").status
    except TimeoutError:
        return bad("the mirror does not answer within 8 s", _out(url))
    except OSError as error:
        return bad(f"the mirror cannot be reached: {error}", _out(url))
    if status in (401, 403, 407) or status >= 500:
        return bad(f"the mirror answered {status}", _out(url))
    return good(f"answers ({status}); web servers need not list what they have")
