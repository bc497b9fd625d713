"""HTTP gateways: they are asked for a CID that carries its bytes in itself, and for a part of it."""

from __future__ import annotations

import time

from ..config.settings import Settings
from ..errors import SourceError
from ..fetch.sources.gateway import Gateway
from ..ipfs.cid import identity_cid
from ..net.http import HTTPReader
from .check import Check, Result, bad, good

CONTENT = b"ipfs_accelerate_py asks whether a gateway is here\n"
_PART = (16, 40)
_IDLE = 4.0


def checks(settings: Settings) -> list[Check]:
    """`gateway URL` for every gateway of the settings."""
    if not settings.gateways or settings.force_local:
        hint = "set IPFS_ACCELERATE_GATEWAYS to URLs such as http://10.0.0.1:8080 to read from peers over HTTP"
        return [Check("gateways", lambda: good("not configured", hint), hint)]
    return [_check_of(url, settings.timeout) for url in settings.gateways]


def _check_of(url: str, timeout: float) -> Check:
    return Check(f"gateway {url}", lambda: check_gateway(url, timeout), _out(url), 10)


def _out(url: str) -> str:
    return f"start it there (ipfs daemon), correct its address, or take {url} out of IPFS_ACCELERATE_GATEWAYS"


def check_gateway(url: str, timeout: float) -> Result:
    """Check that it answers, is a gateway, and gives parts of a file."""
    path, began = f"/ipfs/{identity_cid(CONTENT)}", time.monotonic()
    try:
        body = Gateway(url, tuple, _IDLE).read(path, 1 << 16, "*/*")
    except SourceError as error:
        if str(error) in ("it answered 401", "it answered 403"):
            return bad(f"{error}: it wants a password", "give it in the URL: https://NAME:PASSWORD@HOST")
        return bad(f"{error}, where /ipfs/... was asked for", _out(url))
    seconds = time.monotonic() - began
    if body != CONTENT:
        return bad("what listens there is not an IPFS gateway: it answered /ipfs/... with something else", _out(url))
    first, last = _PART
    try:
        part = HTTPReader(url, _IDLE).look(path, {"Range": f"bytes={first}-{last - 1}"})
    except OSError as error:
        return bad(f"it answered once, and then no more: {error}", _out(url))
    size = len(part.body)
    if (part.status, part.body) != (206, CONTENT[first:last]):
        return bad(
            f"it does not honour Range: a part was asked for, and it answered {part.status} with {size} bytes",
            "let the proxy in front of it pass the Range header on, or name the gateway behind it",
        )
    if seconds > timeout:
        return good(
            f"answers, but only after {seconds:.1f} s; others are asked after {timeout:g} s",
            "set IPFS_ACCELERATE_TIMEOUT higher to wait for it",
        )
    return good(f"answers in {seconds * 1000:.0f} ms and honours Range")
