"""`completion`: a script for the shell, made from the parsers, so that it knows what they know."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, Namespace
from typing import Any

from ..output import print_json
from ..parser import load, top_parser, verb_parser
from ..program import GOOD, VERBS

HELP = "print a script that lets a shell complete commands and options of ipfs-accelerate"
MORE = "\nPut the line for your shell into its start file, such as ~/.bashrc."
EXAMPLES = """\
completion bash > ~/.local/share/bash-completion/completions/ipfs-accelerate
completion zsh > ~/.zfunc/_ipfs-accelerate
completion fish > ~/.config/fish/completions/ipfs-accelerate.fish"""
NAME = "ipfs-accelerate"


def declare(parser: ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="which shell")


def execute(args: Namespace) -> int:
    script = {"bash": bash, "zsh": zsh, "fish": fish}[args.shell]()
    if args.json:
        print_json({"shell": args.shell, "script": script})
    else:
        print(script, end="")
    return GOOD


def _actions(parser: ArgumentParser) -> list[Any]:
    return [action for action in parser._actions if action.help != SUPPRESS]


def options(parser: ArgumentParser) -> list[str]:
    """Every option of a parser."""
    return [option for action in _actions(parser) for option in action.option_strings]


def words(verb: str) -> list[str]:
    """What may follow a command, as far as it is known beforehand."""
    found = [str(each) for action in _actions(verb_parser(verb)) for each in action.choices or ()]
    if verb == "config":
        from ...config.forms import KEYS

        found += KEYS
    return found


def with_value(verb: str) -> list[str]:
    """The options after which a value comes."""
    return [option for action in _actions(verb_parser(verb)) if action.nargs != 0 for option in action.option_strings]


_BASH = """\
# {name}: completion for bash
_ipfs_accelerate() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" verb="" word
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "$word" in -*) ;; *) verb="$word"; break ;; esac
    done
    COMPREPLY=()
    local options="" words="" values=" "
    case "$verb" in
        "") options="{options}"; words="{verbs}" ;;
{cases}    esac
    case "$values" in *" $previous "*) COMPREPLY=($(compgen -f -- "$current")); return ;; esac
    case "$current" in
        -*) COMPREPLY=($(compgen -W "$options" -- "$current")) ;;
        *) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    esac
}}
complete -F _ipfs_accelerate {name}
"""
_RUN = '        run) COMPREPLY=($(compgen -f -- "$current")); return ;;\n'


def bash() -> str:
    """For bash."""
    cases = _RUN
    for verb in VERBS[1:]:
        known = f'options="{" ".join(options(verb_parser(verb)))}"; words="{" ".join(words(verb))}"'
        cases += f'        {verb}) {known}; values=" {" ".join(with_value(verb))} " ;;\n'
    return _BASH.format(name=NAME, options=" ".join(options(top_parser())), verbs=" ".join(VERBS), cases=cases)


_ZSH = """\
#compdef {name}
# {name}: completion for zsh
_{name}() {{
    local -a verbs=(
{verbs}    )
    local verb="" word
    for word in "${{(@)words[2,CURRENT-1]}}"; do
        case "$word" in -*) ;; *) verb="$word"; break ;; esac
    done
    case "$verb" in
        "") if [[ "$PREFIX" == -* ]]; then compadd -- {options}; else _describe command verbs; fi ;;
        run) _files ;;
{cases}    esac
}}
# autoloaded from a folder in fpath, or sourced
if [ "$funcstack[1]" = "_{name}" ]; then _{name} "$@"; else compdef _{name} {name}; fi
"""


def zsh() -> str:
    """For zsh."""
    verbs = "".join(f"        {_quote(f'{verb}:{load(verb).HELP}')}\n" for verb in VERBS)
    cases = ""
    for verb in VERBS[1:]:
        then = f"compadd -- {' '.join(options(verb_parser(verb)))}"
        other = f"compadd -- {' '.join(words(verb))}" if words(verb) else "_files"
        cases += f'        {verb}) if [[ "$PREFIX" == -* ]]; then {then}; else {other}; fi ;;\n'
    return _ZSH.format(name=NAME, verbs=verbs, cases=cases, options=" ".join(options(top_parser())))


def fish() -> str:
    """For fish."""
    lines = [f"# {NAME}: completion for fish", f"complete -c {NAME} -n __fish_use_subcommand -f"]
    for verb in VERBS:
        help = _quote(load(verb).HELP)
        lines.append(f"complete -c {NAME} -n __fish_use_subcommand -a {verb} -d {help}")
        inside = f"complete -c {NAME} -n '__fish_seen_subcommand_from {verb}'"
        for action in _actions(verb_parser(verb)) if verb != "run" else ():
            names = [f"-{'l' if name.startswith('--') else 's'} {name.lstrip('-')}" for name in action.option_strings]
            if names:
                value = " -r" if action.nargs != 0 else ""
                lines.append(f"{inside} {' '.join(names)}{value} -d {_quote(str(action.help))}")
        if words(verb):
            lines.append(f"{inside} -f -a '{' '.join(words(verb))}'")
    return "\n".join(lines) + "\n"


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
