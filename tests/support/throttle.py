"""A relay of TCP connections on loopback that lets so many bytes a second through, and can stall or break off."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

_BLOCK = 1 << 16


class Throttle:
    """Before the server at an address. `rate`: bytes per second to each client; `stall` and `cut`: after how many bytes
    to all clients together nothing more is sent, or their connections are closed, and no more are taken. `at`: where it
    listens.
    """

    def __init__(
        self, address: tuple[str, int], rate: float, *, stall: int = 0, cut: int = 0, at: tuple[str, int] | None = None
    ) -> None:
        self.given = 0  # bytes that were let through
        self._address, self._rate, self._stall, self._cut = address, rate, stall, cut
        self._ended = threading.Event()
        self._listener = socket.create_server(at or ("127.0.0.1", 0), backlog=64)
        self.url = "http://{}:{}".format(*self._listener.getsockname())
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Throttle:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._listener.close()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._address)
            except OSError:  # it is not up yet
                client.close()
                continue
            threading.Thread(target=self._pass, args=(client, server), daemon=True).start()
            threading.Thread(target=self._pass_slowly, args=(server, client), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_BLOCK):
                target.sendall(data)
        _close(source, target)

    def _pass_slowly(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while (data := source.recv(_BLOCK)) and not (self._cut and self.given > self._cut):
                if self._stall and self.given > self._stall:
                    self._ended.wait()
                    break
                target.sendall(data)
                self.given += len(data)
                time.sleep(len(data) / self._rate)
        _close(source, target)


def _close(*connections: socket.socket) -> None:
    for each in connections:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
