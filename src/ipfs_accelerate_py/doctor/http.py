"""One small HTTP request, without a token."""

from __future__ import annotations

import base64
import email.message
from urllib.parse import unquote, urlsplit, urlunsplit

from ..net.addresses import is_private_host

_AT_MOST = 1 << 16  # bytes of an answer that are read


def get(url: str, seconds: float, headers: dict[str, str] | None = None) -> tuple[int, bytes, email.message.Message]:
    """Status, the first bytes and the headers of an answer, whatever the status. OSError if there is none."""
    import http.client
    import urllib.error
    import urllib.request

    parts = urlsplit(url)
    request = urllib.request.Request(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])))
    for name, value in {"User-Agent": "ipfs_accelerate_py doctor", **(headers or {})}.items():
        request.add_header(name, value)
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_unredirected_header("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())
    try:
        # a proxy for the outer world must not stand before the local network
        near = [urllib.request.ProxyHandler({})] if is_private_host(parts.hostname or "") else []
        with urllib.request.build_opener(*near).open(request, timeout=seconds) as answer:
            return answer.status, answer.read(_AT_MOST), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(_AT_MOST), error.headers
    except urllib.error.URLError as error:
        raise OSError(str(error.reason)) from error
    except http.client.HTTPException as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
