"""The settings: environment over `config.toml` over defaults, read when they are needed.

The file lies in the user's configuration folder (`platformdirs.user_config_dir("ipfs_accelerate")`); its keys are the
variables' names in lower case without the prefix, such as `timeout` or `publishers`.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import SettingsError
from .switch import Switch as Switch
from .switch import is_true as is_true
from .switch import read_switch as read_switch

PREFIX = "IPFS_ACCELERATE_"


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


def without_password(url: str) -> str:
    """A URL as it may be printed."""
    return re.sub(r"(^|//)([^/@:]*):[^/@]*@", r"\1\2:***@", url)


def _folder(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:  # `~name` of nobody, or no home at all
        raise ValueError("a folder; there is no such home") from None


def _folders(text: str) -> tuple[Path, ...]:
    return tuple(_folder(part) for part in text.split(os.pathsep) if part)


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _gateways(text: str) -> tuple[str, ...]:
    return tuple(read_gateway(url) for url in _names(text))


def read_gateway(url: str) -> str:
    """The URL of an HTTP gateway as we use it; ValueError names the accepted form."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good:
        raise ValueError("URLs of HTTP gateways separated by commas, such as http://127.0.0.1:8080")
    return url.rstrip("/")


def _mirrors(text: str) -> tuple[str, ...]:
    return tuple(_mirror(url) for url in _names(text))


def _mirror(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if not separator or not rest or not re.fullmatch(r"[a-z][a-z0-9+.\-]*", scheme):
        raise ValueError("fsspec URLs separated by commas, such as file:///mnt/models or s3://bucket/models")
    return url.rstrip("/")


def _file(text: str) -> Path | None:
    # Never a ValueError: to go on without a lock file that was asked for would be unsafe. A load says it is missing.
    return Path(os.path.expanduser(text)).absolute() if text else None


def _publish(text: str) -> str:
    if text not in ("auto", "on", "off"):
        raise ValueError("auto, on or off")
    return text


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise ValueError("a number of seconds above 0, such as 1.0") from None
    if not 0 < seconds < 3600:
        raise ValueError("a number of seconds above 0, such as 1.0")
    return seconds


def _level(text: str) -> str:
    if text.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
        raise ValueError("DEBUG, INFO, WARNING, ERROR or CRITICAL")
    return text.upper()


def default_lower() -> str:
    """The Hugging Face cache, where `huggingface_hub` itself would look (its rules, without importing it)."""
    if cache := os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE"):
        return cache
    home = os.environ.get("HF_HOME")
    if not home:
        cache_home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        home = os.path.join(cache_home, "huggingface")
    return os.path.join(home, "hub")


# key -> (how its text is read, its default)
_KEYS: dict[str, tuple[Callable[[str], Any], Callable[[], str]]] = {
    "home": (_folder, lambda: "~/.cache/ipfs_accelerate"),
    "node": (str.strip, lambda: "auto"),
    "lower": (_folders, default_lower),
    "publish": (_publish, lambda: "auto"),
    "publishers": (_names, lambda: ""),
    "timeout": (_seconds, lambda: "1.0"),
    "log": (_level, lambda: "WARNING"),
    "gateways": (_gateways, lambda: ""),
    "mirrors": (_mirrors, lambda: ""),
    "lock": (_file, lambda: ""),
}
# Of these a bad one is left out, and the others are used.
_LISTS = ("gateways", "mirrors")
_file_seen: tuple[str, float, dict[str, str]] | None = None
_warned: set[tuple[str, str]] = set()


def config_file() -> Path:
    """Where the settings file is, or would be."""
    import platformdirs

    return Path(platformdirs.user_config_dir("ipfs_accelerate")) / "config.toml"


def _read_file() -> dict[str, str]:
    global _file_seen
    try:
        path = config_file()
        changed = path.stat().st_mtime
    except (OSError, ImportError):
        return {}
    if _file_seen is not None and _file_seen[:2] == (str(path), changed):
        return _file_seen[2]
    try:
        if sys.version_info >= (3, 11):
            import tomllib
        else:
            import tomli as tomllib  # the same library under its first name
        with open(path, "rb") as file:
            table = tomllib.load(file)
    except (OSError, ValueError, RecursionError) as error:
        _warn(str(path), "", f"{path} cannot be read ({error}); its settings are not used")
        table = {}
    values = {}
    for key, value in table.items():
        separator = os.pathsep if key == "lower" else ","
        values[key] = separator.join(map(str, value)) if isinstance(value, list) else str(value)
    for key in values.keys() - _KEYS.keys():
        _warn(str(path), key, f"{path} has an unknown setting {key!r}; known are {', '.join(_KEYS)}")
    _file_seen = (str(path), changed, values)
    return values


def _warn(variable: str, value: str, message: str) -> None:
    if (variable, value) not in _warned:
        _warned.add((variable, value))
        from .log import get_logger

        get_logger().warning(message)


def is_given(key: str) -> bool:
    """Has the user given this setting, in the environment or in the file?"""
    return bool(os.environ.get(PREFIX + key.upper()) or _read_file().get(key))


def find_setting(key: str) -> tuple[str, str]:
    """The text of one setting, and where it is from: the name of the variable, the path of the file, or "default"."""
    variable = PREFIX + key.upper()
    if text := os.environ.get(variable):
        return text, variable
    if text := _read_file().get(key):
        return text, str(config_file())
    return _KEYS[key][1](), "default"


def read_setting(key: str) -> Any:
    """The value of one setting; SettingsError names variable, value and accepted form if it is bad."""
    return read_text(key, find_setting(key)[0])


def read_text(key: str, text: str) -> Any:
    """The value that a setting would have with this text; SettingsError as in `read_setting`."""
    try:
        return _KEYS[key][0](text)
    except ValueError as error:
        variable = PREFIX + key.upper()
        raise SettingsError(f"{variable}={without_password(text)!r} cannot be used", f"give {error}") from None


def read_or_default(key: str) -> Any:
    """The value of one setting. A bad one means its default and one warning, never a failed load."""
    try:
        return read_setting(key)
    except SettingsError as error:
        read, default = _KEYS[key]
        if key in _LISTS:
            _warn(PREFIX + key.upper(), str(error), f"{error}: {error.hint}; going on without what is wrong")
            return _good_ones(key)
        _warn(PREFIX + key.upper(), str(error), f"{error}: {error.hint}; going on with {default()!r}")
        return read(default())


def _good_ones(key: str) -> tuple[str, ...]:
    read, found = _KEYS[key][0], []
    for part in _names(os.environ.get(PREFIX + key.upper()) or _read_file().get(key) or ""):
        with contextlib.suppress(ValueError):
            found += read(part)
    return tuple(found)


# Whatever a reading depends on: while none of it has changed, the last reading is still true.
_VARIABLES = (
    *(PREFIX + key.upper() for key in _KEYS),
    *("STORAGE_FORCE_LOCAL", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"),
    "HOME",
)
_last: tuple[tuple[str | None, ...], Path, float | None, Settings] | None = None


def read_settings() -> Settings:
    """All settings as they are now, bad ones as their defaults."""
    global _last
    environment = (*map(os.environ.get, _VARIABLES), _folder_now())
    if _last is not None and _last[0] == environment and _last[2] == _changed(_last[1]):
        return _last[3]
    try:
        file = config_file()
    except ImportError:
        file = Path()
    changed = _changed(file)
    values: dict[str, Any] = {key: read_or_default(key) for key in _KEYS}
    settings = Settings(force_local=is_true(os.environ.get("STORAGE_FORCE_LOCAL")), **values)
    _last = (environment, file, changed, settings)
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
