"""The Hub itself: content from a folder, faults, shaping, log, start and stop."""

import contextlib
import json
import os
import shutil
import socket
import sys
import tempfile
import threading
from http.server import ThreadingHTTPServer

from .content import Repo, blob_of
from .mirror import Mirror
from .request import Fault
from .routes import KINDS, Handler


class LocalHub:
    def __init__(
        self,
        root=None,
        port=0,
        tokens=None,
        lfs_threshold=10 << 20,
        cdn="other",
        resolve_cache=False,
        latency=0.0,
        bandwidth=0,
        page=1000,
        log_path=None,
        host="127.0.0.1",
        store=None,
        xet=False,
        mirror=None,
    ):
        if not (host == "localhost" or host.startswith("127.") or host == "::1"):
            raise ValueError("localhub binds loopback addresses only")
        self.xet = xet
        self.mirror = mirror or Mirror()
        self.root, self.tokens, self.threshold = root, dict(tokens or {"hf_test": "tester"}), lfs_threshold
        self.cdn, self.resolve_cache, self.latency, self.bandwidth, self.page = (
            cdn,
            resolve_cache,
            latency,
            bandwidth,
            page,
        )
        self.stopped = threading.Event()
        self.repos, self.faults, self.log, self.lock = {}, [], [], threading.RLock()
        self.renamed = {}  # old name of a model -> (the new one, does its redirect keep the query?)
        self.log_file = open(log_path, "a") if log_path else None  # noqa: SIM115
        self.own_store = store is None
        self.store = store or tempfile.mkdtemp(prefix="localhub-")
        handler = type("H", (Handler,), {"hub": self})
        self.servers = [Server((host, port), handler)]
        if cdn == "other":
            self.servers.append(Server((host, 0), handler))
        self.endpoint = f"http://{host}:{self.servers[0].server_address[1]}{self.mirror.prefix}"
        self.cdn_url = f"http://{host}:{self.servers[-1].server_address[1]}"
        if root:
            self.scan()

    # -- content ---------------------------------------------------------------------------------------------------
    def scan(self):
        """(Re)reads root: a repo whose files changed on disk gets a new commit on main."""
        for kind in KINDS:
            base = self.root if kind == "models" else os.path.join(self.root, kind)
            for a in sorted(os.listdir(base)) if os.path.isdir(base) else []:
                top = os.path.join(base, a)
                if (kind == "models" and a in KINDS) or not os.path.isdir(top):
                    continue
                if any(os.path.isfile(os.path.join(top, f)) for f in os.listdir(top)):
                    self.add(a, top, kind)
                else:
                    for b in sorted(os.listdir(top)):
                        self.add(a + "/" + b, os.path.join(top, b), kind)

    def add(self, rid, folder, kind="models", meta=None, message="initial commit", branch="main"):
        files, conf = {}, os.path.join(folder, "hub.json")
        if os.path.isfile(conf):
            with open(conf) as f:
                meta = {**json.load(f), **(meta or {})}
        for cur, dirs, names in os.walk(folder):
            dirs[:] = [d for d in dirs if d != ".git"]
            for n in names:
                path = os.path.join(cur, n)
                rel = os.path.relpath(path, folder).replace(os.sep, "/")
                if rel != "hub.json":
                    files[rel] = blob_of(self._source(path), rel, self.threshold)
        with self.lock:
            repo = self.repos.setdefault((kind, rid), Repo(kind, rid))
            repo.meta.update(meta or {})
            head = repo.commits.get(repo.refs.get(branch), {}).get("files")
            if head is None or {k: v[:3] for k, v in head.items()} != {k: v[:3] for k, v in files.items()}:
                repo.commit(files, message, branch)
        return repo

    def rename(self, old, new, keep_query=True):
        """A model moves; its old name redirects, as on the real Hub."""
        repo = self.repos.pop(("models", old))
        repo.id = new
        self.repos["models", new] = repo
        self.renamed[old] = new, keep_query

    @staticmethod
    def _source(path):
        """Small files are kept, so that older commits still have theirs when the folder changes; large ones are not."""
        if os.path.getsize(path) > 1 << 20:
            return path
        with open(path, "rb") as f:
            return f.read()

    # -- control ---------------------------------------------------------------------------------------------------
    def fault(self, **rule):
        self.faults.append(Fault(rule))
        return self.faults[-1]

    def env(self, token=None):
        out = {"HF_ENDPOINT": self.endpoint, "NO_PROXY": "127.0.0.1,localhost", "HF_HUB_DISABLE_TELEMETRY": "1"}
        return {**out, "HF_TOKEN": token} if token else out

    def start(self):
        self.stopped.clear()
        for s in self.servers:
            threading.Thread(target=s.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def stop(self):
        """Really down: refuses connections, and those that clients keep open are closed too."""
        self.stopped.set()
        for s in self.servers:
            s.shutdown()
            s.server_close()
            s.close_connections()
        if self.log_file:
            self.log_file.close()
        if self.own_store:
            shutil.rmtree(self.store, ignore_errors=True)

    __enter__ = start

    def __exit__(self, *exc):
        self.stop()


class Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.connections = set()

    def process_request(self, request, client_address):
        self.connections.add(request)
        super().process_request(request, client_address)

    def close_request(self, request):
        self.connections.discard(request)
        super().close_request(request)

    def close_connections(self):
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request, client_address):  # a client that went away is not news
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)
