"""What may go wrong between a client and a server: one function per fault, which sends a good answer in a bad way."""

from __future__ import annotations

import gzip
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .server import Connection

OTHER_BYTES = os.urandom(100_000)  # another file's
DRIP = 0.05  # seconds for each byte of a slow drip
LATER = "120"  # seconds that a server asks for with Retry-After
HTML = b"<!DOCTYPE html><html><body><h1>Something went wrong</h1></body></html>\n"


@dataclass
class Answer:
    """What the server would have said without the fault."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def _status(status: int, **headers: str) -> Callable[[Connection, Answer], None]:
    def send(connection: Connection, answer: Answer) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.send(Answer(status, {"Content-Type": "text/plain", **named}, b"injected fault\n"))

    return send


def _other_body(make: Callable[[bytes], bytes], **headers: str) -> Callable[[Connection, Answer], None]:
    def send(connection: Connection, answer: Answer) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.send(replace(answer, headers={**answer.headers, **named}, body=make(answer.body)))

    return send


def _flip(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :] if body else b"x"


def hang(connection: Connection, answer: Answer) -> None:
    connection.wait()


def reset(connection: Connection, answer: Answer) -> None:
    """No answer, and the connection ends by a TCP reset."""
    connection.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close_connection = True


def stall(connection: Connection, answer: Answer) -> None:
    connection.begin(answer)
    connection.write(answer.body[: len(answer.body) // 2])
    connection.wait()


def cut(connection: Connection, answer: Answer) -> None:
    connection.begin(answer)
    connection.write(answer.body[: len(answer.body) // 2])
    connection.close_connection = True


def say_too_long(connection: Connection, answer: Answer) -> None:
    """Promises a petabyte, sends what there is, and leaves the connection open."""
    connection.begin(answer, length=1 << 50)
    connection.write(answer.body)
    connection.wait()


def drip(connection: Connection, answer: Answer) -> None:
    connection.begin(answer)
    for number in range(len(answer.body)):
        connection.write(answer.body[number : number + 1])
        if connection.wait(DRIP):
            return


def redirect(connection: Connection, answer: Answer) -> None:
    """To another server, which would give other bytes."""
    connection.send(Answer(302, {"Location": connection.owner.elsewhere() + connection.path}))


def compress(connection: Connection, answer: Answer) -> None:
    headers = {**answer.headers, "Content-Encoding": "gzip"}
    connection.send(replace(answer, headers=headers, body=gzip.compress(answer.body, 1)))


def bomb(connection: Connection, answer: Answer) -> None:
    """A small answer that is 4 GB when it is unpacked."""
    million = gzip.compress(bytes(16 << 20), 9)
    connection.send(replace(answer, headers={**answer.headers, "Content-Encoding": "gzip"}, body=million * 256))


def ignore_range(connection: Connection, answer: Answer) -> None:
    connection.send(connection.owner.answer(connection, ignore_range=True))


def flood(connection: Connection, answer: Answer) -> None:
    """Bytes without an end and without a length."""
    connection.begin(answer, length=None)
    end = time.monotonic() + 60
    while time.monotonic() < end and not connection.wait(0.02):  # 50 MB/s
        connection.write(OTHER_BYTES * 10)


def answer_well(connection: Connection, answer: Answer) -> None:
    connection.send(answer)


# `refuses` and `TLS failure` are properties of the server, not of an answer: see server.
FAULTS: dict[str, Callable[[Connection, Answer], None]] = {
    "refuses": answer_well,
    "hangs": hang,
    "stalls midway": stall,
    "cuts": cut,
    "resets": reset,
    "one byte flipped": _other_body(_flip),
    "another file's bytes": _other_body(lambda body: OTHER_BYTES),
    "too short": _other_body(lambda body: body[:-1]),
    "too long": _other_body(lambda body: body + b"x" * 1000),
    "says too long": say_too_long,
    "never ends": flood,
    "500": _status(500),
    "503 with Retry-After": _status(503, Retry_After=LATER),
    "429": _status(429, Retry_After=LATER),
    "401": _status(401, WWW_Authenticate='Bearer realm="other"'),
    "403": _status(403),
    "404": _status(404),
    "redirect to elsewhere": redirect,
    "slow drip": drip,
    "gzip it never asked for": compress,
    "gzip bomb": bomb,
    "HTML error page with status 200": _other_body(lambda body: HTML, Content_Type="text/html"),
    "garbage in place of JSON": _other_body(lambda body: OTHER_BYTES[:999], Content_Type="application/json"),
    "range ignored": ignore_range,
    "TLS failure": answer_well,
}
