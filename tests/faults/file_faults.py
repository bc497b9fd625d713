"""What may be wrong with files where they lie: in a cache below ours, or in a mirror that is a folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

OTHER = os.urandom(50_000)


def _bytes(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        content = change(path.read_bytes())
        path.unlink()
        path.write_bytes(content)

    return damage


def _flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :] if content else b"x"


def _replace(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        path.unlink()
        make(path)

    return damage


def _unreadable(path: Path) -> None:
    """Root reads everything: for it a loop of links stands for a file that cannot be opened."""
    if os.geteuid() == 0:
        path.unlink()
        path.symlink_to(path.name)
    else:
        path.chmod(0)


FILE_FAULTS: dict[str, Callable[[Path], None]] = {
    "one byte flipped": _bytes(_flip),
    "another file's bytes": _bytes(lambda content: OTHER),
    "too short": _bytes(lambda content: content[:-1]),
    "too long": _bytes(lambda content: content + b"x"),
    "empty": _bytes(lambda content: b""),
    "unreadable": _unreadable,
    "dangling link": _replace(lambda path: path.symlink_to(path.with_name("nothing"))),
    "link to what never ends": _replace(lambda path: path.symlink_to("/dev/zero")),
    "a FIFO that hangs": _replace(os.mkfifo),
    "a directory in its place": _replace(Path.mkdir),
    "gone": Path.unlink,
}
