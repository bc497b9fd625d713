"""The parser: argparse, with messages like all our others and a guess at what was meant."""

from __future__ import annotations

import importlib
import sys
from argparse import SUPPRESS, Action, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from typing import Any, NoReturn

from .output import warn
from .program import PROGRAM, USAGE, VERBS
from .units import read_repo


class Parser(ArgumentParser):
    """Reports what is wrong as `Error:` and `Hint:`, and exits with 2."""

    def error(self, message: str) -> NoReturn:
        refuse(message, f"see '{self.prog} --help'")


def find_verb(arguments: list[str]) -> int | None:
    """The index of the command among the arguments."""
    return next((index for index, argument in enumerate(arguments) if not argument.startswith("-")), None)


def parse(arguments: list[str]) -> Namespace:
    """Parse the arguments of a call; exits with 2 where they make no sense."""
    index = find_verb(arguments)
    if index is None:
        parser = top_parser()
        _, unknown = parser.parse_known_args(arguments)  # --help and --version end here
        for word in unknown:
            if word != "--":
                refuse(f"there is no option {_name(word)}", guess(word, _options(parser), "options are"))
        refuse("no command is given", f"commands are {', '.join(VERBS)}; see '{PROGRAM} --help'")
    verb = arguments[index]
    if verb not in VERBS:
        refuse(f"there is no command {verb!r}", guess(verb, VERBS, "commands are"))
    parser = verb_parser(verb)
    before, after = [argument for argument in arguments[:index] if argument != "--"], arguments[index + 1 :]
    if verb == "run" and after[:1] not in (["-h"], ["--help"]):
        # TARGET's own options are not ours to parse.
        args, unknown = parser.parse_known_args(before)
        args.target = after
        if not after:
            parser.error("run needs a TARGET, such as script.py or -m MODULE")
    elif getattr(load(verb), "INTERMIXED", False):  # options may stand before the last of its optional arguments
        args, unknown = parser.parse_known_intermixed_args([*before, *after])
    else:
        args, unknown = parser.parse_known_args([*before, *after])
    literal = after[after.index("--") :] if "--" in after else []  # what is no option, whatever it looks like
    unknown = [word for word in unknown if word != "--"]
    for word in unknown:
        if word.startswith("-") and word not in literal:
            refuse(f"{verb} has no option {_name(word)}", guess(word, _options(parser), f"{verb} has"))
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    return args


def refuse(message: str, hint: str) -> NoReturn:
    """A usage error."""
    warn(f"Error: {message}\nHint: {hint}")
    sys.exit(USAGE)


def guess(word: str, known: Any, else_say: str) -> str:
    """A hint with the nearest of what is known, or with all of it."""
    import difflib

    bare = {each.lstrip("-"): each for each in known}  # what all options have in common is no likeness
    word = _name(word).lstrip("-")
    begun = [each for each in bare if len(word) > 1 and each.startswith(word)]
    near = begun or difflib.get_close_matches(word, bare, 1, 0.6)
    return f"did you mean '{bare[near[0]]}'?" if near else f"{else_say} {', '.join(known)}"


def _name(word: str) -> str:
    """An option without its value."""
    return word.partition("=")[0] if word.startswith("-") else word


def _options(parser: ArgumentParser) -> list[str]:
    return [option for action in parser._actions for option in action.option_strings]


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
    return importlib.import_module(f"{__package__}.commands.{verb}")


def common(json: bool) -> ArgumentParser:
    """The options of every command."""
    parser = ArgumentParser(add_help=False, argument_default=SUPPRESS)
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    parser.add_argument("--debug", action="store_true", help="log everything, and show tracebacks")
    if json:
        parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def add_repos(parser: ArgumentParser, nargs: str, default: str | None = None) -> None:
    """The argument REPO, in the forms of `repo.read_name`. `default`: what is meant without one."""
    help = "org/name for a model, dataset:org/name or space:org/name; @revision may follow"
    more = f" (default: {default})" if default else ""
    parser.add_argument("repos", metavar="REPO", nargs=nargs, type=read_repo, help=f"{help}{more}")


def add_revision(parser: ArgumentParser) -> None:
    """The option --revision: of the REPOs that name none themselves."""
    parser.add_argument("--revision", metavar="REV", help="branch, tag or commit (default: main)")


def check_revisions(args: Namespace) -> None:
    """A usage error where REPO and --revision name different revisions."""
    from ..operations import read_name

    for name in args.repos:
        revision = read_name(name)[1]
        if revision and args.revision and revision != args.revision:
            refuse(
                f"{name} names one revision, and --revision {args.revision} another", f"leave one out, such as {name}"
            )


def _list_verbs() -> str:
    width = max(map(len, VERBS))
    return "\n".join(f"  {verb:<{width}}  {load(verb).HELP}" for verb in VERBS)


class _Version(Action):
    def __call__(self, parser: ArgumentParser, *_: Any) -> NoReturn:
        from .. import __version__

        print(f"ipfs_accelerate_py {__version__}")
        parser.exit()
