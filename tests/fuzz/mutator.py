"""Changes good answers a little, and sometimes much. The same seed gives the same changes."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

TOKENS = [
    *(b"", b"\0", b"\n", b"\r\n", b"\r\n\r\n", b"/", b"..", b"../", b"\\", b":", b'"', b"{", b"}", b"[", b"]", b","),
    *(b"null", b"true", b"-1", b"0", b"1e999", b"NaN", b"Infinity", b"9" * 30, b"9" * 5000, b"\xff", b"\xc0\x80"),
    *(b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"%2e%2e", b"%00", b"[" * 3000, b'{"a":' * 3000, b"A" * 70_000),
    *(b"Content-Length: 5\r\n", b"Content-Range: bytes 0-4/5\r\n", b"Transfer-Encoding: chunked\r\n", b"chunked"),
    *(
        b"Content-Encoding: gzip\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 206 x\r\n",
        b"206",
        b"302",
        b"Location: /x\r\n",
    ),
]
NAMES = [
    "..",
    "../x",
    "/x",
    "a/../../x",
    "a\\b",
    "C:/x",
    "con",
    "x" * 300,
    "",
    ".",
    "a//b",
    "a\0b",
    "\ud800",
    "a/b",
    "a",
]
VALUES: list[Any] = [None, True, -1, 0, 1 << 50, 1 << 70, 1.5, "", "x", [], {}, [[]], "a" * 40, "b" * 64, *NAMES]


class Mutator:
    """One stream of mutations."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def mutate(self, seeds: Sequence[bytes]) -> bytes:
        """One of the seeds, changed once or a few times."""
        chance = self.random
        data = bytearray(chance.choice(seeds))
        often: tuple[int, ...] = (0, 1, 1, 1, 2, 3, 8)
        if chance.random() < 0.5:
            changed = self._change_table(bytes(data))
            often = often if changed == data else (0, 0, 0, 1)
            data = bytearray(changed)
        for _ in range(chance.choice(often)):
            self._change(data, seeds)
        return bytes(data)

    def _change(self, data: bytearray, seeds: Sequence[bytes]) -> None:
        chance = self.random
        at, end = sorted((chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
        kind = chance.randrange(8)
        if kind <= 1 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 2 and at < len(data):
            data[at] = chance.randrange(256)
        elif kind == 3:
            del data[at : min(end, at + chance.choice((1, 2, 16, 1 << 20)))]
        elif kind == 4:
            data[at:at] = chance.choice(TOKENS)
        elif kind == 5:
            data[at : min(end, at + 8)] = chance.choice(TOKENS)
        elif kind == 6:
            data[at:at] = data[at : min(end, at + 4096)]
        else:
            other = chance.choice(seeds)
            start = chance.randrange(len(other) + 1)
            data[at:end] = other[start : start + chance.randrange(200)]

    def _change_table(self, data: bytes) -> bytes:
        """Where it is JSON: another value or key somewhere in it, and still JSON."""
        head, middle, body = data.rpartition(b"\r\n\r\n")
        try:
            table = json.loads(body)
        except ValueError:
            return data
        if not isinstance(table, dict | list):
            return data
        chance, here = self.random, table
        for _ in range(chance.randrange(5)):
            inner = [
                each for each in (here.values() if isinstance(here, dict) else here) if isinstance(each, dict | list)
            ]
            if not inner:
                break
            here = chance.choice(inner)
        if isinstance(here, list):
            here.insert(chance.randrange(len(here) + 1), chance.choice(VALUES))
        elif here and chance.random() < 0.6:
            here[chance.choice(list(here))] = chance.choice(VALUES)
        else:
            value = here.pop(chance.choice(list(here))) if here else 1
            here[chance.choice(NAMES)] = value
        return head + middle + json.dumps(table).encode("utf-8", "surrogatepass")
