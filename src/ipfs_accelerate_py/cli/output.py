"""What commands print: text for people, a JSON document for programs, errors on stderr."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from ..config.settings import Settings

from .program import FAILED, UNVERIFIED


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
    """The document of --json."""
    import json

    print(json.dumps(document, indent=2, default=str))


def print_error(error: BaseException, what: str = "") -> int:
    """`Error:` and `Hint:`; the exit code that the error means."""
    from ..errors import IPFSAccelerateError, LockFileError, VerificationError

    text = f"{error or type(error).__name__}{_answer_of_hub(error)}"
    warn(f"Error: {what}{': ' if what else ''}{text}")
    hint = error.hint if isinstance(error, IPFSAccelerateError) else "--debug shows where it happened"
    if hint:
        warn(f"Hint: {hint}")
    damaged = isinstance(error, VerificationError) and not isinstance(error, LockFileError)
    return UNVERIFIED if damaged else FAILED


def _answer_of_hub(error: BaseException) -> str:
    """The Hub's own message, where its client has kept it."""
    cause = error.__cause__
    status = getattr(getattr(cause, "response", None), "status_code", None)
    message = getattr(cause, "server_message", None)
    return f" (the Hub answered: {status}{f' {message}' if message else ''})" if status else ""


def print_table(args: Namespace, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns for people."""
    table = [head, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    for row in table:
        tell(args, "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip())


def prepare(args: Namespace) -> Settings:
    """The settings, if this version of ours can read their store; no progress bars with --quiet and --json."""
    from ..config.settings import read_settings
    from ..operations import open_store, silence_progress

    if args.quiet or args.json:
        silence_progress()
    settings = read_settings()
    open_store(settings)
    return settings
