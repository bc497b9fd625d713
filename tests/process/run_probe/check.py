"""One row of the table: a command line, the files it needs, and what plain Python answers with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Check:
    """What follows `python`, or a line for a shell with `{python}` in it.

    There may also be `{name}` (Python by its name on PATH), and `{run}`: what goes before a program.
    """

    words: Sequence[str] = ()
    shell: str = ""
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    stdin: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)  # "{work}" is the working folder
    signal: int | None = None  # sent when the program has written a line
    code: int | None = 0  # what plain Python must end with, so that nobody compares two mistakes; None: any
    said: Sequence[str] = ()  # the ways in which `run` itself adds a line to stderr: the hook cannot reach this Python
    user_site: bool = False  # an environment that sees the user's and the system's site-packages
    code_only: bool = False  # a shell's own words differ from ours


def script(text: str, *arguments: str, **options) -> Check:
    """`python script.py ARGUMENTS`, with this text in script.py."""
    files = {**options.pop("files", {}), "script.py": text}
    return Check(words=["script.py", *arguments], files=files, **options)
