"""What commands print: words for people, one JSON document for programs, errors on stderr."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from .commands import FAILED, UNVERIFIED


def tell(args: Namespace, line: str) -> None:
    """A line for people: not with --quiet or --json."""
    if not (args.quiet or args.json):
        print(line)


def warn(line: str) -> None:
    """A line on stderr. Where that is closed, which would mean stdout to `print`, or full, it is dropped."""
    if sys.stderr is None:
        return
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        drop(sys.stderr)


def drop(stream: TextIO) -> None:
    """Let all that is still to be written to a stream go nowhere, also what Python writes when it ends."""
    with suppress(OSError, ValueError):  # it may be no file, or closed
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def print_json(document: Any) -> None:
    """The one document of --json."""
    import json

    print(json.dumps(document, indent=2, default=str))


def print_error(error: BaseException, what: str = "") -> int:
    """`Error:` and `Hint:`; the exit code that the error means."""
    from ..errors import IPFSAccelerateError, LockFileError, VerificationError

    words = f"{error or type(error).__name__}{_said_by_the_hub(error)}"
    warn(f"Error: {what}{': ' if what else ''}{words}")
    hint = error.hint if isinstance(error, IPFSAccelerateError) else "--debug shows where it happened"
    if hint:
        warn(f"Hint: {hint}")
    damaged = isinstance(error, VerificationError) and not isinstance(error, LockFileError)
    return UNVERIFIED if damaged else FAILED


def _said_by_the_hub(error: BaseException) -> str:
    """The Hub's own words, where its client has kept them."""
    cause = error.__cause__
    status = getattr(getattr(cause, "response", None), "status_code", None)
    words = getattr(cause, "server_message", None)
    return f" (the Hub said: {status}{f' {words}' if words else ''})" if status else ""


def print_table(args: Namespace, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns for people."""
    table = [head, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    for row in table:
        tell(args, "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip())


def say_size(size: int) -> str:
    """Bytes as people say them: 4.1 MB."""
    number = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{size} B" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


@contextmanager
def count_bytes(verb: str) -> Iterator[Callable[[str, int], None]]:
    """One bar for many files: a function to call with the name and the bytes of each, on a terminal."""
    from ..fetch import progress

    bar = progress.begin(verb)

    def count(name: str, size: int) -> None:
        bar.label(name)
        bar.advance(size)

    try:
        yield count
    finally:
        bar.finish()


def open_store(args: Namespace) -> tuple[Any, Any]:
    """The settings and the store, if this version of ours can read it; no progress bars with --quiet and --json."""
    from ..config.settings import read_settings
    from ..fetch import progress
    from ..store import version
    from ..store.store import Store

    if args.quiet or args.json:
        progress.silence()
    settings = read_settings()
    store = Store(settings.home)
    version.check(store)
    return settings, store
