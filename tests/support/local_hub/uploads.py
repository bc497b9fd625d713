"""The writing side of the API: repos, branches, tags, LFS uploads, commits."""

import base64
import hashlib
import json
import os

from .content import Repo, blob_of, lfs_blob
from .request import Request, Stop


class Uploads(Request):
    def named(self):
        if not self.user:
            raise Stop(401, None, "Invalid username or password.")
        d = json.loads(self.body)
        return d, d.get("type", "model") + "s", "{}/{}".format(d.get("organization") or self.user, d["name"])

    def create(self):
        d, kind, rid = self.named()
        with self.hub.lock:
            if (kind, rid) in self.hub.repos:
                said = {"error": "You already created this model repo", "url": f"{self.hub.endpoint}/{rid}"}
                return self.reply(409, said)
            repo = self.hub.repos[kind, rid] = Repo(
                kind, rid, {"private": bool(d.get("private")), "allow": [self.user]}
            )
            repo.commit(
                {
                    ".gitattributes": blob_of(
                        b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n", ".gitattributes", self.hub.threshold
                    )
                },
                "initial commit",
            )
        self.reply(200, {"url": f"{self.hub.endpoint}/{rid}", "name": rid, "id": rid})

    def delete(self):
        _, kind, rid = self.named()
        self.repo(kind, rid, "write")
        del self.hub.repos[kind, rid]
        self.reply(200, {})

    def ref(self, repo, verb, name):
        self.repo(repo.kind, repo.id, "write")
        table = repo.refs if verb == "branch" else repo.tags
        if self.command == "DELETE":
            if table.pop(name, None) is None:
                raise Stop(404, "RevisionNotFound", f"no such {verb}")
            return self.reply(200, {})
        d = json.loads(self.body or b"{}")
        if verb == "tag":  # POST /tag/{revision} with {"tag": name}
            start, name = name, d["tag"]
        else:
            start = d.get("startingPoint", "main")
        if name in table:
            raise Stop(409, None, "Reference already exists")
        table[name] = self.revision(repo, start)[0]
        self.reply(201, {})

    def lfs_batch(self, kind, rid):
        self.repo(kind, rid, "write")
        out = []
        for o in json.loads(self.body)["objects"]:
            row = {"oid": o["oid"], "size": o["size"]}
            if not os.path.exists(os.path.join(self.hub.store, o["oid"])):
                row["actions"] = {
                    "upload": {"href": "{}/_upload/{}".format(self.hub.endpoint, o["oid"]), "header": {}},
                    "verify": {"href": "{}/_verify/{}".format(self.hub.endpoint, o["oid"]), "header": {}},
                }
            out.append(row)
        self.reply(200, {"transfer": "basic", "objects": out}, ctype="application/vnd.git-lfs+json")

    def lfs_put(self, oid):
        if hashlib.sha256(self.body).hexdigest() != oid:
            raise Stop(400, None, "sha256 mismatch")
        with open(os.path.join(self.hub.store, oid), "wb") as f:
            f.write(self.body)
        self.reply(200, b"")

    def commit(self, repo, branch):
        with self.hub.lock:
            rows = [json.loads(x) for x in self.body.splitlines() if x.strip()]
            header = next(r["value"] for r in rows if r["key"] == "header")
            head = self.revision(repo, branch)[0]
            if header.get("parentCommit") not in (None, head):
                raise Stop(412, None, "A commit has happened since. Please refresh and try again.")
            files = dict(repo.commits[head]["files"])
            for r in rows:
                v = r["value"]
                if r["key"] == "file":
                    files[v["path"]] = blob_of(base64.b64decode(v["content"]), v["path"], 1 << 62)
                elif r["key"] == "lfsFile":
                    src = os.path.join(self.hub.store, v["oid"])
                    if not os.path.exists(src):
                        raise Stop(400, None, "lfs object {} was not uploaded".format(v["oid"]))
                    files[v["path"]] = lfs_blob(os.path.getsize(src), v["oid"], src)
                elif r["key"] == "deletedFile":
                    files.pop(v["path"], None)
                elif r["key"] == "deletedFolder":
                    files = {k: b for k, b in files.items() if not k.startswith(v["path"].rstrip("/") + "/")}
            oid = repo.commit(files, header.get("summary", "commit"), branch)
        self.reply(200, {"success": True, "commitOid": oid, "commitUrl": f"{self.hub.endpoint}/{repo.id}/commit/{oid}"})
