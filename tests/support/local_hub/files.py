"""The bytes of files: resolve, the redirect to a CDN, ranges, and the reading side of Xet."""

import io
import os
import re
from urllib.parse import quote, unquote

from .request import Request, Stop

XET_CHUNK = 65536  # we cut files every 64 KiB; the real service cuts by content


def disposition(name, kind="inline"):
    """RFC 6266: an ASCII name, and the real one in UTF-8 where it differs."""
    plain = name.encode("ascii", "replace").decode().replace("\r", "?").replace("\n", "?").replace('"', "?")
    return f'{kind}; filename="{plain}";' + (
        "" if plain == name else " filename*=UTF-8''{};".format(quote(name, safe=""))
    )


class Files(Request):
    def file(self, kind, rid, rev, path, cached=False):
        repo = self.repo(kind, unquote(rid), "content")
        commit, files = self.revision_of_files(repo, rev)
        blob = files.get(unquote(path))
        head = {
            "X-Repo-Commit": commit,
            "Accept-Ranges": "bytes",
            "Vary": "Origin, Accept",
            "Access-Control-Expose-Headers": "X-Repo-Commit,X-Linked-Size,X-Linked-ETag,X-Error-Code,ETag",
        }
        if not self.hub.mirror.commit:
            del head["X-Repo-Commit"]
        if blob is None:
            raise Stop(404, "EntryNotFound", "Entry not found", head)
        etag = '"%s"' % (blob.sha256 or blob.oid)
        name = os.path.basename(unquote(path))
        if blob.sha256 and self.hub.cdn != "none":
            if self.hub.xet:  # hf_xet then asks the CAS below instead of following Location
                head["X-Xet-Hash"] = blob.sha256
                head["Link"] = f'<{self.hub.endpoint}/api/{kind}/{rid}/xet-read-token/{commit}>; rel="xet-auth"'
            where = (
                self.hub.cdn_url if self.hub.cdn == "other" else ""
            ) + f"/_blob/{blob.sha256}?filename={quote(name)}&X-Sig={hash((blob.sha256, 1)) & 0xFFFFFFFF:x}"
            return self.reply(
                302,
                b"",
                {**head, "X-Linked-Size": str(blob.size), "X-Linked-Etag": etag, "Location": where, "ETag": etag},
                "text/plain",
            )
        if self.hub.resolve_cache and not cached:
            return self.reply(
                307,
                b"",
                {
                    **head,
                    "X-Linked-Size": str(blob.size),
                    "X-Linked-Etag": etag,
                    "Location": f"/api/resolve-cache/{kind}/{rid}/{commit}/{path}",
                },
                "text/plain",
            )
        own = self.hub.mirror.headers(etag, lambda: self.read(blob))
        self.send_blob(blob, {**head, **own, "Content-Disposition": disposition(name)})

    def revision_of_files(self, repo, rev):
        """The commit whose files are served, and the files; behind the API if the mirror is."""
        commit, files = self.revision(repo, rev)
        behind, parent = self.hub.mirror.behind, repo.commits[commit]["parent"]
        if not behind or not parent:
            return commit, files
        if unquote(rev) == commit:
            if behind == "files":
                raise Stop(404, None, "this mirror does not have that commit yet")
            return commit, files
        return parent, repo.commits[parent]["files"]

    def cdn_blob(self, sha):
        self.send_blob(
            self.find(sha),
            {
                "ETag": f'"{sha}"',
                "Accept-Ranges": "bytes",
                "Content-Disposition": disposition(self.query.get("filename", sha), "attachment"),
            },
        )

    def find(self, sha):
        for repo in list(self.hub.repos.values()):
            for c in repo.commits.values():
                for b in c["files"].values():
                    if b.sha256 == sha:
                        return b
        raise Stop(404)

    def xet_cas(self, s):
        """Read side of a Xet CAS: a file is one xorb whose uncompressed chunks are made on the fly from the blob."""
        if s[:2] == ["v1", "reconstructions"]:  # hf_xet 1.8 tries v2 first and falls back on 404
            blob = self.find(s[-1])
            lo, hi = 0, blob.size - 1
            want = re.match(r"bytes=(\d+)-(\d+)$", self.headers.get("Range") or "")
            if want:
                lo, hi = int(want.group(1)), min(int(want.group(2)), hi)
            if lo > hi:
                raise Stop(416)
            a, b = lo // XET_CHUNK, hi // XET_CHUNK + 1
            end = min(b * XET_CHUNK, blob.size)
            span = {"start": a * (XET_CHUNK + 8), "end": end + 8 * b - 1}
            return self.reply(
                200,
                {
                    "offset_into_first_range": lo - a * XET_CHUNK,
                    "terms": [
                        {"hash": blob.sha256, "unpacked_length": end - a * XET_CHUNK, "range": {"start": a, "end": b}}
                    ],
                    "fetch_info": {
                        blob.sha256: [
                            {
                                "range": {"start": a, "end": b},
                                "url": f"{self.hub.cdn_url}/_xet/xorb/{blob.sha256}",
                                "url_range": span,
                            }
                        ]
                    },
                },
            )
        if s[:1] == ["xorb"]:
            blob = self.find(s[1])
            lo, hi = map(int, re.match(r"bytes=(\d+)-(\d+)$", self.headers["Range"]).groups())
            n, last = lo // (XET_CHUNK + 8), (blob.size - 1) // XET_CHUNK
            self.begin(
                206,
                {
                    "Content-Type": "application/octet-stream",
                    "Content-Length": str(hi - lo + 1),
                    "Content-Range": f"bytes {lo}-{hi}/{blob.size + 8 * (last + 1)}",
                },
            )
            with open(blob.src, "rb") if not isinstance(blob.src, bytes) else io.BytesIO(blob.src) as f:
                f.seek(n * XET_CHUNK)
                left = hi - lo + 1
                while left > 0:
                    data = f.read(XET_CHUNK)
                    raw = b"\0" + len(data).to_bytes(3, "little") + b"\0" + len(data).to_bytes(3, "little") + data
                    self.write(raw[:left])
                    left -= len(raw)
            return
        raise Stop(404)

    def send_blob(self, blob, headers):
        lo, hi, status, want = 0, blob.size - 1, 200, re.match(r"bytes=(\d*)-(\d*)$", self.headers.get("Range") or "")
        if want and any(want.groups()):
            a, b = want.groups()
            lo, hi = (int(a), min(int(b or hi), hi)) if a else (max(0, blob.size - int(b)), hi)
            if lo > hi:
                raise Stop(416, None, "Range Not Satisfiable", {"Content-Range": f"bytes */{blob.size}"})
            status, headers["Content-Range"] = 206, f"bytes {lo}-{hi}/{blob.size}"
        self.begin(status, {"Content-Type": "application/octet-stream", "Content-Length": str(hi - lo + 1), **headers})
        if self.command == "HEAD":
            return
        if isinstance(blob.src, bytes):
            return self.write(blob.src[lo : hi + 1])
        rate = self.fault.get("bandwidth", self.hub.bandwidth)
        step = max(1024, min(1 << 20, int(rate / 20))) if rate else 1 << 20
        with open(blob.src, "rb") as f:
            f.seek(lo)
            left = hi - lo + 1
            while left > 0:
                chunk = f.read(min(step, left))
                if not chunk:
                    break
                left -= len(chunk)
                self.write(chunk)

    def read(self, blob):
        if isinstance(blob.src, bytes):
            return blob.src
        with open(blob.src, "rb") as f:
            return f.read()
