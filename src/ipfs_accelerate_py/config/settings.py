"""The settings: environment over `config.toml` over the machine's fleet over defaults, read when they are needed.

The file lies in the user's configuration folder (`platformdirs.user_config_dir("ipfs_accelerate")`); its keys are the
variables' names in lower case without the prefix, such as `timeout` or `publishers`. A machine that is in a fleet has
the node and the trusted publishers in `<store>/.fleet/accelerate/settings.json`.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import SettingsError
from ..session import session
from .forms import KEYS, LISTS, names_in, shown, store_without_hf_home
from .switch import Switch as Switch
from .switch import is_true as is_true
from .switch import raw_values
from .switch import read_switch as read_switch

PREFIX = "IPFS_ACCELERATE_"
_FROM_FLEET = ("node", "publishers")


@dataclass(frozen=True)
class Settings:
    """One reading of the settings. `home` and `lower` are folders, `timeout` is in seconds, `lock` is a file."""

    home: Path
    node: str
    lower: tuple[Path, ...]
    publish: str
    publishers: tuple[str, ...]
    timeout: float
    log: str
    force_local: bool
    gateways: tuple[str, ...] = ()
    mirrors: tuple[str, ...] = ()
    lock: Path | None = None
    share: str = "on"
    publish_kinds: tuple[str, ...] = ("model",)
    fleet: str = "on"
    node_auth: str = field(default="", repr=False)


class LastReading:
    """What was read last, on what it depends, and the problems that were reported of it."""

    def __init__(self) -> None:
        self.file: tuple[str, float, dict[str, str]] | None = None  # path, time of change, values
        # the variables, the files and their times of change, and the settings
        self.all: tuple[tuple[object, ...], tuple[Path, ...], list[float | None], Settings] | None = None
        self.warned: set[tuple[str, str]] = set()  # of a variable or file, and its value


def config_file() -> Path:
    """Where the settings file is, or would be; the null device for a user without a home, as in some containers."""
    import platformdirs

    try:
        return Path(platformdirs.user_config_dir("ipfs_accelerate")) / "config.toml"
    except RuntimeError:
        return Path(os.devnull)


def _read_file() -> dict[str, str]:
    last = session.part(LastReading)
    try:
        path = config_file()
        changed = path.stat().st_mtime
    except (OSError, ImportError):
        return {}
    if last.file is not None and last.file[:2] == (str(path), changed):
        return last.file[2]
    try:
        if sys.version_info >= (3, 11):
            import tomllib
        else:
            import tomli as tomllib  # the same library under its first name
        table = tomllib.loads(read_bytes(path).decode())
    except (OSError, ValueError, RecursionError) as error:
        _warn(str(path), "", f"{path} cannot be read ({error}); its settings are not used")
        table = {}
    values = {}
    for key, value in table.items():
        separator = os.pathsep if key == "lower" else ","
        values[key] = separator.join(map(str, value)) if isinstance(value, list) else str(value)
    for key in values.keys() - KEYS.keys():
        _warn(str(path), key, f"{path} has an unknown setting {key!r}; known are {', '.join(KEYS)}")
    last.file = (str(path), changed, values)
    return values


def read_bytes(path: Path) -> bytes:
    """What the settings file holds. OSError, also for what is no file: to read a pipe might never end."""
    found = path.stat()
    if stat.S_ISREG(found.st_mode):
        return path.read_bytes()
    if os.path.samestat(found, os.stat(os.devnull)):  # a way to have no settings
        return b""
    raise OSError("it is no regular file")


def mark_as_reported(variable: str, value: str) -> None:
    """The user knows of this: no warning is needed."""
    session.part(LastReading).warned.add((variable, value))


def _report(message: str) -> None:
    import logging

    logging.getLogger("ipfs_accelerate_py").warning(message)


# How a wrong setting is reported. `log`, which needs the settings to know its level, puts its own here.
report: Callable[[str], object] = _report


def _warn(variable: str, value: str, message: str) -> None:
    warned = session.part(LastReading).warned
    if (variable, value) not in warned:
        warned.add((variable, value))
        report(message)


FLEET_SETTINGS = ".fleet/accelerate/settings.json"  # below the store: see `fleet.folder`


def _fleet_file() -> Path | None:
    """The settings of the fleet of this machine; None where fleets are switched off."""
    if key_text("fleet")[0] == "off":
        return None
    try:
        return Path(KEYS["home"][0](key_text("home")[0]), FLEET_SETTINGS)
    except ValueError:
        return None


def _read_fleet() -> dict[str, str]:
    """What the fleet of this machine says of the settings; nothing where it is in none."""
    if (path := _fleet_file()) is None:
        return {}
    import json

    try:
        document = json.loads(path.read_bytes())
        return {str(key): str(value) for key, value in document.items() if key in KEYS}
    except (OSError, ValueError, AttributeError):
        return {}


def is_given(key: str) -> bool:
    """Return whether the user has given this setting, in the environment or in the file."""
    return bool(os.environ.get(PREFIX + key.upper()) or _read_file().get(key))


def find_setting(key: str) -> tuple[str, str]:
    """The text of one setting, and where it is from: the name of the variable, the path of a file, or "default"."""
    if key in _FROM_FLEET and not is_given(key) and (text := _read_fleet().get(key)):
        return text, str(_fleet_file())
    return key_text(key)


def key_text(key: str) -> tuple[str, str]:
    """As `find_setting`, of what the user has given alone."""
    variable = PREFIX + key.upper()
    if text := os.environ.get(variable):
        return text, variable
    if text := _read_file().get(key):
        return text, str(config_file())
    return KEYS[key][1](), "default"


def earlier_store() -> Path | None:
    """The store that was the default before HF_HOME was set, if one is there and the store is the default."""
    return None if is_given("home") else store_without_hf_home()


def read_setting(key: str) -> Any:
    """The value of one setting; SettingsError names variable, value and accepted form if it is bad."""
    return read_text(key, find_setting(key)[0])


def read_text(key: str, text: str) -> Any:
    """The value that a setting would have with this text; SettingsError as in `read_setting`."""
    try:
        return KEYS[key][0](text)
    except ValueError as error:
        variable = PREFIX + key.upper()
        raise SettingsError(f"{variable}={shown(key, text)!r} cannot be used", f"give {error}") from None


def read_or_default(key: str) -> Any:
    """The value of one setting. A bad one means its default and one warning, never a failed load."""
    try:
        return read_setting(key)
    except SettingsError as error:
        read, default = KEYS[key]
        if key in LISTS:
            _warn(PREFIX + key.upper(), str(error), f"{error}: {error.hint}; going on without what is wrong")
            return _good_ones(key)
        _warn(PREFIX + key.upper(), str(error), f"{error}: {error.hint}; going on with {default()!r}")
        return read(default())


def _good_ones(key: str) -> tuple[str, ...]:
    read, found = KEYS[key][0], []
    for part in names_in(os.environ.get(PREFIX + key.upper()) or _read_file().get(key) or ""):
        with contextlib.suppress(ValueError):
            found += read(part)
    return tuple(found)


# Whatever a reading depends on: while none of it has changed, the last reading is still true.
_VARIABLES = (
    *(PREFIX + key.upper() for key in KEYS),
    *("STORAGE_FORCE_LOCAL", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"),
    "HOME",
)


def read_settings() -> Settings:
    """All settings as they are now; those with an invalid value have their defaults."""
    last = session.part(LastReading)
    environment = (*raw_values(_VARIABLES), _folder_now())
    if last.all is not None and last.all[0] == environment and last.all[2] == [_changed(file) for file in last.all[1]]:
        return last.all[3]
    try:
        files: tuple[Path, ...] = (config_file(),)
    except ImportError:
        files = ()
    if (fleet := _fleet_file()) is not None:
        files = (*files, fleet)
    changed = [_changed(file) for file in files]
    values: dict[str, Any] = {key: read_or_default(key) for key in KEYS}
    if (earlier := earlier_store()) is not None:
        values["lower"] = tuple(dict.fromkeys((*values["lower"], earlier)))
    settings = Settings(force_local=is_true(os.environ.get("STORAGE_FORCE_LOCAL")), **values)
    last.all = (environment, files, changed, settings)
    return settings


def _changed(file: Path) -> float | None:
    try:
        return os.stat(file).st_mtime
    except OSError:
        return None


def _folder_now() -> str | None:
    try:
        return os.getcwd()  # a relative folder means another one after chdir()
    except OSError:
        return None
