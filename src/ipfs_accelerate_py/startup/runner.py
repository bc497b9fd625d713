"""`hook run`: replaces this process by Python or another program, with the hook on for all its children."""

from __future__ import annotations

import os
import sys

from . import python_args
from .programs import find_unhooked_python, search

SITE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "site")
NOT_EXECUTABLE, NOT_FOUND = 126, 127  # what a shell answers


def run(argv: list[str], quiet: bool = False) -> int:
    """Run `python ARGV`, or the program that it names. Returns only if that cannot be started.

    `quiet`: no message where the hook will be off.
    """
    line = python_args.read(argv)
    _restore_locale()
    if line.letters or line.options or not line.rest or _is_for_python(line.rest[0]):
        # `python -X dev -m ipfs_accelerate_py.hook run script.py` is `python -X dev script.py`
        outer = python_args.read(sys.orig_argv[1:])
        _prepare(outer.letters | line.letters, _failed_modules(), quiet=quiet)
        rest = ["--", *line.rest] if line.dashes else line.rest
        return _execute(sys.executable, [_own_name(), *outer.options, *line.options, *rest])
    reached = _prepare(set(), quiet=quiet)
    return _run_program(line.rest, quiet or not reached)


def _own_name() -> str:
    """What this interpreter was called as: a name on PATH or a path; it is in Python's own messages."""
    name = sys.orig_argv[0]
    path = name if os.sep in name else search(name)[0]
    return name if path is not None and os.path.abspath(path) == sys.executable else sys.executable


def _is_for_python(target: str) -> bool:
    """Return whether it is a script, folder or archive for the interpreter, and not a program."""
    if target == "-" or target.endswith((".py", ".pyw", ".pyc")):
        return True
    if os.path.isdir(target):
        return os.path.isfile(os.path.join(target, "__main__.py")) or not search(target)[0]
    if not os.path.exists(target):
        return False
    return not os.access(target, os.X_OK) or _is_archive(target)


def _is_archive(path: str) -> bool:
    """Return whether it is a zip application, with or without a "#!" line, and not a binary that carries an archive."""
    import zipfile

    try:
        with open(path, "rb") as file:
            return file.read(2) in (b"PK", b"#!") and zipfile.is_zipfile(path)
    except OSError:
        return False


def _prepare(letters: set[str], reported: list[str] | None = None, *, quiet: bool) -> bool:
    """Set up the environment of the process to come; one line on stderr, and False, if the hook will be off in it.

    `reported`: modules of the user's whose errors this interpreter's start has reported. Once is enough.
    """
    from ..config.switch import read_switch

    say = (lambda _: None) if quiet else _say
    switch = read_switch()
    if not switch.on:
        say(f"the hook is off because of {switch.variable}; running plain Python")
        return False
    from .search import do_start, find_files

    # -s, and -I with it, leave out the user's site-packages
    started = do_start(find_files(user_site=not letters & {"s", "I"}))
    unreached = sorted(letters & ({"S"} if started else {"S", "I", "E"}))
    if unreached:
        options = " ".join(f"-{letter}" for letter in unreached)
        say(f"the hook cannot reach a Python started with {options}; running plain Python")
        return False
    if not started or (reported and not letters & {"S", "I", "E"}):
        if os.pathsep in SITE:
            if not started:
                say(f"the hook cannot be reached: PYTHONPATH cannot hold {SITE}; running plain Python")
            return started
        if reported:
            os.environ["IPFS_ACCELERATE_REPORTED"] = ",".join(reported)
        theirs = os.environ.get("PYTHONPATH")
        if theirs != SITE and not (theirs or "").startswith(SITE + os.pathsep):
            # no separator after ours where nothing follows: an empty entry would mean the current folder
            os.environ["PYTHONPATH"] = f"{SITE}{os.pathsep}{theirs}" if theirs else SITE
    return True


def _failed_modules() -> list[str]:
    """Those of sitecustomize and usercustomize that exist, and failed to import at this interpreter's start."""
    import site
    from importlib.machinery import PathFinder

    names = ["sitecustomize", *(["usercustomize"] if site.ENABLE_USER_SITE else [])]
    try:
        return [name for name in names if name not in sys.modules and PathFinder.find_spec(name) is not None]
    except ImportError:
        return []


def _restore_locale() -> None:
    """Take back what Python does to LC_CTYPE at its start where the locale is C (PEP 538).

    A program wants its own, and a second Python decides by it on its UTF-8 mode (PEP 540).
    """
    try:
        with open("/proc/self/environ", "rb") as file:
            given = [entry for entry in file.read().split(b"\0") if entry.startswith(b"LC_CTYPE=")]
    except OSError:
        return
    if given:
        os.environb[b"LC_CTYPE"] = given[0].partition(b"=")[2]
    else:
        os.environ.pop("LC_CTYPE", None)


def _run_program(command: list[str], quiet: bool) -> int:
    path, problem = search(command[0])
    if path is None:
        _say(f"{command[0]}: {problem}")
        return NOT_EXECUTABLE if problem == "Permission denied" else NOT_FOUND
    python = None if quiet else find_unhooked_python(command)
    if python is not None:
        _say(
            f"the hook cannot reach {python}: ipfs_accelerate_py is not installed or not enabled there; "
            "running plain Python"
        )
    return _execute(path, command)


def _execute(path: str, command: list[str]) -> int:
    import signal

    # Python ignores SIGPIPE and SIGXFSZ, and what is ignored stays so across exec.
    for name in ("SIGPIPE", "SIGXFZ", "SIGXFSZ"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    import errno

    try:
        os.execv(path, command)
    except OSError as error:
        if error.errno == errno.ENOEXEC:
            os.execv("/bin/sh", ["sh", path, *command[1:]])  # no "#!" line: a shell runs it as its own script
        _say(f"{command[0]}: {error.strerror}")
        return NOT_FOUND if error.errno == errno.ENOENT else NOT_EXECUTABLE


def _say(message: str) -> None:
    if sys.stderr is not None:  # else print() would take stdout, which is the program's
        print(f"ipfs_accelerate: {message}", file=sys.stderr)
