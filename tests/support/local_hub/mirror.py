"""What mirrors do otherwise than the Hub: dropped query strings, ETags of their own, an older state of the files.

Seen with olah, Artifactory, Nexus, nginx in front of a folder, and a Hub whose API and files are not of one moment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Mirror:
    """`query`: whether the query string is heard. `etag`: "md5" or "sha1" of the content, "weak" (`W/"..."` around the
    Hub's) or "none" in place of the Hub's ETag, and no X-Linked-Etag (needs `cdn="none"`). `commit`: whether there is
    an X-Repo-Commit.
    `prefix`: the path below which it lives. `behind`: of the newest commit it has no "files"; or it has them, but takes
    a "branch" for the commit before. `expand`: whether a question for a few fields is "known", "refused" or
    "ignored"."""

    query: bool = True
    etag: str = ""
    commit: bool = True
    prefix: str = ""
    behind: str = ""
    expand: str = "known"

    def headers(self, etag: str, read: Callable[[], bytes]) -> dict[str, str]:
        """The ETag that a file has here, as a header; `etag`: the Hub's, quoted."""
        if self.etag == "none":
            return {}
        if self.etag in ("md5", "sha1"):
            return {"ETag": f'"{hashlib.new(self.etag, read()).hexdigest()}"'}
        return {"ETag": f"W/{etag}" if self.etag == "weak" else etag}

    def path(self, path: str) -> str | None:
        """The path that the Hub would have been asked for; None below another prefix."""
        if not path.startswith(self.prefix + "/"):
            return None
        path = path.removeprefix(self.prefix)
        return path if self.query else path.partition("?")[0]
