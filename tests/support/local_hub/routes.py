"""Which part answers which path, and the control routes under /__admin__."""

import json
import re

from .listings import Listings
from .request import Fault, Stop
from .uploads import Uploads

KINDS = {"models": "model", "datasets": "dataset", "spaces": "space"}
SHA1 = re.compile(r"^[0-9a-f]{40}$")


class Handler(Listings, Uploads):
    def route(self):
        s = self.segs
        self.redirect_renamed()
        if s[:1] == ["_blob"]:
            return self.cdn_blob(s[1])
        if s[:1] == ["_xet"]:
            return self.xet_cas(s[1:])
        if s[:1] == ["_upload"] and self.command == "PUT":
            return self.lfs_put(s[1])
        if s[:1] == ["_verify"]:
            return self.reply(200, {})
        if s[:2] == ["api", "whoami-v2"]:
            if not self.user:
                raise Stop(401, None, "Invalid username or password.")
            return self.reply(
                200,
                {
                    "type": "user",
                    "id": self.user,
                    "name": self.user,
                    "fullname": self.user,
                    "orgs": [],
                    "auth": {"type": "access_token", "accessToken": {"displayName": "t", "role": "write"}},
                },
            )
        if s[:2] == [
            "api",
            "agent-harnesses",
        ]:  # huggingface_hub 2.4 asks for this once a day, or once a process if it gets a 404
            return self.reply(200, {"standardEnvVars": [], "harnesses": {}})
        if s[:2] == ["api", "validate-yaml"]:  # asked before a README.md is uploaded
            return self.reply(200, {"errors": [], "warnings": []})
        if s[:2] == ["api", "resolve-cache"]:
            n = 5 if SHA1.match(s[5] if len(s) > 5 else "") else 4
            return self.file(s[2], "/".join(s[3:n]), s[n], "/".join(s[n + 1 :]), cached=True)
        if s[:2] == ["api", "repos"] and s[2:] == ["create"]:
            return self.create()
        if s[:2] == ["api", "repos"] and s[2:] == ["delete"]:
            return self.delete()
        if s[:1] == ["api"] and len(s) >= 2 and s[1] in KINDS:
            return self.api(s[1], s[2:])
        if len(s) > 3 and s[-3:] == ["lfs", "objects", "batch"]:
            kind, s = (s[0], s[1:]) if s[0] in KINDS else ("models", s)
            return self.lfs_batch(kind, "/".join(s[:-4])[:-4])
        kind, s = (s[0], s[1:]) if s and s[0] in KINDS else ("models", s)
        for n in (2, 1):
            if len(s) > n + 2 and s[n] in ("resolve", "raw"):
                return self.file(kind, "/".join(s[:n]), s[n + 1], "/".join(s[n + 2 :]))
        raise Stop(404, None, "Sorry, we can't find the page you are looking for.")

    def redirect_renamed(self):
        path = self.path.partition("?")[0]
        for old, (new, keep_query) in self.hub.renamed.items():
            for before in ("/api/models/", "/"):
                if f"{path}/".startswith(f"{before}{old}/"):
                    where = before + new + (self.path if keep_query else path)[len(before + old) :]
                    raise Stop(307, None, f"Temporary Redirect. Redirecting to {where}", {"Location": where})

    def admin(self):
        hub, what, body = self.hub, self.segs[1] if len(self.segs) > 1 else "", json.loads(self.body or b"{}")
        with hub.lock:
            if what == "log":
                out = list(hub.log)
                if self.command == "DELETE":
                    hub.log.clear()
            elif what == "faults":
                if self.command == "POST":
                    hub.faults.append(Fault(body))
                if self.command == "DELETE":
                    hub.faults.clear()
                out = hub.faults
            elif what == "shape":
                for k in ("latency", "bandwidth", "page", "cdn", "resolve_cache", "xet"):
                    setattr(hub, k, body.get(k, getattr(hub, k)))
                out = {"latency": hub.latency, "bandwidth": hub.bandwidth}
            elif what == "rescan":
                hub.scan()
                out = {i: r.refs for (k, i), r in hub.repos.items()}
            elif what == "meta":
                hub.repos["models", body.pop("repo")].meta.update(body)
                out = {}
            else:
                out = {"repos": sorted(i for _, i in hub.repos), "endpoint": hub.endpoint}
        self.reply(200, out)
