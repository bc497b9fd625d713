"""Where the IPFS node is: what IPFS_ACCELERATE_NODE means."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..errors import SettingsError
from ..setting_forms import without_password


def node_address(setting: str) -> str | None:
    """The RPC multiaddr that IPFS_ACCELERATE_NODE means, or None: `off`, or `auto` without an `api` file."""
    if setting == "off":
        return None
    if setting == "auto":
        try:
            return (default_repo() / "api").read_text("ascii").strip() or None
        except (OSError, ValueError):
            return None
    if setting.startswith("/"):
        return setting
    url = urlsplit(setting if "://" in setting else f"http://{setting}")
    try:
        port = url.port or 5001
    except ValueError:
        port = 0
    if url.scheme not in ("http", "https") or not url.hostname or not port:
        raise SettingsError(
            f"IPFS_ACCELERATE_NODE={without_password(setting)!r} cannot be used",
            "give auto, off, a multiaddr such as /ip4/127.0.0.1/tcp/5001, or a URL such as http://127.0.0.1:5001",
        )
    try:
        kind = f"ip{ipaddress.ip_address(url.hostname).version}"
    except ValueError:
        kind = "dns"
    return f"/{kind}/{url.hostname}/tcp/{port}/{url.scheme}"


def node_login(setting: str) -> tuple[str, str] | None:
    """The name and password in a URL of IPFS_ACCELERATE_NODE, for an API behind HTTP's basic authentication."""
    url = urlsplit(setting) if "://" in setting else None
    if url is None or url.username is None:
        return None
    return unquote(url.username), unquote(url.password or "")


def default_repo() -> Path:
    return Path(os.environ.get("IPFS_PATH") or "~/.ipfs").expanduser()
