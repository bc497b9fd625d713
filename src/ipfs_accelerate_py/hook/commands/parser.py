"""The parser: argparse, with messages like all our others and a guess at what was meant."""

from __future__ import annotations

import importlib
import sys
from argparse import SUPPRESS, Action, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from typing import Any, NoReturn

from . import PROGRAM, USAGE, VERBS


class Parser(ArgumentParser):
    """Says what is wrong as `Error:` and `Hint:`, and ends with 2."""

    def error(self, message: str) -> NoReturn:
        print(f"Error: {message}\nHint: see '{self.prog} --help'", file=sys.stderr)
        sys.exit(USAGE)


def find_verb(words: list[str]) -> int | None:
    """The index of the command among the words."""
    return next((index for index, word in enumerate(words) if not word.startswith("-")), None)


def parse(words: list[str]) -> Namespace:
    """Parse the words of one call; ends the process with 2 where they make no sense."""
    index = find_verb(words)
    if index is None:
        parser = top_parser()
        parser.parse_args(words)  # --help and --version end here
        refuse("no command is given", f"commands are {', '.join(VERBS)}; see '{PROGRAM} --help'")
    verb = words[index]
    if verb not in VERBS:
        refuse(f"there is no command {verb!r}", guess(verb, VERBS, "commands are"))
    parser = verb_parser(verb)
    before, after = words[:index], words[index + 1 :]
    if verb == "run" and after[:1] not in (["-h"], ["--help"]):
        # TARGET's own options are not ours to parse.
        args, unknown = parser.parse_known_args(before)
        args.target = after
        if not after:
            parser.error("run needs a TARGET, such as script.py or -m MODULE")
    else:
        args, unknown = parser.parse_known_args([*before, *after])
    for word in unknown:
        options = [option for action in parser._actions for option in action.option_strings]
        name = word.partition("=")[0]
        if word.startswith("-"):
            refuse(f"{verb} has no option {name}", guess(name, options, f"{verb} has"))
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    return args


def refuse(message: str, hint: str) -> NoReturn:
    """A usage error."""
    print(f"Error: {message}\nHint: {hint}", file=sys.stderr)
    sys.exit(USAGE)


def guess(word: str, known: Any, else_say: str) -> str:
    """A hint with the nearest of what is known, or with all of it."""
    import difflib

    near = difflib.get_close_matches(word, known, 1, 0.5)
    return f"did you mean '{near[0]}'?" if near else f"{else_say} {', '.join(known)}"


def top_parser() -> Parser:
    """The parser for a call without a command; its help lists them all."""
    parser = Parser(
        prog=PROGRAM,
        usage=f"{PROGRAM} [-h] [--version] COMMAND ...",
        description="Serve the from_pretrained of unmodified transformers programs from verified storage.",
        epilog=f"commands:\n{_list_verbs()}\n\nEach command has --help with examples.",
        formatter_class=RawDescriptionHelpFormatter,
        parents=[common(json=False)],
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    return parser


def verb_parser(verb: str) -> Parser:
    """The parser of one command."""
    module = load(verb)
    examples = "".join(f"  {PROGRAM} {line}\n" for line in module.EXAMPLES.splitlines())
    parser = Parser(
        prog=f"{PROGRAM} {verb}",
        description=f"{module.HELP[0].upper()}{module.HELP[1:]}.{getattr(module, 'MORE', '')}",
        epilog=f"examples:\n{examples}",
        formatter_class=RawDescriptionHelpFormatter,
        parents=[common(json=verb != "run")],
        allow_abbrev=False,
    )
    parser.set_defaults(execute=module.execute, quiet=False, debug=False, json=False)
    module.declare(parser)
    return parser


def load(verb: str) -> Any:
    """The module of a command."""
    return importlib.import_module(f"{__package__}.{verb}")


def common(json: bool) -> ArgumentParser:
    """The options of every command."""
    parser = ArgumentParser(add_help=False, argument_default=SUPPRESS)
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    parser.add_argument("--debug", action="store_true", help="log everything, and show tracebacks")
    if json:
        parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def add_repos(parser: ArgumentParser, nargs: str, help: str) -> None:
    """The arguments REPO and --revision."""
    parser.add_argument("repos", metavar="REPO", nargs=nargs, help=help)


def add_revision(parser: ArgumentParser) -> None:
    """The option --revision."""
    parser.add_argument("--revision", metavar="REV", help="branch, tag or commit (default: main)")


def _list_verbs() -> str:
    width = max(map(len, VERBS))
    return "\n".join(f"  {verb:<{width}}  {load(verb).HELP}" for verb in VERBS)


class _Version(Action):
    def __call__(self, parser: ArgumentParser, *_: Any) -> NoReturn:
        from ... import __version__

        print(f"ipfs_accelerate_py {__version__}")
        parser.exit()
