"""`python -m tests.support.command_docs`: writes docs/commands.md from the --help of each command."""

from __future__ import annotations

import os
from pathlib import Path

from ipfs_accelerate_py.cli import parser
from ipfs_accelerate_py.cli.program import PROGRAM, VERBS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "commands.md"
_HEAD = f"""\
<!-- Written by `python -m tests.support.command_docs`; a test compares it with --help. -->

# Commands

`{PROGRAM} COMMAND`, or for short `ipfs-accelerate COMMAND`.

- Exit codes: 0 good, 1 failed, 2 the call makes no sense, 3 bytes failed verification, 130 ended by Ctrl-C.
- With `--json`, stdout is one document, or empty when the command failed. Sizes are bytes as integers, times are ISO
  8601 in UTC. `config` gives `{{key: {{value, origin}}}}`, `ls` a list, `fetch` and `publish` an object for one repo
  and a list for several, and each other one an object.
- What went wrong is on stderr: a line `Error: ...`, and mostly a line `Hint: ...` with what to do. `--debug` adds the
  log and the traceback.
- Bars are drawn on a terminal only, by `huggingface_hub`'s own class: `HF_HUB_DISABLE_PROGRESS_BARS=1`, `-q` and
  `--json` turn them off. `NO_COLOR` is honoured.
"""
_SECTION = """
## {verb}

```text
{help}```
"""


def render() -> str:
    """The page."""
    os.environ["COLUMNS"] = "100"
    os.environ["NO_COLOR"] = "1"  # Python 3.14 colours help on a terminal
    page = f"{_HEAD}\n```text\n{parser.top_parser().format_help()}```\n"
    for verb in VERBS:
        page += _SECTION.format(verb=verb, help=parser.verb_parser(verb).format_help())
    return page


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
