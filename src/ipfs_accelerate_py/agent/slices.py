"""Sending a slice of a file to a receiver for as long as it takes something, however slow it is."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from typing import IO, Any

SLICE = 4 << 20  # bytes that one sendfile is asked for
_BLIND_SLICE = 256 << 10  # where the system does not tell what was taken meanwhile
_LOOKS = 4  # in the time that a receiver has
# `tcpi_bytes_acked` of Linux: https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/include/uapi/linux/tcp.h
_ACKED_AT, _TOLD = 120, 128


def size_of_slice() -> int:
    """How many bytes are sent at once."""
    return SLICE if sys.platform == "linux" else _BLIND_SLICE


async def send_slice(transport: asyncio.WriteTransport, file: IO[bytes], at: int, count: int, patience: float) -> int:
    """Send `count` bytes of a file; how many there were. TimeoutError where none is taken for so many seconds."""
    loop = asyncio.get_running_loop()
    sending = loop.create_task(loop.sendfile(transport, file, at, count))
    moved, taken = loop.time(), _taken(transport)
    try:
        while not (await asyncio.wait({sending}, timeout=patience / _LOOKS))[0]:
            now_taken = _taken(transport)
            if now_taken != taken:
                moved, taken = loop.time(), now_taken
            elif loop.time() - moved > patience:
                raise asyncio.TimeoutError
        return sending.result()
    finally:
        if not sending.done():
            sending.cancel()
            await asyncio.wait({sending})


def _taken(transport: asyncio.WriteTransport) -> int | None:
    """How many bytes the other end has taken since the connection was made; None where the system does not tell."""
    connection: Any = transport.get_extra_info("socket")
    if sys.platform != "linux" or connection is None:
        return None
    try:
        told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TOLD)
    except OSError:
        return None
    return int(struct.unpack_from("Q", told, _ACKED_AT)[0]) if len(told) >= _TOLD else None
