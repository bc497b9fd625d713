"""Python's own command line, read as far as `run` needs it: the options, their letters, and where they end."""

from __future__ import annotations

_WITH_VALUE = frozenset("WX")
_LAST = frozenset("cm")  # what comes after -c and -m is the program's
_LONG_WITH_VALUE = frozenset({"--check-hash-based-pycs"})


class CommandLine:
    """`options` as given, their letters, and the `rest`: from -c or -m (or -uc) on, or TARGET and its arguments."""

    def __init__(self) -> None:
        self.options: list[str] = []
        self.letters: set[str] = set()
        self.rest: list[str] = []
        self.dashes = False  # "--" came before `rest`


def read(words: list[str]) -> CommandLine:
    """Split the arguments of `python`."""
    line = CommandLine()
    position = 0
    while position < len(words):
        word = words[position]
        if word == "--":
            line.rest, line.dashes = words[position + 1 :], True
            return line
        if word == "-" or not word.startswith("-"):
            break
        position += 1
        if word.startswith("--"):
            line.options.append(word)
            if word in _LONG_WITH_VALUE:
                line.options += words[position : position + 1]
                position += 1
            continue
        for index, letter in enumerate(word[1:], 1):
            if letter in _LAST:
                line.rest = [word, *words[position:]]
                line.letters.add(letter)
                return line
            line.letters.add(letter)
            if letter in _WITH_VALUE:
                line.options.append(word)
                if index == len(word) - 1:
                    line.options += words[position : position + 1]
                    position += 1
                break
        else:
            line.options.append(word)
    line.rest = words[position:]
    return line
