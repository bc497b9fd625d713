"""The server: connections, its fault, its log."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from .faults import FAULTS, Answer


class Connection(BaseHTTPRequestHandler):
    """One client's connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner: FaultServer

    def log_message(self, *arguments: Any) -> None:
        pass

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        chunked = "chunked" in (self.headers.get("Transfer-Encoding") or "")
        self.body = self._read_chunks() if chunked else self.rfile.read(length)
        self.row = {"method": self.command, "path": self.path, "bytes": 0, "headers": dict(self.headers), "fault": ""}
        fault, self.changed = self.owner.begin(self.row)
        with contextlib.suppress(OSError):
            try:
                fault(self, self.owner.answer(self))
                return
            except ValueError as error:  # http.client's, of a header that a fuzzer made
                self.send(Answer(502, {}, str(error).encode()))
        self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any

    def _read_chunks(self) -> bytes:
        found = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def send(self, answer: Answer) -> None:
        """The answer as it is."""
        self.begin(answer, length=len(answer.body))
        self.write(answer.body)

    def begin(self, answer: Answer, length: int | None = -1) -> None:
        """Status and headers. `length`: what is promised; None promises nothing."""
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if length is None:
            self.send_header("Connection", "close")
        elif "Content-Length" not in answer.headers:  # a HEAD answer has its own
            self.send_header("Content-Length", str(len(answer.body) if length == -1 else length))
        self.end_headers()

    def write(self, data: bytes) -> None:
        if self.command != "HEAD":
            self.wfile.write(data)
            self.row["bytes"] += len(data)

    def wait(self, seconds: float | None = None) -> bool:
        """Do nothing until the fault is another one (then the connection ends; True) or the time has passed."""
        ended = self.changed.wait(seconds)
        if ended or seconds is None:
            self.close_connection = True
        return ended


class FaultServer:
    """Listens on loopback, on one port for all its life; `set_fault` says what is wrong from now on."""

    def __init__(self) -> None:
        self.log: list[dict[str, Any]] = []
        self._fault, self._match, self._times = "", "", -1
        self._changed = threading.Event()
        self._server: _Server | None = None
        self._lock = threading.Lock()
        self._elsewhere: FaultServer | None = None
        self._closed = socket.socket()  # holds the port while nobody listens
        self._closed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._closed.bind(("127.0.0.1", 0))
        self.port: int = self._closed.getsockname()[1]

    def answer(self, request: Connection, ignore_range: bool = False) -> Answer:
        """What a good server says."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        return f"{'https' if self._fault == 'TLS failure' else 'http'}://127.0.0.1:{self.port}"

    @property
    def sent(self) -> int:
        """Bytes of bodies that went out."""
        return sum(row["bytes"] for row in self.log)

    def set_fault(self, name: str = "", match: str = "", times: int = -1) -> None:
        """One fault of FAULTS for requests whose 'METHOD /path' matches; "" for none. Ends connections that hang."""
        assert not name or name in FAULTS, name
        self._stop()
        self._fault, self._match, self._times = name, match, times
        if name != "refuses":
            self._listen()

    def begin(self, row: dict[str, Any]) -> tuple[Any, threading.Event]:
        with self._lock:
            self.log.append(row)
            if self._fault and self._times and re.search(self._match, f"{row['method']} {unquote(row['path'])}"):
                self._times -= 1
                row["fault"] = self._fault
                return FAULTS[self._fault], self._changed
            return (lambda connection, answer: connection.send(answer)), self._changed

    def elsewhere(self) -> str:
        """URL of the server to which this one redirects."""
        from .kinds import Elsewhere

        if self._elsewhere is None:
            self._elsewhere = Elsewhere().start()
        return self._elsewhere.url

    @property
    def went_elsewhere(self) -> list[dict[str, Any]]:
        """The requests that came to that server."""
        return self._elsewhere.log if self._elsewhere else []

    def start(self) -> Any:
        if self._server is None and self._fault != "refuses":
            self._listen()
        return self

    def stop(self) -> None:
        self._stop()
        self._closed.close()
        if self._elsewhere:
            self._elsewhere.stop()

    def _listen(self) -> None:
        handler = type("Handler", (Connection,), {"owner": self})
        self._closed.close()
        self._changed = threading.Event()
        self._server = _Server(("127.0.0.1", self.port), handler)
        if self._fault == "TLS failure":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate(Path(__file__).resolve().parents[3] / ".pytest_cache" / "tls"))
            self._server.socket = context.wrap_socket(self._server.socket, True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def _stop(self) -> None:
        server, self._server = self._server, None
        self._changed.set()
        if server is None:
            return
        server.shutdown()
        server.server_close()
        for connection in list(server.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._closed = socket.socket()
        self._closed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._closed.bind(("127.0.0.1", self.port))

    def __enter__(self) -> Any:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128

    def __init__(self, *arguments: Any) -> None:
        self.connections: set[socket.socket] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that goes away, or that does not like our certificate, is what these servers are for


def certificate(folder: Path) -> tuple[str, str]:
    """A self-signed certificate that nobody trusts, made once: the files of certificate and key."""
    made, key = folder / "certificate.pem", folder / "key.pem"
    if not made.exists():
        folder.mkdir(parents=True, exist_ok=True)
        words = "openssl req -x509 -newkey rsa:2048 -nodes -days 36500 -subj /CN=127.0.0.1"
        more = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(made)]
        subprocess.run([*words.split(), *more], check=True, capture_output=True)
    return str(made), str(key)
