"""Which addresses stay on this machine or in a private network."""

from __future__ import annotations

import ipaddress


def is_private_address(multiaddr: str) -> bool:
    """Return whether an address stays on this machine or in a private network, or is a unix socket."""
    parts = multiaddr.split("/")
    if len(parts) < 3 or parts[1] not in ("ip4", "ip6"):
        return len(parts) > 1 and parts[1] == "unix"
    return is_private_host(parts[2])


def is_private_host(host: str) -> bool:
    """Return whether a host is on this machine or in a private network; False for a name that needs a look-up."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_private or address.is_loopback or address.is_link_local
