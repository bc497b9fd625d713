"""The commands in the pages: what a reader would type, block by block."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = ("python -m ipfs_accelerate_py.hook ", "ipfs-accelerate ")
_SHELL = ("sh", "bash", "shell", "console")
_PLAIN = ("", "text")


@dataclass
class Block:
    """Commands that stand together, each a line of shell without its comment; `where`: the machine that the first
    comment names (`# on A`)."""

    page: str
    number: int
    where: str = ""
    commands: list[str] = field(default_factory=list)


def pages() -> list[Path]:
    """Every page whose commands somebody may type."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def read_blocks(page: Path) -> list[Block]:
    """The blocks of a page: fences marked `sh`, indented blocks, and in other plain fences the lines that start with
    our program (the examples of `--help`)."""
    name, blocks = page.relative_to(ROOT).as_posix(), []
    fence, lines, start = None, [], 0
    previous_blank = True
    for number, line in enumerate([*page.read_text(encoding="utf-8").splitlines(), ""], 1):
        if fence is not None:
            if line.strip() == "```":
                blocks.append(_block(name, start, fence, lines))
                fence, lines = None, []
            else:
                lines.append(line)
        elif line.startswith("```"):
            fence, start = line[3:].strip(), number
        elif line.startswith("    ") and (lines or previous_blank):
            start = start if lines else number
            lines.append(line[4:])
        elif lines:
            blocks.append(_block(name, start, "indented", lines))
            lines = []
        previous_blank = not line.strip()
    return [block for block in blocks if block.commands]


def _block(page: str, number: int, kind: str, lines: list[str]) -> Block:
    block = Block(page, number)
    if kind == "indented":
        # a layout, a sample: no program has such a name
        kind = "sh" if re.match(r"[\w./~-]+(=|\s|$)", lines[0].strip()) else "sample"
    if kind in _SHELL:
        if found := re.match(r"# on (.+)", lines[0].strip()):
            block.where = found[1]
        text = re.sub(r"\\\n\s*", "", "\n".join(lines))
        stripped = [re.sub(r"(^|\s+)#( .*|$)", "", line).strip() for line in text.splitlines()]
        block.commands = [line for line in stripped if line]
    elif kind in _PLAIN:
        block.commands = [line.strip() for line in lines if line.strip().startswith(OURS)]
    return block
