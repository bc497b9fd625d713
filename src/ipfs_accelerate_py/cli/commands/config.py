"""`config`: the settings, where they are from, and the file they are kept in."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from ...errors import SettingsError
from ..output import print_error, print_json, print_table, tell, warn
from ..parser import guess, refuse
from ..program import GOOD

HELP = "show the settings, and change the file they are kept in"
MORE = "\nAn environment variable wins over the file, and the file over the default."
EXAMPLES = """\
config --show-origin
config get timeout
config set timeout 2.5
config set publishers 12D3KooWA...,12D3KooWB...
config unset timeout"""
_PATHS = ("home", "lower", "lock")


def declare(parser: ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("get", "set", "unset"), help="default: show all")
    parser.add_argument("key", metavar="KEY", nargs="?", help="a setting, such as timeout")
    parser.add_argument("value", metavar="VALUE", nargs="?", help="its new value, as in the environment variable")
    parser.add_argument("--show-origin", action="store_true", help="show where each value is from")


def execute(args: Namespace) -> int:
    from ...config.forms import KEYS
    from ...config.settings import PREFIX

    words = {None: 0, "get": 1, "unset": 1, "set": 2}[args.action]
    if sum(word is not None for word in (args.key, args.value)) != words:
        refuse(
            f"config {args.action} needs {' and '.join(('KEY', 'VALUE')[:words])}, and no more",
            "such as 'config set timeout 2.5', 'config get timeout' or 'config unset timeout'",
        )
    if args.key is None:
        return _show(args, list(KEYS))
    key: str = args.key.lower().removeprefix(PREFIX.lower())
    if key not in KEYS:
        refuse(f"there is no setting {key!r}", guess(key, KEYS, "settings are"))
    if args.action == "get":
        return _show(args, [key])
    return _change(args, key, args.value)


def _show(args: Namespace, keys: list[str]) -> int:
    from ...config.file import read_table
    from ...config.forms import KEYS, without_secrets
    from ...config.settings import config_file, earlier_store, find_setting, mark_as_reported

    code, rows = GOOD, {}
    for unknown in read_table(config_file()).keys() - KEYS.keys():  # which also reports what is wrong with the file
        warn(f"Hint: {unknown!r} in {config_file()}: {guess(unknown, KEYS, 'settings are')}")
        mark_as_reported(str(config_file()), unknown)
    for key in keys:
        text, origin = find_setting(key)
        try:
            value = _check(key, text)
        except SettingsError as error:
            code = print_error(error if origin == _variable(key) else SettingsError(f"{error}: {origin}", error.hint))
            continue
        if key == "lower" and (earlier := earlier_store()) is not None and earlier not in value:
            value = (*value, earlier)
        rows[key] = {"value": _plain(key, value), "origin": origin}
    if args.json:
        if code == GOOD:
            print_json(rows)
        return code
    if args.action == "get":
        for key, row in rows.items():
            origin = f"  ({row['origin']})" if args.show_origin else ""
            # the value that was asked for, in the form that `set` takes: also with --quiet
            print(f"{without_secrets(_text(key, row['value']))}{origin}")
        return code
    head = ("SETTING", "VALUE", "FROM")[: 3 if args.show_origin else 2]
    print_table(args, head, [(key, _text(key, row["value"]), row["origin"])[: len(head)] for key, row in rows.items()])
    return code


def _change(args: Namespace, key: str, text: str | None) -> int:
    from ...config.file import change
    from ...config.forms import shown
    from ...config.settings import config_file

    value = _stored(key, text) if text else None
    if text == "" or value == []:
        refuse(f"{key} needs a value", f"'config unset {key}' takes it out of the file")
    path = config_file()
    changed = change(path, key, value)
    done = "removed from" if text is None else f"= {shown(key, _text(key, value))} written to"
    tell(args, f"{key} {done} {path}" if changed else f"{path} needed no change")
    if args.json:
        print_json({"key": key, "file": str(path), "changed": changed})
    if os.environ.get(_variable(key)):
        warn(f"Hint: {_variable(key)} is set in this environment, and wins over the file")
    return GOOD


def _check(key: str, text: str) -> Any:
    from ...config.settings import read_text

    value = read_text(key, text)
    if key == "node":
        from ...operations import check_node_address

        check_node_address(value)
    return value


def _stored(key: str, text: str) -> Any:
    """What the file shall hold: folders from the root on, since the file counts wherever a program is started."""
    from ...config.forms import shown

    value = _check(key, text)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SettingsError(f"{_variable(key)}={shown(key, text)!r} cannot be used", "give valid Unicode") from None
    if key in _PATHS:
        parts = text.split(os.pathsep) if key == "lower" else [text]
        try:
            parts = [part if part.startswith("~") else os.path.abspath(part) for part in parts if part]
        except OSError:
            hint = "give a path from the root on; the current folder is gone"
            raise SettingsError(f"{_variable(key)}={text!r} cannot be used", hint) from None
        return parts if key == "lower" else parts[0]
    if isinstance(value, tuple):
        return list(value)
    return value


def _plain(key: str, value: Any) -> Any:
    """A value as it may be printed: no password and no token in it."""
    from ...config.forms import shown

    if isinstance(value, tuple):
        return [_plain(key, each) for each in value]
    if isinstance(value, str | Path):
        return shown(key, str(value))
    return value


def _text(key: str, value: Any) -> str:
    if isinstance(value, list):
        return (os.pathsep if key == "lower" else ",").join(value)
    return "" if value is None else str(value)


def _variable(key: str) -> str:
    from ...config.settings import PREFIX

    return PREFIX + key.upper()
