"""The Kubo of a fleet: its program, and a repo with all the settings that a private fleet needs.

Settings: https://github.com/ipfs/kubo/blob/master/docs/config.md
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import FleetError
from ..files import replace_file
from . import keys
from .folder import Ports

OLDEST = (0, 43, 1)  # an older one may ask nothing of a peer that was connected while it started
_PROFILE = "unixfs-v1-2025"  # how files become blocks: CIDv1, raw leaves, chunks of 1 MiB
_SECONDS = 60.0  # for `ipfs init` on a slow disk
_GET_IT = (
    "install Kubo 0.43.1 or newer (https://docs.ipfs.tech/install/command-line/), or give the path of its program: "
    "--ipfs /path/to/ipfs"
)


def find_program(named: str = "") -> str:
    """The path of Kubo's program: the named one, else `ipfs` on PATH. FleetError says how to get it."""
    found = shutil.which(named or "ipfs")
    if found is None:
        raise FleetError(
            f"{named} is no program that can be started" if named else "Kubo's program 'ipfs' is not on PATH", _GET_IT
        )
    version = read_version(found)
    if version < OLDEST:
        text = ".".join(map(str, version))
        raise FleetError(f"{found} is Kubo {text}, and a fleet needs 0.43.1 or newer", _GET_IT)
    return str(Path(found).absolute())


def read_version(program: str) -> tuple[int, ...]:
    """The version of a Kubo, such as (0, 43, 1); FleetError where the program is no Kubo."""
    try:
        text = _run([program, "version", "--number"], {}).strip()
    except FleetError as error:
        raise FleetError(f"{program} is not Kubo: {error}", _GET_IT) from error
    if not re.match(r"[0-9]+\.[0-9]+\.[0-9]+", text):
        raise FleetError(f"{program} is not Kubo: it says {text[:60]!r} when it is asked for its version", _GET_IT)
    return tuple(int(number) for number in re.findall(r"[0-9]+", text)[:3])


def make_repo(program: str, repo: Path, key: bytes) -> str:
    """Make a Kubo repo with the swarm key and a new identity; returns its peer id. FleetError, OSError."""
    _run([program, "init", "--empty-repo", f"--profile={_PROFILE}"], {"IPFS_PATH": str(repo)})
    replace_file(repo / "swarm.key", keys.format_key(key), 0o600)
    return str(_read(repo)["Identity"]["PeerID"])


def configure(repo: Path, listen: str, ports: Ports, bootstrap: Iterable[str], announce: str = "") -> None:
    """Put the settings of a fleet into the `config` of a repo. `bootstrap`: multiaddrs that end in peer ids."""
    config = _read(repo)
    config["Addresses"] |= {
        "API": f"/ip4/127.0.0.1/tcp/{ports.api}",
        "Gateway": f"/ip4/127.0.0.1/tcp/{ports.gateway}",
        "Swarm": [multiaddr(listen, ports.swarm)],
        "Announce": [multiaddr(announce, ports.swarm)] if announce else [],
    }
    config |= {
        # nothing asks or tells the public network: no defaults from there, no relays, no delegates, no telemetry
        "AutoConf": {"Enabled": False},
        "AutoTLS": {"Enabled": False},
        "AutoNAT": {"ServiceMode": "disabled"},
        "Bootstrap": sorted(set(bootstrap)),
        "DNS": {"Resolvers": {}},
        "Discovery": {"MDNS": {"Enabled": False}},
        "HTTPRetrieval": {"Enabled": False},
        "Ipns": {**config.get("Ipns", {}), "DelegatedPublishers": []},
        "Plugins": {"Plugins": {"telemetry": {"Config": {"Mode": "off"}}}},
        # every member answers for names and providers, also one with a public address
        "Routing": {
            "Type": "dhtserver",
            "DelegatedRouters": [],
            "LoopbackAddressesOnLanDHT": ipaddress.ip_address(listen).is_loopback,
        },
        "Version": {"SwarmCheckEnabled": False},
    }
    config["Experimental"]["FilestoreEnabled"] = True
    config["Swarm"] |= {
        "DisableNatPortMap": True,
        "EnableHolePunching": False,
        "RelayClient": {"Enabled": False},
        "RelayService": {"Enabled": False},
        # a swarm with a key knows TCP alone: https://github.com/libp2p/specs/blob/master/pnet/Private-Networks-PSK-V1.md
        "Transports": {"Network": {"QUIC": False, "Websocket": False, "WebRTCDirect": False}},
    }
    # what came over Kubo is in the store as well: the repo keeps it for the next machine, and not for ever
    config["Datastore"] |= {"StorageMax": "2GB", "GCPeriod": "10m"}
    replace_file(repo / "config", json.dumps(config, indent=2).encode(), 0o600)


def multiaddr(address: str, port: int) -> str:
    """The multiaddr of a TCP port; the address is an IP address, or a name that Kubo is to look up."""
    try:
        kind = f"ip{ipaddress.ip_address(address).version}"
    except ValueError:
        kind = "dns"
    return f"/{kind}/{address}/tcp/{port}"


def environment(repo: Path) -> dict[str, str]:
    """The variables of a Kubo of a fleet: it does not start without its swarm key."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("IPFS_", "LIBP2P_"))}
    return {**kept, "IPFS_PATH": str(repo), "LIBP2P_FORCE_PNET": "1", "IPFS_TELEMETRY": "off"}


def _read(repo: Path) -> dict[str, Any]:
    document = json.loads((repo / "config").read_bytes())
    if not isinstance(document, dict):
        raise FleetError(f"{repo / 'config'} is no configuration of Kubo")
    return document


def _run(command: list[str], variables: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "IPFS_TELEMETRY": "off", **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FleetError(f"{command[0]} {command[1]} did not work: {error}", _GET_IT) from error
    if done.returncode:
        raise FleetError(f"{command[0]} {command[1]} did not work: {done.stderr.strip()[-500:] or done.returncode}")
    return done.stdout
