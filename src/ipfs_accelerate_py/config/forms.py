"""The form of each setting: how its text is read, and its default. A ValueError says which form is accepted."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

_SECRETS = [
    # name:password@host, also where an unquoted @ is in it; the scheme may be missing
    (r"(^|(?<!/)//)([^/\\:\s]*):[^/\\\s]*@", r"\1\2:***@"),
    # the same with an unquoted / in the password, which no port begins with
    (r"(?<!/)//([^/\\@:\[\s]*):(?!\*\*\*@|[0-9]*(?:[/?#,\s'\"]|$))[^\s,'\"]*@", r"//\1:***@"),
    (r"(?<!/)//[^/\\:\s]+@", "//***@"),  # a token instead of both
    (r"^[^/\\:\s]+@(?=\S+$)", "***@"),
    # a parameter; the next URL of a list begins after a comma
    (
        r"(?i)([?&][^=&\s]*(?:token|key|secret|sig|pass|pwd|auth|credential)[^=&\s]*=)"
        r"(?:(?!,\s*[a-z][a-z0-9+.\-]*://)[^&\s'\"])+",
        r"\1***",
    ),
    (r"\bhf_[A-Za-z0-9]{8,}", "hf_***"),
]


def without_secrets(text: str) -> str:
    """A text as it may be shown: no passwords, tokens or signatures in URLs, no tokens of the Hub."""
    for pattern, shown in _SECRETS:
        text = re.sub(pattern, shown, text)
    return text


def shown(key: str, text: str) -> str:
    """The text of a setting as it may be shown."""
    if key not in SECRET_KEYS or not text:
        return without_secrets(text)
    kind = re.match(r"(?i)(basic|bearer):", text)
    return f"{kind[0] if kind else ''}***"


def _folder(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:  # `~name` of no user, or no home at all
        raise ValueError("a folder; there is no such home") from None
    except OSError:
        raise ValueError("a folder from the root on; the current folder is gone") from None


def _folders(text: str) -> tuple[Path, ...]:
    return tuple(_folder(part) for part in text.split(os.pathsep) if part)


def names_in(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _each(read: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    """Reads what is separated by commas, one by one."""
    return lambda text: tuple(map(read, names_in(text)))


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


def _mirror(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if not separator or not rest or not re.fullmatch(r"[a-z][a-z0-9+.\-]*", scheme):
        raise ValueError("fsspec URLs separated by commas, such as file:///mnt/models or s3://bucket/models")
    return url.rstrip("/")


def _file(text: str) -> Path | None:
    # Never a ValueError: to go on without a lock file that was asked for would be unsafe. A load reports it as missing.
    path = Path(os.path.expanduser(text))
    try:
        return path.absolute() if text else None
    except OSError:  # the current folder is gone, and the file with it
        return path


def _on_or_off(text: str) -> str:
    if text not in ("on", "off"):
        raise ValueError("on or off")
    return text


def _publish(text: str) -> str:
    if text not in ("auto", "on", "off"):
        raise ValueError("auto, on or off")
    return text


def _kind(text: str) -> str:
    if text not in ("model", "dataset", "space"):
        raise ValueError("model, dataset and space, or some of them, separated by commas")
    return text


def _publisher(name: str) -> str:
    # The beginnings of peer ids and key names (https://docs.libp2p.io/concepts/fundamentals/peers/), or a DNSLink name.
    if not re.fullmatch(r"swarm|(12D3|16Ui|Qm|k51|k2|baf)\w+|[\w-]+(\.[\w-]*)+", name):
        raise ValueError("peer ids or IPNS names separated by commas, such as 12D3KooW... or k51..., or swarm")
    return name


def _node_auth(text: str) -> str:
    if text and not re.fullmatch(r"(?i)(basic|bearer):[\x21-\x7e](?:.*[^\s])?", text):
        raise ValueError("bearer:TOKEN or basic:NAME:PASSWORD, as in Kubo's API.Authorizations")
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


HOME = "~/.cache/ipfs_accelerate"  # the store, where HF_HOME is not set


def default_home() -> str:
    """Next to the Hugging Face cache where HF_HOME names a place: a container keeps it on a volume."""
    home = os.environ.get("HF_HOME")
    return os.path.join(os.path.expandvars(home), "ipfs_accelerate") if home else HOME


def store_without_hf_home() -> Path | None:
    """The store that was filled while HF_HOME was not set, where the default is another one now; None without one."""
    try:
        store = _folder(HOME)
        return store if store != _folder(default_home()) and store.is_dir() else None
    except (OSError, ValueError):
        return None


def default_lower() -> str:
    """The Hugging Face cache, where `huggingface_hub` itself would look (its rules, without importing it)."""
    if cache := os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE"):
        return os.path.expandvars(cache)
    home = os.environ.get("HF_HOME")
    if not home:
        cache_home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        home = os.path.join(cache_home, "huggingface")
    return os.path.join(os.path.expandvars(home), "hub")


def users_cache() -> Path:
    """The same as a folder."""
    return Path(os.path.expanduser(default_lower()))


# key -> (how its text is read, its default)
KEYS: dict[str, tuple[Callable[[str], Any], Callable[[], str]]] = {
    "home": (_folder, default_home),
    "node": (str.strip, lambda: "auto"),
    "node_auth": (_node_auth, lambda: ""),
    "lower": (_folders, default_lower),
    "share": (_on_or_off, lambda: "on"),
    "publish": (_publish, lambda: "auto"),
    "publish_kinds": (_each(_kind), lambda: "model"),
    "publishers": (_each(_publisher), lambda: ""),
    "fleet": (_on_or_off, lambda: "on"),
    "timeout": (_seconds, lambda: "1.0"),
    "log": (_level, lambda: "WARNING"),
    "gateways": (_each(read_gateway), lambda: ""),
    "mirrors": (_each(_mirror), lambda: ""),
    "lock": (_file, lambda: ""),
}
# Of these a bad one is left out, and the others are used.
LISTS = ("publishers", "gateways", "mirrors")
SECRET_KEYS = ("node_auth",)
