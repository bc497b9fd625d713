"""A program whose stderr, or stdout too, is a terminal of a given width."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
from typing import Any


class OnTerminal:
    """The outcome: `code`, what the terminal got as `screen`, and the `stdout` if that was a pipe."""

    def __init__(self, words: list[str], *, stdout_too: bool = False, columns: int = 100, **options: Any) -> None:
        controller, terminal = pty.openpty()
        # a terminal of no size is one that tqdm draws nothing on
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        screen: list[bytes] = []

        def read() -> None:
            while True:
                try:
                    data = os.read(controller, 65536)
                except OSError:  # EIO: the other end is closed
                    return
                if not data:
                    return
                screen.append(data)

        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=terminal if stdout_too else subprocess.PIPE,
            stderr=terminal,
            **options,
        )
        os.close(terminal)
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        out, _ = process.communicate(timeout=120)
        reader.join(30)
        os.close(controller)
        self.code = process.returncode
        self.stdout = (out or b"").decode()
        self.screen = b"".join(screen).decode()
