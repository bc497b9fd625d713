"""What the servers serve when nothing is wrong: a folder, another server's answers, a stranger's bytes."""

from __future__ import annotations

import http.client
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .faults import OTHER_BYTES, Answer
from .server import Connection, FaultServer

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length", "host"}


class FolderServer(FaultServer):
    """Serves a folder as a mirror (`/models--...`) and as a path gateway (`/ipns/<name>/models--...`, `/ipfs/<cid>`).

    `cids` maps what follows `/ipfs/` to a path below the folder; every IPNS name is the folder itself.
    """

    def __init__(self, folder: Path, cids: dict[str, str] | None = None) -> None:
        super().__init__()
        self.folder, self.cids = Path(folder), dict(cids or {})

    def answer(self, request: Connection, ignore_range: bool = False) -> Answer:
        path = unquote(urlsplit(request.path).path).strip("/")
        if path.startswith("ipns/"):
            path = "/".join(path.split("/")[2:])
        elif path.startswith("ipfs/"):
            head, _, rest = path.removeprefix("ipfs/").partition("/")
            path = "/".join(filter(None, (self.cids.get(head, "no such CID"), rest)))
        found = self.folder / path
        if ".." in path.split("/") or not found.is_file():
            return Answer(404, {"Content-Type": "text/plain"}, b"not found\n")
        body = found.read_bytes()
        headers = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range") or "")
        status = 200
        if wanted and not ignore_range:
            first, last = int(wanted[1]), min(int(wanted[2] or len(body)), len(body) - 1)
            if first > last:
                return Answer(416, {"Content-Range": f"bytes */{len(body)}"})
            status, headers["Content-Range"] = 206, f"bytes {first}-{last}/{len(body)}"
            body = body[first : last + 1]
        return Answer(status, headers, body)


class FaultProxy(FaultServer):
    """Hands every request on to another server, and its answer back."""

    def __init__(self, upstream: str) -> None:
        super().__init__()
        self.upstream = upstream

    def answer(self, request: Connection, ignore_range: bool = False) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.upstream).netloc, timeout=60)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        if ignore_range:
            headers.pop("Range", None)
        try:
            connection.request(request.command, request.path, request.body, headers)
            answer = connection.getresponse()
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
            if request.command == "HEAD":
                kept["Content-Length"] = answer.headers.get("Content-Length", "0")
            return Answer(answer.status, kept, answer.read())
        except (OSError, http.client.HTTPException) as error:
            return Answer(502, {}, f"{type(error).__name__}: {error}".encode())
        finally:
            connection.close()


class Elsewhere(FaultServer):
    """A stranger: answers everything with its own bytes, and writes down what it is told."""

    def answer(self, request: Connection, ignore_range: bool = False) -> Answer:
        return Answer(200, {"Content-Type": "application/octet-stream"}, OTHER_BYTES)
