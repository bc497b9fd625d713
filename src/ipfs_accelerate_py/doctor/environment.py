"""The settings and the switch: the environment and the settings file."""

from __future__ import annotations

import dataclasses
import difflib
import os
import sys
from pathlib import Path

from ..config.settings import PREFIX, Settings, config_file, read_bytes, read_setting, read_switch
from ..errors import SettingsError
from ..ipfs.address import node_address
from .check import COMMAND, Check, Result, bad, good

KEYS = [each.name for each in dataclasses.fields(Settings) if each.name != "force_local"]


def checks(settings: Settings) -> list[Check]:
    """`settings` and `switch`."""
    slow = "see whether the folder of the settings file answers: it may be a network drive"
    return [
        Check("settings", check_settings, slow),
        Check("switch", check_switch, slow),
    ]


def check_settings() -> Result:
    """Check that all values can be used, all names are known, and the file can be read."""
    wrong: list[tuple[str, str]] = [*_wrong_values(), *_wrong_variables(), *_wrong_file(config_file())]
    if wrong:
        return Result(False, "; ".join(what for what, _ in wrong), "; ".join(dict.fromkeys(how for _, how in wrong)))
    given = [PREFIX + key.upper() for key in KEYS if os.environ.get(PREFIX + key.upper())]
    file = str(config_file()) if config_file().is_file() else ""
    return good(f"from {', '.join([*given, *filter(None, [file])]) or 'the defaults alone'}")


def _wrong_values() -> list[tuple[str, str]]:
    wrong = []
    for key in KEYS:
        try:
            value = read_setting(key)
            if key == "node":
                node_address(value)
        except SettingsError as error:
            variable = PREFIX + key.upper()
            mend = f"unset {variable}" if os.environ.get(variable) else f"{COMMAND} config set {key} VALUE"
            wrong.append((str(error), f"{mend}, or {error.hint}"))
    return wrong


def _wrong_variables() -> list[tuple[str, str]]:
    """Names in the environment that are nearly one of ours: nothing reads them."""
    known = [PREFIX + key.upper() for key in KEYS]
    wrong = []
    for name in os.environ:
        near = difflib.get_close_matches(name, known, 1, 0.85) if name.startswith(PREFIX) else []
        if near and name not in known:
            wrong.append((f"nothing reads the variable {name}", f"unset {name}, and set {near[0]} instead"))
    return wrong


def _wrong_file(path: Path) -> list[tuple[str, str]]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        names = tomllib.loads(read_bytes(path).decode())
    except FileNotFoundError:
        return []
    except (OSError, ValueError, RecursionError) as error:
        return [(f"{path} cannot be read: {error}", f"mend that file, or remove it: rm {path}")]
    return [
        (f"{path} has an unknown setting {name!r}", f"known are {', '.join(KEYS)}; remove the line from that file")
        for name in names
        if name not in KEYS
    ]


def check_switch() -> Result:
    """Check whether the environment lets the hook work, and name the variable that decides."""
    switch = read_switch()
    if switch.on:
        return good(switch.reason)
    return bad(
        f"the hook is off here: {switch.reason} ({switch.variable}={os.environ.get(switch.variable or '')})",
        f"unset {switch.variable}, or set IPFS_ACCELERATE=1, which beats the other variables",
    )
