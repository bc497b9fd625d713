"""A loopback server whose next answer is any bytes at all, headers included, and what a client makes of it."""

from __future__ import annotations

import contextlib
import socket
import threading


class AnsweringServer:
    """Answers each request with `answer` as it stands, and closes the connection."""

    def __init__(self) -> None:
        self.answer = b""
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            with line, contextlib.suppress(OSError):
                line.settimeout(2)
                while (data := line.recv(1 << 16)) and b"\r\n\r\n" not in data[-4096:]:
                    pass
                line.sendall(self.answer)

    def stop(self) -> None:
        self._listener.close()
