"""One request: who asks, what is logged, which fault is injected, how bytes go out."""

import json
import random
import re
import time
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, unquote, urlsplit


class Fault(dict):
    """match: regex on 'METHOD /path?query'; times: how often (-1 for ever); every: only each so many matching requests;
    p: probability; then any of
    status, code, message, retry_after, ratelimit (seconds): an error answer;
    html: a page with status 200 (or `status`) in place of the answer;
    latency (seconds), bandwidth (bytes/s); truncate: drop the connection after that many bytes; stall: send that many,
    then nothing until the Hub stops; corrupt: flip the byte at that offset; reset: close without an answer;
    hang: accept the request and answer nothing until the Hub stops."""

    def hits(self, line):
        if (
            self.get("times", -1) == 0
            or not re.search(self.get("match", ""), line)
            or random.random() > self.get("p", 1)
        ):
            return False
        self["met"] = self.get("met", 0) + 1
        if self["met"] % self.get("every", 1):
            return False
        self["times"] = self.get("times", -1) - 1 if self.get("times", -1) > 0 else self.get("times", -1)
        return True


class Stop(Exception):
    def __init__(self, status, code=None, message=None, headers=None):
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}


class Request(BaseHTTPRequestHandler):
    protocol_version, server_version, hub = "HTTP/1.1", "localhub/1", None
    disable_nagle_algorithm = True

    def log_message(self, *a):
        pass

    # -- one request -----------------------------------------------------------------------------------------------
    def handle_any(self):
        hub, t0 = self.hub, time.monotonic()
        self.sent, self.user, self.fault = 0, None, Fault()
        path = self.path if self.path.startswith("/_") else hub.mirror.path(self.path)
        parts = self.asked = urlsplit(path or "/")
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.segs = [s for s in parts.path.split("/") if s]
        n = int(self.headers.get("Content-Length") or 0)
        if "chunked" in (self.headers.get("Transfer-Encoding") or ""):
            self.body = self.read_chunked()
        else:
            self.body = self.rfile.read(n) if n else b""
        admin = self.segs[:1] == ["__admin__"]
        self.row = {
            "t": round(time.time(), 4),
            "ms": None,
            "method": self.command,
            "path": self.path,
            "status": 0,
            "bytes": 0,
            "user": None,
            "range": self.headers.get("Range"),
            "auth": "Authorization" in self.headers,
            "origin": "cdn" if self.server is not hub.servers[0] else "hub",
            "ua": self.headers.get("User-Agent"),
        }
        try:
            if admin:
                return self.admin()
            with hub.lock:
                hub.log.append(self.row)  # logged before the answer goes out, so a client that returned has been logged
                for rule in hub.faults:
                    if rule.hits(f"{self.command} {self.path}"):
                        self.fault.update(rule)
            time.sleep(self.fault.get("latency", hub.latency))
            if self.fault.get("hang"):
                hub.stopped.wait()
            if self.fault.get("reset") or self.fault.get("hang"):
                self.close_connection = True
                return
            if "html" in self.fault:
                page = self.fault["html"].encode()
                return self.reply(self.fault.get("status", 200), page, ctype="text/html; charset=utf-8")
            if "status" in self.fault:
                f, extra = self.fault, {}
                if "retry_after" in f:
                    extra["Retry-After"] = str(f["retry_after"])
                if "ratelimit" in f:
                    extra["ratelimit"] = f'"api";r=0;t={f["ratelimit"]}'
                    extra["ratelimit-policy"] = '"fixed window";"api";q=500;w=300'
                raise Stop(f["status"], f.get("code"), f.get("message", "injected fault"), extra)
            self.authenticate()
            self.route()
        except Stop as e:
            headers = dict(e.headers)
            if e.code:
                headers["X-Error-Code"] = e.code
            if e.message:
                headers["X-Error-Message"] = e.message
            self.reply(e.status, {"error": e.message or "error"}, headers)
        except OSError:
            self.close_connection = True
        finally:
            self.row.update(ms=round(1000 * (time.monotonic() - t0), 1), bytes=self.sent)
            if hub.log_file and not admin:
                with hub.lock:
                    hub.log_file.write(json.dumps(self.row) + "\n")
                    hub.log_file.flush()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any

    def read_chunked(self):
        out = []
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            out.append(self.rfile.read(size))
            self.rfile.readline()
            if not size:
                return b"".join(out)

    def reply(self, status, data=None, headers=None, ctype="application/json; charset=utf-8"):
        raw = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.begin(status, {"Content-Type": ctype, "Content-Length": str(len(raw)), **(headers or {})})
        if self.command != "HEAD":
            self.write(raw)

    def begin(self, status, headers):
        self.row.update(status=status, user=self.user)
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k, v)
        self.send_header("X-Request-Id", f"{random.getrandbits(32):08x}")
        self.end_headers()

    def write(self, raw):
        """Sends bytes, shaped by bandwidth, corrupt, truncate and stall."""
        rate, f = self.fault.get("bandwidth", self.hub.bandwidth), self.fault
        if "corrupt" in f and self.sent <= f["corrupt"] < self.sent + len(raw):
            raw, i = bytearray(raw), f["corrupt"] - self.sent
            raw[i] ^= 0xFF
        last = f.get("truncate", f.get("stall"))
        if last is not None and self.sent + len(raw) > last:
            self.wfile.write(bytes(raw[: max(0, last - self.sent)]))
            self.wfile.flush()
            self.sent, self.close_connection = last, True
            if "stall" in f:
                self.hub.stopped.wait()
            raise ConnectionAbortedError("ended on purpose")
        self.wfile.write(bytes(raw))
        self.sent += len(raw)
        if rate:
            time.sleep(len(raw) / rate)

    # -- who may do what -------------------------------------------------------------------------------------------
    def authenticate(self):
        auth = self.headers.get("Authorization", "")
        if auth.startswith("Bearer ") and self.server is self.hub.servers[0]:
            self.user = self.hub.tokens.get(auth[7:])
            if self.user is None:
                raise Stop(401, None, "Invalid credentials in Authorization header")

    def repo(self, kind, rid, need=None):
        repo = self.hub.repos.get((kind, rid))
        may = repo and (self.user in repo.meta["allow"] or self.user == rid.split("/")[0])
        if repo is None or (repo.meta["private"] and not may):
            # the real Hub hides which of the two it is: 401 to strangers, 404 to a logged-in user
            raise Stop(
                404 if self.user else 401,
                "RepoNotFound",
                "Repository not found" if self.user else "Invalid username or password.",
            )
        if need == "content" and repo.meta["gated"] and not may:
            raise Stop(
                403 if self.user else 401,
                "GatedRepo",
                "Access to model {} is restricted{}".format(
                    rid, " and you are not in the authorized list." if self.user else ". Please log in."
                ),
            )
        if need == "write" and not self.user:
            raise Stop(401, None, "Invalid username or password.")
        return repo

    def revision(self, repo, rev):
        oid = repo.resolve(unquote(rev or "main"))
        if oid is None:
            raise Stop(404, "RevisionNotFound", f"Invalid rev id: {unquote(rev)}")
        return oid, repo.commits[oid]["files"]
