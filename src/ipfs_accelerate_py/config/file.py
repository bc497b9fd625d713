"""Changes `config.toml` one setting at a time: every other line, and every comment, stays as it is.

The file is flat, so that a library which rewrites any TOML would be much for little. What it cannot be sure of it
leaves alone: the text it makes is parsed, and must be the old table with this one change.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from ..errors import SettingsError
from ..files import replace_file
from .settings import read_bytes

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # the same library under its first name


def read_table(path: Path) -> dict[str, Any]:
    """What the file holds; SettingsError if it cannot be read."""
    return _parse(path, _read(path))


def change(path: Path, key: str, value: Any) -> bool:
    """Set one key, or with None remove it; False if there was nothing to change. SettingsError: nothing was changed."""
    path = Path(os.path.realpath(path))  # a link to a file among other dot files stays a link
    text = _read(path)
    if path.exists() and not path.is_file():  # to replace a device would be the end of it
        raise SettingsError(f"{path} cannot be written: it is no regular file", "make it one, and try again")
    table = _parse(path, text)
    if table.get(key) == value and (value is None or type(table[key]) is type(value)):
        return False
    after = _rewrite(text, key, None if value is None else f"{key} = {_to_toml(value)}")
    wanted = {name: each for name, each in table.items() if name != key}
    if value is not None:
        wanted[key] = value
    try:
        safe = tomllib.loads(after) == wanted
    except tomllib.TOMLDecodeError:
        safe = False
    if not safe:
        raise SettingsError(f"{path} is written in a way that cannot be changed safely", f"change {key} in it by hand")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, after.encode(), mode=0o600)  # the URLs in it may have passwords
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}", "make it writable, and try again") from None
    return True


def _read(path: Path) -> str:
    try:
        return read_bytes(path).decode()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}", "mend or remove it") from None


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        parsed: dict[str, Any] = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"{path} is no TOML: {error}", "mend or remove it; nothing was changed") from None
    return parsed


def _rewrite(text: str, key: str, line: str | None) -> str:
    """The text with the statement of `key` replaced, removed, or added before the first table."""
    lines = text.splitlines(keepends=True)
    newline = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    start = 0
    while start < len(lines) and not lines[start].lstrip().startswith("["):
        end = _end_of_statement(lines, start)
        statement = "".join(lines[start:end])
        if key in (tomllib.loads(statement) if end > start + 1 or statement.strip() else {}):
            new = [] if line is None else [line + _comment(statement) + newline]
            return "".join([*lines[:start], *new, *lines[end:]])
        start = end
    if line is None:
        return text
    if start and not lines[start - 1].endswith("\n"):
        lines[start - 1] += newline
    return "".join([*lines[:start], line + newline, *lines[start:]])


def _end_of_statement(lines: list[str], start: int) -> int:
    """A value may go over several lines: the statement ends where it can be parsed."""
    for end in range(start + 1, len(lines) + 1):
        try:
            tomllib.loads("".join(lines[start:end]))
        except tomllib.TOMLDecodeError:
            continue
        return end
    return len(lines)


def _comment(statement: str) -> str:
    """The comment behind a value of one line, with the spaces before it."""
    text = statement.rstrip("\r\n")
    for index, char in enumerate(text):
        if char == "#" and "\n" not in text:
            try:
                if tomllib.loads(text[:index]) == tomllib.loads(text):
                    before = text[:index]
                    return before[len(before.rstrip()) :] + text[index:]
            except tomllib.TOMLDecodeError:
                continue
    return ""


def _to_toml(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_to_toml, value))}]"
    # what JSON escapes in a string TOML reads in the same way; it has DEL as the one more that must be escaped
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
