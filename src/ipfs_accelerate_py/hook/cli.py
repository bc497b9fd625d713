"""The commands of `python -m ipfs_accelerate_py.hook` and `ipfs-accelerate`."""

from __future__ import annotations

import sys
from argparse import SUPPRESS, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable
from typing import Any

GOOD, FAILED, USAGE, UNVERIFIED, INTERRUPTED = 0, 1, 2, 3, 130
_PROGRAM = "python -m ipfs_accelerate_py.hook"


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 good, 1 failed, 2 usage, 3 bytes failed verification."""
    words = sys.argv[1:] if argv is None else argv
    parser = _parser()
    # TARGET's own options are not ours to parse.
    before = next((index for index, word in enumerate(words) if not word.startswith("-")), None)
    if before is not None and words[before] == "run" and words[before + 1 :][:1] not in (["-h"], ["--help"]):
        args = parser.parse_args(words[: before + 1])
        args.target = words[before + 1 :]
        if not args.target:
            parser.error("run needs a TARGET, such as script.py or -m MODULE")
    else:
        args = parser.parse_args(words)
    if args.debug:
        _log_everything()
    from ..errors import IPFSAccelerateError, VerificationError

    try:
        return args.function(args)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if args.debug:
            raise
        print(f"Error: {error or type(error).__name__}", file=sys.stderr)
        hint = error.hint if isinstance(error, IPFSAccelerateError) else "--debug shows where it happened"
        if hint:
            print(f"Hint: {hint}", file=sys.stderr)
        return UNVERIFIED if isinstance(error, VerificationError) else FAILED


def _parser() -> ArgumentParser:
    common = ArgumentParser(add_help=False, argument_default=SUPPRESS)
    common.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    common.add_argument("--debug", action="store_true", help="log everything, and show tracebacks")
    parser = ArgumentParser(
        prog=_PROGRAM,
        description="Serve the from_pretrained of unmodified transformers programs from verified storage.",
        parents=[common],
    )
    parser.set_defaults(quiet=False, debug=False)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(
        name: str,
        function: Callable[[Namespace], int],
        help: str,
        examples: str,
        more: str = "",
        parents: Any = (common,),
    ) -> Any:
        command = commands.add_parser(
            name,
            help=help,
            description=f"{help[0].upper()}{help[1:]}.{more}",
            epilog="examples:\n" + "".join(f"  {_PROGRAM} {line}\n" for line in examples.splitlines()),
            formatter_class=RawDescriptionHelpFormatter,
            parents=parents,
        )
        command.set_defaults(function=function)
        return command

    command = add(
        "run",
        _run,
        "run one program with the hook on, and its children",
        "run train.py --epochs 3\nrun -m my_package\nrun -X dev train.py\nrun torchrun train.py",
        " TARGET is all that could follow `python`,\nor the name of a program.",
        parents=[],
    )
    command.usage = f"{_PROGRAM} run TARGET [ARGUMENT ...]"

    command = add(
        "enable",
        _enable,
        "start the hook in all programs of this environment",
        "enable\nenable --venv .venv",
    )
    command.add_argument("--venv", metavar="DIR", help="another virtual environment than this one")
    command.add_argument("--force", action="store_true", help="also outside a virtual environment")

    command = add("disable", _disable, "take back what `enable` did", "disable\ndisable --venv .venv")
    command.add_argument("--venv", metavar="DIR", help="another virtual environment than this one")

    command = add("status", _status, "say what the hook does in a new interpreter here", "status\nstatus --json")
    _add_json(command)

    command = add(
        "publish",
        _publish,
        "give models to the IPFS node, for the rest of the fleet",
        "publish org/name\npublish org/name --revision v1.0 --all",
    )
    _add_repos(command)
    command.add_argument("--all", action="store_true", help="fetch what the store lacks of the commit first")
    command.add_argument("--closed", action="store_true", help="also gated or private repos, in a private swarm")

    command = add(
        "fetch",
        _fetch,
        "bring models into the store, all files of the commit",
        "fetch org/name\nfetch org/name org/other --revision main --json",
    )
    _add_repos(command)
    return parser


def _add_json(command: ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print one JSON document")


def _add_repos(command: ArgumentParser) -> None:
    command.add_argument("repos", metavar="REPO", nargs="+", help="a model, as org/name")
    command.add_argument("--revision", metavar="REV", help="branch, tag or commit (default: main)")
    _add_json(command)


def _run(args: Namespace) -> int:
    from .runner import run

    return run(args.target)


def _enable(args: Namespace) -> int:
    from .startup_files import enable

    for path in enable(args.venv, args.force):
        _tell(args, f"wrote {path}")
    return GOOD


def _disable(args: Namespace) -> int:
    from .startup_files import disable

    removed, foreign = disable(args.venv)
    for path in removed:
        _tell(args, f"removed {path}")
    for path in foreign:
        print(f"left {path}: it is not ours", file=sys.stderr)
    if not removed and not foreign:
        _tell(args, "nothing to remove: the hook was not enabled here")
    return GOOD


def _status(args: Namespace) -> int:
    from ..activation import activate, get_status
    from .startup_files import find_startup_files

    # Asked is what a program here would do, and this one imports no transformers: what started here, and what did not?
    booted = "_ipfs_accelerate_boot" in sys.modules
    if booted:
        activate("startup")
    status = {**get_status(), "startup": find_startup_files()}
    if not booted and status["should_patch"]:
        reason = "no startup file: only programs that `run` starts, or that import ipfs_accelerate_py, are hooked"
        status.update(enabled=False, applied=False, reason=reason)
    if args.json:
        _print_json(status)
        return GOOD
    startup, doors = status.pop("startup"), list(status.pop("doors").values())
    status["doors"] = ", ".join(f"{doors.count(each)} {each}" for each in dict.fromkeys(doors))
    status["patched_classes"] = len(status.get("patched_classes", ()))
    status["startup files"] = ", ".join(startup["files"]) if startup["enabled"] else None
    width = max(map(len, status))
    for name, value in status.items():
        shown = {"True": "yes", "False": "no", "None": "none", "{}": "none"}.get(str(value), value)
        _tell(args, f"{name.replace('_', ' '):<{width}}  {shown}")
    return GOOD


def _publish(args: Namespace) -> int:
    from ..storage.commands import publish_repo

    return _each(
        args,
        lambda repo: publish_repo(repo, revision=args.revision, complete=args.all, closed=args.closed),
        "{repo}: commit {commit}, {files} files, {bytes} bytes, {cid} under /ipns/{publisher}",
    )


def _fetch(args: Namespace) -> int:
    from ..storage.commands import fetch_repo

    return _each(
        args,
        lambda repo: fetch_repo(repo, revision=args.revision),
        "{repo}: commit {commit}, {files} files, {bytes} bytes",
    )


def _each(args: Namespace, work: Callable[[str], dict[str, Any]], line: str) -> int:
    """Do it for each repo; one that fails does not keep the others from being done."""
    from ..errors import IPFSAccelerateError, VerificationError

    results, code = [], GOOD
    for repo in args.repos:
        try:
            result = work(repo)
        except IPFSAccelerateError as error:
            if args.debug or len(args.repos) == 1:
                raise
            print(f"Error: {repo}: {error}", file=sys.stderr)
            if error.hint:
                print(f"Hint: {error.hint}", file=sys.stderr)
            code = UNVERIFIED if isinstance(error, VerificationError) else max(code, FAILED)
            continue
        results.append(result)
        if not args.json:
            _tell(args, line.format_map(result))
    if args.json:
        _print_json(results[0] if len(args.repos) == 1 else results)
    return code


def _print_json(document: Any) -> None:
    import json

    print(json.dumps(document, indent=2, default=str))


def _tell(args: Namespace, line: str) -> None:
    if not args.quiet:
        print(line)


def _log_everything() -> None:
    import logging

    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("ipfs_accelerate_py").setLevel(logging.DEBUG)
