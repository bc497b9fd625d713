"""The reading side of the API: model info, trees, paths, refs, commits, search."""

import fnmatch
import hashlib
import json
import os
import time
from urllib.parse import parse_qs, quote, unquote

from .content import LFS_GLOBS, stamp, tree_oid
from .files import Files
from .request import Stop

VERBS = [
    "revision",
    "tree",
    "paths-info",
    "refs",
    "commits",
    "preupload",
    "commit",
    "branch",
    "tag",
    "settings",
    "xet-read-token",
]


class Listings(Files):
    def entry(self, path, b):
        out = {"type": "file", "oid": b.oid, "size": b.size, "path": path}
        if b.sha256 and self.hub.xet:
            out["xetHash"] = b.sha256
        return {**out, "lfs": {"oid": b.sha256, "size": b.size, "pointerSize": 134}} if b.sha256 else out

    def api(self, kind, s):
        if not s:
            return self.listing(kind)
        n = 1 if len(s) > 1 and s[1] in VERBS and (kind, s[0]) in self.hub.repos else 2
        rid, verb, rest = unquote("/".join(s[:n])), s[n] if len(s) > n else "revision", s[n + 1 :]
        repo = self.repo(kind, rid)
        if verb == "revision":
            return self.info(repo, rest[0] if rest else "main")
        if verb == "refs":

            def ref(pre, d):
                return [{"name": k, "ref": pre + k, "targetCommit": v} for k, v in sorted(d.items())]

            return self.reply(
                200, {"branches": ref("refs/heads/", repo.refs), "tags": ref("refs/tags/", repo.tags), "converts": []}
            )
        if verb in ("branch", "tag") and self.command in ("POST", "DELETE"):
            return self.ref(repo, verb, unquote(rest[0]))
        if verb == "settings" and self.command == "PUT":
            self.repo(kind, rid, "write").meta.update(
                {k: v for k, v in json.loads(self.body).items() if k in ("private", "gated")}
            )
            return self.reply(200, repo.meta)
        if verb == "preupload":
            globs = [
                {
                    "path": f["path"],
                    "shouldIgnore": False,
                    "uploadMode": "lfs"
                    if f["size"] >= self.hub.threshold
                    or any(fnmatch.fnmatch(os.path.basename(f["path"]), g) for g in LFS_GLOBS)
                    else "regular",
                }
                for f in json.loads(self.body)["files"]
            ]
            return self.reply(200, {"files": globs})
        if verb == "commit":
            return self.commit(self.repo(kind, rid, "write"), unquote(rest[0]))
        commit, files = self.revision(repo, rest[0] if rest else "main")
        if verb == "xet-read-token":
            self.repo(kind, rid, "content")
            exp = str(int(time.time()) + 3600)
            return self.reply(
                200,
                {"casUrl": self.hub.cdn_url + "/_xet", "exp": int(exp), "accessToken": "t"},
                {"X-Xet-Cas-Url": self.hub.cdn_url + "/_xet", "X-Xet-Access-Token": "t", "X-Xet-Token-Expiration": exp},
            )
        if verb == "commits":
            rows = []
            while commit:
                c = repo.commits[commit]
                rows.append(
                    {
                        "id": commit,
                        "title": c["title"],
                        "message": "",
                        "date": stamp(c["date"]),
                        "authors": [{"user": "hub"}],
                    }
                )
                commit = c["parent"]
            return self.page(rows)
        if verb == "paths-info":
            ctype = self.headers.get("Content-Type", "")
            form = json.loads(self.body) if "json" in ctype else parse_qs(self.body.decode())
            want, out = [p.strip("/") for p in form.get("paths", [])], []
            for p in want:
                if p in files:
                    out.append(self.entry(p, files[p]))
                elif any(f.startswith(p + "/") for f in files):
                    out.append(self.folder(p, files))
            return self.reply(200, out)
        if verb == "tree":
            under, rows, seen = unquote("/".join(rest[1:])).strip("/"), [], set()
            deep = self.query.get("recursive", "").lower() in ("1", "true")
            for p in sorted(files):
                if under and not p.startswith(under + "/"):
                    continue
                rel = p[len(under) + 1 if under else 0 :].split("/")
                for i in range(1, len(rel) if deep else min(2, len(rel))):
                    d = "/".join(([under] if under else []) + rel[:i])
                    if d not in seen:
                        seen.add(d)
                        rows.append(self.folder(d, files))
                if deep or len(rel) == 1:
                    rows.append(self.entry(p, files[p]))
            if under and not rows:
                raise Stop(404, "EntryNotFound", f"{under} does not exist", {"X-Repo-Commit": commit})
            return self.page(rows, {"X-Repo-Commit": commit})
        raise Stop(404, None, "no such route")

    def folder(self, path, files):
        sub = {k[len(path) + 1 :]: v for k, v in files.items() if k.startswith(path + "/")}
        return {"type": "directory", "oid": tree_oid(sub), "size": 0, "path": path}

    def page(self, rows, headers=None):
        size = max(1, min(int(self.query.get("limit", 0)) or self.hub.page, self.hub.page))
        at, headers = int(self.query.get("cursor", 0)), dict(headers or {})
        if at + size < len(rows):
            query = "&".join(f"{k}={quote(v)}" for k, v in {**self.query, "cursor": str(at + size)}.items())
            headers["Link"] = f'<{self.hub.endpoint}{self.asked.path}?{query}>; rel="next"'
        self.reply(200, rows[at : at + size], headers)

    def info(self, repo, rev):
        commit, files = self.revision(repo, rev)
        only = parse_qs(self.asked.query).get("expand")
        if only and self.hub.mirror.expand == "refused":
            raise Stop(400, None, "expand is not allowed")
        if only and self.hub.mirror.expand == "known":
            said = {"sha": commit, **{key: repo.meta[key] for key in ("private", "gated")}}
            if set(only) - said.keys() or (repo.kind == "spaces" and "gated" in only):
                raise Stop(400, None, f"expand must be one of the words of {repo.kind}")
            return self.reply(200, {"_id": repo.id, "id": repo.id, **{key: said[key] for key in only}})
        blobs = self.query.get("blobs", "").lower() in ("1", "true")
        sib = [
            {
                "rfilename": p,
                **(
                    {
                        "size": b.size,
                        "blobId": b.oid,
                        **({"lfs": {"sha256": b.sha256, "size": b.size, "pointerSize": 134}} if b.sha256 else {}),
                    }
                    if blobs
                    else {}
                ),
            }
            for p, b in sorted(files.items())
        ]
        config = json.loads(self.read(files["config.json"]) or b"{}") if "config.json" in files else {}
        self.reply(
            200,
            {
                "_id": hashlib.sha1(repo.id.encode()).hexdigest()[:24],
                "id": repo.id,
                **({"modelId": repo.id, "library_name": "transformers"} if repo.kind == "models" else {}),
                "author": repo.id.split("/")[0],
                "sha": commit,
                "private": repo.meta["private"],
                "gated": repo.meta["gated"],
                "disabled": False,
                "downloads": 0,
                "likes": 0,
                "tags": repo.meta["tags"],
                "siblings": sib,
                "lastModified": stamp(repo.commits[commit]["date"]),
                "createdAt": stamp(1700000000),
                "usedStorage": sum(b.size for b in files.values()),
                "config": {k: config[k] for k in ("architectures", "model_type") if k in config},
            },
        )

    def listing(self, kind):
        term, author = self.query.get("search", "").lower(), self.query.get("author")
        self.page(
            [
                {
                    "_id": r.id,
                    "id": r.id,
                    "modelId": r.id,
                    "private": r.meta["private"],
                    "gated": r.meta["gated"],
                    "likes": 0,
                    "downloads": 0,
                    "tags": r.meta["tags"],
                    "createdAt": stamp(1700000000),
                }
                for (k, i), r in sorted(self.hub.repos.items())
                if k == kind
                and term in i.lower()
                and (not author or i.split("/")[0] == author)
                and (not r.meta["private"] or self.user in r.meta["allow"] or self.user == i.split("/")[0])
            ]
        )
