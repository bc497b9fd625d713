"""Where the IPFS node is: what IPFS_ACCELERATE_NODE means."""

from __future__ import annotations

import base64
import ipaddress
import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..config.forms import without_secrets
from ..errors import SettingsError


def node_address(setting: str) -> str | None:
    """The RPC multiaddr that IPFS_ACCELERATE_NODE means, or None: `off`, or `auto` without an `api` file."""
    if setting == "off":
        return None
    if setting == "auto":
        try:
            return normal_form((default_repo() / "api").read_text("ascii").strip()) or None
        except (OSError, ValueError):
            return None
    address = setting if setting.startswith("/") else _from_url(setting)
    if address is None or not _is_usable(address):
        raise SettingsError(
            f"IPFS_ACCELERATE_NODE={without_secrets(setting)!r} cannot be used",
            "give auto, off, a multiaddr such as /ip4/127.0.0.1/tcp/5001, or a URL such as http://127.0.0.1:5001",
        )
    return normal_form(address)


def normal_form(address: str) -> str:
    """A multiaddr as we spell it: Kubo takes and writes `/unix//run/api.sock` too."""
    return re.sub("^/unix/+", "/unix/", address)


def socket_path(address: str) -> str | None:
    """The path of the unix socket that a multiaddr names, if it does."""
    return address.removeprefix("/unix") if re.match("/unix/.", address) else None


def _from_url(text: str) -> str | None:
    try:
        url = urlsplit(text if "://" in text else f"http://{text}")
        port = url.port or 5001
    except ValueError:
        return None
    if url.scheme not in ("http", "https") or not url.hostname:
        return None
    try:
        kind = f"ip{ipaddress.ip_address(url.hostname).version}"
    except ValueError:
        kind = "dns"
    return f"/{kind}/{url.hostname}/tcp/{port}/{url.scheme}"


def _is_usable(address: str) -> bool:
    """Return whether our client can connect to a multiaddr. The client is not imported."""
    if re.fullmatch(r"/unix/.+", address):
        return os.name != "nt"
    found = re.fullmatch(r"/(ip4|ip6|dns|dns4|dns6)/([^/]+)/tcp/([0-9]{1,5})(?:/https?)?/?", address)
    if found is None or not 0 < int(found[3]) < 65536:
        return False
    kind, host = found[1], found[2]
    if kind.startswith("dns"):
        return re.fullmatch(r"[^\W_](?:[^\W_]|[.-])*", host) is not None
    try:
        return ipaddress.ip_address(host).version == int(kind[2]) and "%" not in host
    except ValueError:
        return False


def authorization(setting: str, auth: str) -> str | None:
    """The header for an RPC API that wants a login.

    By IPFS_ACCELERATE_NODE_AUTH, in the forms of Kubo's `--api-auth`: `bearer:TOKEN`, `basic:NAME:PASSWORD`, or
    `basic:` and the same in base64; else by the name and password in a URL of IPFS_ACCELERATE_NODE.
    https://github.com/ipfs/kubo/blob/master/docs/config.md#apiauthorizations
    """
    kind, _, secret = auth.partition(":")
    if kind.lower() == "bearer":
        return f"Bearer {secret}"
    if kind.lower() != "basic":
        url = urlsplit(setting) if "://" in setting else None
        if url is None or url.username is None:
            return None
        secret = f"{unquote(url.username)}:{unquote(url.password or '')}"
    return f"Basic {base64.b64encode(secret.encode()).decode() if ':' in secret else secret}"


def default_repo() -> Path:
    return Path(os.path.expanduser(os.environ.get("IPFS_PATH") or "~/.ipfs"))
