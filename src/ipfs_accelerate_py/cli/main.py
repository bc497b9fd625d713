"""The command line of `python -m ipfs_accelerate_py.hook` and `ipfs-accelerate`: what is common to all commands."""

from __future__ import annotations

import sys

from .program import FAILED, GOOD, INTERRUPTED


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 good, 1 failed, 2 usage, 3 bytes failed verification, 130 Ctrl-C."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _flush(_execute(arguments))
        if argv is None:
            _end_quietly()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # `... ls | head -1`: the reader has what it wanted. Python would complain at its end: let it flush to nowhere.
        # https://docs.python.org/3/library/signal.html#note-on-sigpipe
        from .output import drop

        drop(sys.stdout)
        return GOOD


def _flush(code: int) -> int:
    """Flush stdout, so that a closed pipe, or a full disk, is met here."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        from .output import drop, warn

        drop(sys.stdout)
        if code == GOOD:
            warn(f"Error: stdout cannot be written: {error.strerror}")
            return FAILED
    return code


def _end_quietly() -> None:
    """All is done: a Ctrl-C while the interpreter takes itself apart needs no traceback."""
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _execute(arguments: list[str]) -> int:
    debug = False
    try:
        if arguments[:1] == ["run"] and arguments[1:2] not in ([], ["-h"], ["--help"]):
            from ..startup.runner import run

            return run(arguments[1:])  # without a parser: a start should cost nothing more
        from .parser import parse

        # A name that the terminal's encoding lacks is no reason to fail after the work is done.
        if getattr(sys.stdout, "errors", None) == "strict" and hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")
        args = parse(arguments)
        if debug := args.debug:
            _log_everything()
        return int(args.execute(args))
    except SystemExit as end:  # argparse: --help, --version, a usage error
        return int(end.code or GOOD)
    except BrokenPipeError:
        raise
    except Exception as error:
        if debug:
            raise
        from .output import print_error

        return print_error(error)


def _log_everything() -> None:
    import logging

    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("ipfs_accelerate_py").setLevel(logging.DEBUG)
